"""What a test has written into a photo: how many faces it has, and which task fails."""

from __future__ import annotations

import os
import zlib
from typing import Final

import boto3
from pydantic import BaseModel, ConfigDict

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.faces import AnalyzeFaces, EmbedFaces
from pipeline.errors import PipelineError, leaves
from tests.pictures import png, square

EXIT: Final = "exit"  # in place of an error: the process ends
ONCE: Final = "once "
UNTIL_REPLAYED: Final = "until replayed "
_CHUNK: Final = b"tEXt"
_KEYWORD: Final = b"script\0"
_LAST: Final = 12  # bytes of the last chunk of a PNG


class Script(BaseModel):
    """`fails` has errors by model, and `deletes` the model whose task deletes the photo first.

    An error after `ONCE` is raised at the first call of the model for a job only, and one after
    `UNTIL_REPLAYED` in the first execution only. `padding` tells photos apart that say the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    faces: int = 2
    fails: dict[str, str] = {}
    deletes: str = ""
    padding: str = ""

    def photo(self) -> bytes:
        """Return a PNG with this text in it."""
        photo = png(square())
        data = _CHUNK + _KEYWORD + self.model_dump_json().encode()
        length = len(data) - len(_CHUNK)
        chunk = length.to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
        return photo[:-_LAST] + chunk + photo[-_LAST:]

    @classmethod
    def read(cls, photo: bytes) -> Script:
        text = photo[photo.index(_KEYWORD) + len(_KEYWORD) : -_LAST - 4]
        return cls.model_validate_json(text)

    def act(self, job: AnalyzeFaces | EmbedFaces, store: ArtifactStore) -> None:
        """Note the call, and raise the error that this script has for its model."""
        note = Location(job.work_bucket, f"tried/{job.job_id}/{job.model}")
        tried = _read(store, note) is not None
        store.write(note, b"tried", media_type="text/plain")
        if job.model == self.deletes:
            s3 = boto3.client("s3")
            s3.delete_object(Bucket=job.source.bucket, Key=job.source.key)
        error = self.fails.get(job.model)
        if error is None or (error.startswith(ONCE) and tried):
            return
        if error.startswith(UNTIL_REPLAYED) and ":replay-" in job.execution:
            return
        if error == EXIT:
            os._exit(1)
        name = error.removeprefix(ONCE).removeprefix(UNTIL_REPLAYED)
        raise leaves(PipelineError)[name](f"{job.model} was told to fail")


def _read(store: ArtifactStore, place: Location) -> bytes | None:
    try:
        return store.read(place)
    except KeyError:
        return None
