"""What a run and the local cloud that it uses say to each other.

The run asks in one POST, and the answer lasts as long as the run: lines of JSON, a Greeting,
RunModels, then a PhotoEnded for each photo. The cloud notices when the connection ends, however
it ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

RUNS_PATH = "/-/runs"  # no bucket can be called `-`
DISK_PATH = "/-/disk"
SOCKET = "up.socket"  # in the cloud's own folder, which only its user can enter


class _Message:
    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Raises ValueError or TypeError for anything else."""
        return cls(**json.loads(line))

    @property
    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"  # type: ignore[call-overload]


@dataclass(frozen=True)
class RunRequest(_Message):
    """`terms` are those of the run. `model` is the one that the user named, or None."""

    terms: Mapping[str, str]
    model: str | None

    def __post_init__(self) -> None:
        if not isinstance(self.terms, dict) or not isinstance(self.model, str | None):
            raise TypeError("no request of a run")


@dataclass(frozen=True)
class Greeting(_Message):
    """The keys of the run's photos begin with `prefix`.

    `others` has, by their suffixes, the products of files that are no photos. `difference` says why
    the run cannot use the cloud; the answer ends with it.
    """

    endpoint: str
    scratch: str
    prefix: str
    others: Mapping[str, str]
    difference: str | None


@dataclass(frozen=True)
class RunModels(_Message):
    """The models of the run, each with why. None if the cloud cannot use the one that was named."""

    models: tuple[str, ...] | None


@dataclass(frozen=True)
class PhotoEnded(_Message):
    """An execution that ended. `files` are the addresses of its results, the record's last.

    Without results, `reason` says why.
    """

    key: str
    verdict: str
    reason: str = ""
    model: str = ""
    task_ms: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    shown: str = ""
