"""Who speaks when in a recording: the contracts of `Diarize`.

A recording is diarized in parts: the windows that start in the same `PART_S` seconds. A part's
speakers have numbers of their own; `WriteTranscript` finds out which are the same person.
All times are seconds from the start of the recording.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.artifacts import Artifact
from pipeline.contracts.audio_windows import Window
from pipeline.contracts.contract import Contract, Job, Provenance, Result, no_truth_value

PART_S: Final = 1800

SpeakerCount = Annotated[int, Field(ge=1, le=20), BeforeValidator(no_truth_value)]
HopSeconds = Annotated[float, Field(ge=0.25, le=5), BeforeValidator(no_truth_value)]


class Turn(Contract):
    """One speaker speaks from `start` to `end`. Turns of two speakers may overlap."""

    start: float
    end: float
    speaker: int


class PartSpeaker(Contract):
    """A speaker of one part. `centroid` has length 1; `speech_s` is how long the speaker speaks."""

    centroid: tuple[float, ...]
    speech_s: float


class PartSpeakers(Contract):
    """Who speaks when in one part: the content of the object at its `part_key`.

    `Turn.speaker` is an index into `speakers`. `link_below` is the cosine distance (0…2) below
    which two centroids of this model are one person. `remarks` are sentences about doubts.
    """

    index: int
    turns: tuple[Turn, ...]
    speakers: tuple[PartSpeaker, ...]
    link_below: float
    remarks: tuple[str, ...] = ()
    model: str
    weights_sha256: str
    metrics: dict[str, float]
    provenance: Provenance | None

    @model_validator(mode="after")
    def _turns_are_of_its_speakers(self) -> Self:
        if any(not 0 <= turn.speaker < len(self.speakers) for turn in self.turns):
            raise ValueError("a turn is of a speaker that the part does not have")
        if len({len(speaker.centroid) for speaker in self.speakers}) > 1:
            raise ValueError("centroids of one part have the same size")
        return self


class Diarize(Job):
    """Find who speaks when in one part of `plan`.

    `hop_s` is the time from one of the network's chunks to the next. `speakers` is the number of
    speakers of the whole recording, `least_speakers` and `most_speakers` are its limits, if known.
    A part never has more. The number and the least are reached only if it is the only part, and if
    so many voices can be told apart.
    """

    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    plan: Artifact
    part: int
    hop_s: HopSeconds
    speakers: SpeakerCount | None
    least_speakers: SpeakerCount | None
    most_speakers: SpeakerCount | None
    work_bucket: str
    work_prefix: str


class Diarized(Result):
    """The part is in the work bucket; an execution's state has room for its index only."""

    part: int


def part_of(window: Window) -> int:
    """Return the index of the part that a window belongs to."""
    return int(window.start // PART_S)


def parts_of(windows: Sequence[Window]) -> dict[int, tuple[Window, ...]]:
    """Return the windows of each part that has any, in order."""
    parts: dict[int, tuple[Window, ...]] = {}
    for window in windows:
        part = part_of(window)
        parts[part] = (*parts.get(part, ()), window)
    return parts


def part_key(work_prefix: str, *, model: str, index: int) -> str:
    """Return the key of a part's `PartSpeakers`, in the work bucket.

    A part that exists was made by this model for this execution, and is not made again.
    """
    return f"{work_prefix}/speakers/{model}/{index:04}.json"
