"""Read an object once, from its first bytes to its last: what it is, its checksum, its measures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.artifacts import ArtifactStore, Location
from pipeline.audio import limits as audio_limits
from pipeline.audio.sniffing import HEAD_BYTES, sniff
from pipeline.contracts.contract import Source, SourcePhoto
from pipeline.contracts.transcript import SourceRecording
from pipeline.errors import OtherMedia, UnsupportedMedia
from pipeline.photo import limits as photo_limits
from pipeline.photo import pixels
from pipeline.photo.formats import FORMATS

_ANY_MEDIA: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {
    "wav": "audio/wav",
    "w64": "audio/x-w64",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "asf": "video/x-ms-asf",
}


class Content:
    """The bytes of an object, read once. `head` has the first `HEAD_BYTES`, or all of them."""

    def __init__(self, location: Location, store: ArtifactStore) -> None:
        self._chunks = store.stream(location)
        self._first = next(self._chunks, b"")
        self.head = self._first[:HEAD_BYTES]

    def chunks(self) -> Iterator[bytes]:
        """Yield the content from its beginning; it can be read once."""
        yield self._first
        yield from self._chunks


def require_own_media(kind: type[Source], head: bytes, location: Location, *, hand: bool) -> None:
    """Raise OtherMedia for a photo where a recording is expected, and the reverse.

    Raises UnsupportedMedia instead unless `hand`, and for what is expected to be a recording and is
    neither. `kind` is the type of the expected source; a kind without a format accepts any content.
    """
    expects_photo = issubclass(kind, SourcePhoto)
    if not expects_photo and not issubclass(kind, SourceRecording):
        return
    is_photo, is_recording = _is_photo(head), sniff(head) is not None
    if is_photo if expects_photo else is_recording:
        return
    found = "a recording" if is_recording else "a photo" if is_photo else ""
    if found and hand:
        raise OtherMedia(f"{location.uri} is {found}")
    if not head:
        raise UnsupportedMedia("the file is empty")
    if not expects_photo:
        raise UnsupportedMedia(
            f"neither a recording nor a film{f', but {found}' if found else ''} "
            f"(first bytes {head[:8].hex(' ') or 'none'})"
        )
    if found:
        raise UnsupportedMedia(f"not a photo, but {found}")


def require_bytes(kind: type[Source], count: int) -> None:
    """Raise MediaTooLarge if a file of `count` bytes is above the limit of its kind of media."""
    limits = audio_limits if issubclass(kind, SourceRecording) else photo_limits
    limits.require_bytes(count)


def measured(content: Content, kind: type[Source], name: str) -> Mapping[str, Any]:
    """Return checksum, size and media type of the content, and what else its kind has.

    A photo is held in memory; a recording may be larger than that.
    """
    digest, count, kept = hashlib.sha256(), 0, bytearray()
    for chunk in content.chunks():
        digest.update(chunk)
        count += len(chunk)
        if issubclass(kind, SourcePhoto):
            kept += chunk
    of_kind = _of_kind(bytes(kept), content.head, kind, name)
    return {"sha256": digest.hexdigest(), "bytes": count, **of_kind}


def _of_kind(photo: bytes, head: bytes, kind: type[Source], name: str) -> Mapping[str, Any]:
    if issubclass(kind, SourcePhoto):
        return pixels.probe(photo, name=name)._asdict()
    if issubclass(kind, SourceRecording):
        demuxer = sniff(head)
        return {"format": demuxer, "media_type": _MEDIA_TYPES[str(demuxer)]}
    return {"media_type": _ANY_MEDIA}


def _is_photo(head: bytes) -> bool:
    return any(each.signature.match(head) for each in FORMATS)
