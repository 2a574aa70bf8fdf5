"""One part of a plan: read its windows and their sound, and write who speaks when."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from containers.diarizer.spec import Signal
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.audio.flac import decode_flac
from pipeline.contracts.audio_windows import AudioPlan, Window
from pipeline.contracts.contract import Provenance
from pipeline.contracts.speakers import Diarize, PartSpeakers, part_key, parts_of
from pipeline.declared.containers import load_container
from pipeline.task import provenance_of
from pipeline.workbench import Settings

_FOLDER: Final = Path(__file__).parent


class Part(NamedTuple):
    """The windows of a part; `alone` if the plan has no other part."""

    windows: tuple[Window, ...]
    alone: bool


def part_of_plan(job: Diarize, store: ArtifactStore) -> Part:
    """Return the job's part of its plan. Raises ValueError if the plan lacks it."""
    plan = AudioPlan.model_validate_json(store.read(_place(job.plan)))
    parts = parts_of(plan.windows)
    if job.part not in parts:
        raise ValueError(f"{job.plan.uri} has no part {job.part}")
    return Part(parts[job.part], alone=len(parts) == 1)


def signal_of(window: Window, store: ArtifactStore) -> Signal:
    """Return the window's sound."""
    samples, _rate = decode_flac(store.read(_place(window.audio)))
    return samples[:, 0]


def place_of(job: Diarize) -> Location:
    key = part_key(job.work_prefix, model=job.model, index=job.part)
    return Location(job.work_bucket, key)


def stored(job: Diarize, store: ArtifactStore) -> PartSpeakers | None:
    """Return the part if it is stored; None if it is missing, unreadable or another part's."""
    try:
        part = PartSpeakers.model_validate_json(store.read(place_of(job)))
    except (KeyError, ValidationError):
        return None
    return part if (part.index, part.model) == (job.part, job.model) else None


def store_part(part: PartSpeakers, place: Location, store: ArtifactStore) -> None:
    """Write a part. S3 shows an object only when it is complete."""
    store.write(place, part.model_dump_json().encode(), media_type="application/json")


def provenance(settings: Settings) -> Provenance:
    """Return the version of this container."""
    return provenance_of(load_container(_FOLDER), settings)


def _place(artifact: Artifact) -> Location:
    return Location.parse(artifact.uri)
