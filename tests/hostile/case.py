"""A hostile or unusual photo file, and the outcomes it may have."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from tests.pictures import Pixels
from tests.pipeline.photo.pictures import drawn
from tests.pipeline.photo.pictures import saved as saved_faithfully

CUTOUT: Final = "cut-out"
NEVER_A_PHOTO: Final = frozenset({"UnsupportedMedia", "CorruptMedia"})
Note = Callable[[str, object], None]


@dataclass(frozen=True, eq=False)
class Case:
    """A file and its allowed outcomes, `ends`. A cutout is compared with the picture `drawn`.

    `tolerance` is the largest difference that the format causes, in levels of 256.
    """

    name: str
    content: Callable[[], bytes]
    ends: frozenset[str] = frozenset({CUTOUT})
    drawn: Pixels | None = None
    tolerance: int = 0
    options: dict[str, Any] = field(default_factory=dict)


def picture() -> Image.Image:
    """Return `drawn` as a picture."""
    return Image.fromarray(drawn())


def saved(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    """Save a picture with Pillow's own options, or those of HEIC's writer."""
    if picture_format == "HEIC":
        return saved_faithfully(image, picture_format, **options)
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def good(
    name: str, content: Callable[[], bytes], *, seen: Pixels | None = None, tolerance: int = 0
) -> Case:
    """Return a file that must become a cutout of `drawn`, or of `seen` if colours are lost."""
    return Case(name, content, drawn=drawn() if seen is None else seen, tolerance=tolerance)


def bad(name: str, content: Callable[[], bytes], *ends: str) -> Case:
    """Return a file that must be quarantined with one of these errors."""
    return Case(name, content, frozenset(ends))


def cut(name: str, content: Callable[[], bytes], *, tolerance: int = 0) -> Case:
    """Return a file that must be quarantined, unless it still has every pixel."""
    ends = NEVER_A_PHOTO | {CUTOUT}
    return Case(name, content, ends, drawn=drawn(), tolerance=tolerance)
