"""Read what was said in each window from the work bucket."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.audio_windows import AudioPlan, Window
from pipeline.contracts.transcript import (
    WindowMissing,
    WindowTranscript,
    WriteTranscript,
    window_key,
)


class TranscribedWindow(NamedTuple):
    """A window of the plan, and what was said in it."""

    window: Window
    said: WindowTranscript


def read_windows(store: ArtifactStore, job: WriteTranscript) -> tuple[TranscribedWindow, ...]:
    """Return every window of the plan with its transcript, in order."""
    plan = AudioPlan.model_validate_json(store.read(Location.parse(job.plan.uri)))
    return tuple(_read_window(store, job, window) for window in plan.windows)


def _read_window(store: ArtifactStore, job: WriteTranscript, window: Window) -> TranscribedWindow:
    key = window_key(
        job.work_prefix,
        speech_model=job.speech_model,
        align_model=job.align_model,
        index=window.index,
    )
    place = Location(job.work_bucket, key)
    try:
        content = store.read(place)
    except KeyError:
        problem = f"the plan has window {window.index}, but {place.uri} is missing"
        raise WindowMissing(problem) from None
    try:
        said = WindowTranscript.model_validate_json(content)
    except ValidationError:  # its message has words of the transcript, and errors are logged
        raise WindowMissing(f"{place.uri} is damaged") from None
    if said.index != window.index:
        raise WindowMissing(f"{place.uri} has window {said.index}, not {window.index}")
    return TranscribedWindow(window, said)
