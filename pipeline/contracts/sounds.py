"""The sounds in a recording: the contracts of `TagAudio`.

All times are seconds from the start of the recording.
"""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Contract, Job, Result, no_truth_value
from pipeline.contracts.transcript_files import TranscriptFile

SOUND_RATE: Final = 32_000  # samples a second of the sound that is tagged: one channel, 16 bits

MostTags = Annotated[int, Field(ge=1, le=50), BeforeValidator(no_truth_value)]


class Prediction(Contract):
    """A label of the whole recording, with its greatest probability (0…1) at any time."""

    label: str
    score: float


class TagAudio(Job):
    """Name the sounds in a recording, and when they are heard.

    `sound` is the whole recording as FLAC, or null if it has no sound. `most_tags` is how many
    labels are listed for the whole recording.
    """

    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    sound: Artifact | None
    most_tags: MostTags
    work_bucket: str
    work_prefix: str
    output_stem: str


class AudioTagged(Result):
    """`file` has all labels with their times; `predictions` has the ten most probable."""

    file: TranscriptFile
    predictions: tuple[Prediction, ...]
    model: str
    weights_sha256: str
