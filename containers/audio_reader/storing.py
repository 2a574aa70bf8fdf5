"""Write windows, their plan, and the whole recording to the work bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from containers.audio_reader.windows import Piece
from pipeline.artifacts import Artifact, ArtifactStore, Location, Upload
from pipeline.audio.flac import encode_flac
from pipeline.contracts.transcript import SPEECH_RATE, AudioPlan, ReadAudio, Window


class HashedUpload:
    """An upload that knows what it has sent. `artifact` is None if nothing was written."""

    def __init__(self, upload: Upload, location: Location) -> None:
        self._upload = upload
        self._location = location
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, content: bytes) -> None:
        self._digest.update(content)
        self._bytes += len(content)
        self._upload.write(content)

    @property
    def artifact(self) -> Artifact | None:
        if not self._bytes:
            return None
        return Artifact(uri=self._location.uri, sha256=self._digest.hexdigest(), bytes=self._bytes)


@contextmanager
def begin_recorded(job: ReadAudio, store: ArtifactStore) -> Iterator[HashedUpload]:
    """Upload the whole recording. After an error, or if nothing was written, nothing is stored."""
    location = Location(job.work_bucket, f"{job.work_prefix}/recorded.flac")
    upload = store.begin(location)
    hashed = HashedUpload(upload, location)
    try:
        yield hashed
        if hashed.artifact is not None:
            upload.complete()
    finally:
        upload.abort()


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
