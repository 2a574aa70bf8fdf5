"""Write windows, their plan, and the whole recording to the work bucket."""

from __future__ import annotations

from contextlib import AbstractContextManager

from containers.audio_reader.windows import Piece
from pipeline.artifacts import Artifact, ArtifactStore, ArtifactUpload, Location, uploading
from pipeline.audio.flac import encode_flac
from pipeline.contracts.audio_windows import SPEECH_RATE, AudioPlan, Window
from pipeline.contracts.transcript import ReadAudio


def uploading_whole(
    name: str, job: ReadAudio, store: ArtifactStore
) -> AbstractContextManager[ArtifactUpload]:
    """Upload the whole recording. After an error, or if nothing was written, nothing is stored."""
    return uploading(store, Location(job.work_bucket, f"{job.work_prefix}/{name}"))


def store_piece(piece: Piece, job: ReadAudio, store: ArtifactStore) -> Window:
    """Write the audio of a window."""
    key = f"{job.work_prefix}/speech/{piece.index:04}.flac"
    content = encode_flac(piece.samples, rate=SPEECH_RATE)
    return Window(
        index=piece.index,
        start=piece.start,
        end=piece.end,
        speech=piece.speech,
        audio=store.write(Location(job.work_bucket, key), content, media_type="audio/flac"),
    )


def store_plan(plan: AudioPlan, job: ReadAudio, store: ArtifactStore) -> Artifact:
    """Write the plan, which tasks read that each do one of its windows."""
    location = Location(job.work_bucket, f"{job.work_prefix}/plan.json")
    return store.write(location, plan.model_dump_json().encode(), media_type="application/json")
