"""What a run and the local cloud that it uses say to each other.

The run asks in one POST, and the answer lasts as long as the run: lines of JSON, a Greeting,
RunModels, then a MediaEnded for each file, and a TranscriptProgress for each piece of a recording
that is done. The cloud notices when the connection ends, however it ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    """`terms` are those of the run. `model` is the one that the user named, or None.

    `products` are made, with `options`: the names of those that the user gave. `named` has the
    models that options other than `model` name, by option.
    """

    terms: Mapping[str, str]
    model: str | None
    products: Sequence[str]
    options: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        odd = (
            not isinstance(self.terms, dict)
            or not isinstance(self.model, str | None)
            or not isinstance(self.products, list | tuple)
            or not isinstance(self.options, list | tuple)
            or not isinstance(self.named, dict)
            or not all(
                isinstance(name, str)
                for name in (*self.products, *self.options, *self.named, *self.named.values())
            )
        )
        if odd:
            raise TypeError("no request of a run")


@dataclass(frozen=True)
class Greeting(_Message):
    """The keys of the run's files begin with `prefix`.

    `difference` says why the run cannot use the cloud; the answer ends with it.
    """

    endpoint: str
    scratch: str
    prefix: str
    difference: str | None


@dataclass(frozen=True)
class RunModels(_Message):
    """The models of the run, each with why. None if the cloud cannot use the one that was named.

    `container` is the named model's. `missing` says, by container, why a default model cannot be
    had: a job that needs it would fail.
    """

    models: tuple[str, ...] | None
    container: str | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MediaEnded(_Message):
    """An execution that ended. `files` are the addresses of its results, the record's last.

    Without results, `reason` says why.
    """

    key: str
    verdict: str
    reason: str = ""
    model: str = ""
    task_ms: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0
    files: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True)
class TranscriptProgress(_Message):
    """How much of a recording is done: seconds that its tasks have listened to, and in all.

    Speech that is transcribed, and then diarized, counts twice.
    """

    key: str
    done_s: float
    total_s: float


def parse_news(line: bytes) -> MediaEnded | TranscriptProgress:
    """Read what the cloud says of one file. Raises ValueError or TypeError for anything else."""
    return MediaEnded.parse(line) if b'"verdict"' in line else TranscriptProgress.parse(line)
