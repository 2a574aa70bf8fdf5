"""Read who speaks in each part of the recording from the work bucket."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from containers.transcript_writer.windows import TranscribedWindow
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.speakers import PartSpeakers, part_key, parts_of
from pipeline.contracts.transcript import WriteTranscript


class PartMissing(LookupError):
    """A part's speakers are missing, damaged or another's: the platform's fault, see WindowMissing.

    It stays uncaught, and nothing is published. A redrive starts after `Diarize`; only a replay of
    the job makes the part again.
    """


def read_parts(
    store: ArtifactStore, job: WriteTranscript, windows: Sequence[TranscribedWindow]
) -> tuple[PartSpeakers, ...]:
    """Return the speakers of every part that has windows, in order; none without a model."""
    if job.speaker_model is None:
        return ()
    model = job.speaker_model
    parts = parts_of([window for window, _ in windows])
    return tuple(_read_part(store, job, model, index) for index in sorted(parts))


def _read_part(store: ArtifactStore, job: WriteTranscript, model: str, index: int) -> PartSpeakers:
    place = Location(job.work_bucket, part_key(job.work_prefix, model=model, index=index))
    try:
        content = store.read(place)
    except KeyError:
        raise PartMissing(f"the plan has part {index}, but {place.uri} is missing") from None
    try:
        part = PartSpeakers.model_validate_json(content)
    except ValidationError:
        raise PartMissing(f"{place.uri} is damaged") from None
    if (part.index, part.model) != (index, model):
        found = f"part {part.index} by {part.model}, not part {index} by {model}"
        raise PartMissing(f"{place.uri} has {found}")
    return part
