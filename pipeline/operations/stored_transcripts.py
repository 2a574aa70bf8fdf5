"""Read transcripts where they are stored, one at a time: in a folder, or in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.contracts.transcript_files import SUFFIXES
from pipeline.operations.phrases import SaidWord

MOST_BYTES: Final = 128 * 2**20  # twelve hours of fast speech in Chinese have half as many
_SUFFIX: Final = SUFFIXES["transcript"]
# Limits of a word, far above what a transcript has: a file may be anybody's.
_LONGEST_WORD: Final = 4_000  # characters
_MOST_S: Final = 1e6


class NotATranscript(Exception):
    """The file is named as a transcript, but cannot be read as one; the message says why."""


class _Word(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    word: Annotated[str, Field(max_length=_LONGEST_WORD)]
    start: Annotated[float, Field(ge=0, le=_MOST_S)]
    speaker: str | None = None


class _Document(BaseModel):
    word_segments: tuple[_Word, ...]


@dataclass(frozen=True)
class StoredTranscript:
    """A file or object named as a transcript: its path or address, and its size in bytes."""

    name: str
    size: int
    read: Callable[[], bytes] = field(repr=False)

    def words(self) -> tuple[SaidWord, ...]:
        """Return all words in order. Raises NotATranscript."""
        if self.size > MOST_BYTES:
            raise NotATranscript(f"it has {self.size:,} bytes; at most {MOST_BYTES:,} are read")
        try:
            document = _Document.model_validate_json(self.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            reason = f"{where}: {first['msg']}" if where else first["msg"]
            raise NotATranscript(f"it is not a transcript in JSON: {reason}") from None
        return tuple(
            SaidWord(each.word, each.start, each.speaker) for each in document.word_segments
        )


def transcripts_in_folder(folder: Path) -> Iterator[StoredTranscript]:
    """Yield the transcripts in a folder and in all folders below it, by name."""
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        if path.is_file():
            yield stored_file(path)


def stored_file(path: Path) -> StoredTranscript:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(MOST_BYTES)
        except OSError as error:
            raise NotATranscript(f"it cannot be read: {error.strerror}") from error

    return StoredTranscript(str(path), path.stat().st_size, read)


def transcripts_in_bucket(s3: Any, bucket: str, prefix: str) -> Iterator[StoredTranscript]:  # noqa: ANN401 - clients are made at run time
    """Yield the transcripts whose keys begin with a prefix, in S3's order."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for each in page.get("Contents", ()):
            if each["Key"].endswith(_SUFFIX):
                yield _stored_object(s3, bucket, each["Key"], each["Size"])


def _stored_object(s3: Any, bucket: str, key: str, size: int) -> StoredTranscript:  # noqa: ANN401
    def read() -> bytes:
        try:
            content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_BYTES)
        except s3.exceptions.NoSuchKey:
            raise NotATranscript("it has been deleted") from None
        except s3.exceptions.InvalidObjectState:
            raise NotATranscript("it is in an archive storage class; restore it first") from None
        return content

    return StoredTranscript(f"s3://{bucket}/{key}", size, read)
