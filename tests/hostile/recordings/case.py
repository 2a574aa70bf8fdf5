"""A hostile or odd recording, and the one end that it must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.audio.samples import Samples

READ: Final = "read"
Content = Callable[[], bytes]


@dataclass(frozen=True, eq=False)
class Case:
    """A file, the name of its end, and what must have been read of it if that is `READ`.

    `seconds` are from and to; `shape` is (rate, channels), None is not compared. `heard` are the
    samples that must come out, (n, channels), with at most `error` of their own energy changed.
    `remarks` are regular expressions, one for each remark, in order.
    """

    name: str
    content: Content
    end: str = READ
    seconds: tuple[float, float] = (1.9, 2.1)
    shape: tuple[int, int] | None = None
    heard: Samples | None = None
    error: float = 0.01
    remarks: tuple[str, ...] | None = ()
    key: str = "talk.mp3"
    metadata: dict[str, str] = field(default_factory=dict)
    options: Any = None


def good(name: str, content: Content, seconds: float, *remarks: str, **expected: Any) -> Case:
    """Return a file of which so many seconds can be read, a twentieth more or less."""
    about = (seconds * 0.95, seconds * 1.05 + 0.05)
    return Case(name, content, seconds=about, remarks=remarks, **expected)


def bad(name: str, content: Content, end: str, **fields: Any) -> Case:
    """Return a file that must be quarantined with this error."""
    return Case(name, content, end, **fields)
