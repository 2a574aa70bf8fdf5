"""One window of a plan: read it and its sound, and write what was transcribed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from containers.transcriber.sound import Sound
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.audio.flac import decode_flac
from pipeline.contracts.audio_windows import AudioPlan, Window
from pipeline.contracts.contract import Provenance
from pipeline.contracts.transcript import AlignWords, Transcribe, WindowMissing, WindowTranscript
from pipeline.declared.containers import load_container
from pipeline.task import provenance_of
from pipeline.workbench import Settings

_FOLDER: Final = Path(__file__).parent


def window_of(job: Transcribe | AlignWords, store: ArtifactStore) -> Window:
    """Return the job's window of its plan. Raises ValueError if the plan has none such."""
    plan = AudioPlan.model_validate_json(store.read(_place(job.plan)))
    for window in plan.windows:
        if window.index == job.window:
            return window
    raise ValueError(f"{job.plan.uri} has no window {job.window}")


def sound_of(window: Window, store: ArtifactStore) -> Sound:
    """Return the window's sound."""
    samples, _rate = decode_flac(store.read(_place(window.audio)))
    return Sound(samples[:, 0], window.start)


def stored(place: Location, store: ArtifactStore) -> WindowTranscript | None:
    """Return what was transcribed at a place already; None if nothing whole is there."""
    try:
        return WindowTranscript.model_validate_json(store.read(place))
    except (KeyError, ValidationError):
        return None


def spoken_window(place: Location, index: int, store: ArtifactStore) -> WindowTranscript:
    """Return what `Transcribe` wrote. Raises WindowMissing if it is not there or is another's."""
    try:
        content = store.read(place)
    except KeyError:
        raise WindowMissing(
            f"window {index} cannot be aligned, because {place.uri} is missing; replay the job"
        ) from None
    try:
        said = WindowTranscript.model_validate_json(content)
    except ValidationError:  # its message has words of the transcript, and errors are logged
        raise WindowMissing(f"{place.uri} is damaged; replay the job") from None
    if said.index != index:
        raise WindowMissing(f"{place.uri} has window {said.index}, not {index}")
    return said


def store_window(transcript: WindowTranscript, place: Location, store: ArtifactStore) -> None:
    """Write a window. A window that is there is whole: an object appears at once."""
    store.write(place, transcript.model_dump_json().encode(), media_type="application/json")


def provenance(settings: Settings) -> Provenance:
    """Return which version of this container is at work."""
    return provenance_of(load_container(_FOLDER), settings)


def _place(artifact: Artifact) -> Location:
    return Location.parse(artifact.uri)
