"""A JPEG's segments, without those that say nothing about its pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.errors import MediaTooLarge, UnsupportedMedia
from pipeline.photo.limits import MOST_EXIF_BYTES, MOST_SCANS, counted

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_EXIF: Final = b"Exif\0\0"
_END, _SCAN = 0xD9, 0xDA
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_SCANS_END: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_LONE: Final = {0x01, 0xD8, *range(0xD0, 0xD8)}  # markers with nothing behind them
_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_READ: Final = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # of those, Huffman or arithmetic, sequential or not
# Application segments a decoder needs: JFIF's resolution, orientation, profile, Adobe's colours.
_USED: Final = {0xE0: b"", 0xE1: _EXIF, 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
# Nothing a coder writes: where a picture is complete, no decoder gets to see it.
_FILLING: Final = bytes(range(1, 255)) * 2


class _Segment(NamedTuple):
    """From `start` to `end`, scan data included. `marker` is the byte after 0xFF."""

    marker: int
    start: int
    end: int


def trim_jpeg(content: bytes) -> bytes:
    """The file less comments, previews, editors' notes, junk and whatever follows its end.

    UnsupportedMedia for a coding nobody's camera writes, MediaTooLarge for endless scans.
    """
    kept, scans, exif = [_SOI], 0, 0
    for segment in _segments(content):
        marker = segment.marker
        body = content[segment.start + 4 : segment.start + 16]
        if marker in _FRAMES and (marker not in _READ or body[:1] > b"\x08"):
            raise UnsupportedMedia("a lossless, hierarchical or 12-bit JPEG")
        scans += marker == _SCAN
        if scans > MOST_SCANS:
            raise MediaTooLarge(f"a JPEG of more than {MOST_SCANS} scans")
        if 0xE0 <= marker < 0xF0 and not (marker in _USED and body.startswith(_USED[marker])):
            continue
        if marker == 0xE1:
            exif += segment.end - segment.start
        if marker != 0xFE and (marker != 0xE1 or exif <= MOST_EXIF_BYTES):
            kept.append(content[segment.start : segment.end])
    return b"".join(kept)


def overfill(content: bytes) -> bytes:
    """The same JPEG with bytes before its end that only an incomplete picture would decode."""
    head, end, tail = content.rpartition(_EOI)
    return head + _FILLING + end + tail


def _segments(content: bytes) -> Iterator[_Segment]:
    at = len(_SOI)
    for _ in counted("segments"):
        found = _MARKER.search(content, at)
        if found is None:
            return
        start, marker = found.start(), content[found.start() + 1]
        at = _end_of(content, start, marker)
        if marker not in _LONE:
            yield _Segment(marker, start, at)
        if marker == _END:
            return


def _end_of(content: bytes, start: int, marker: int) -> int:
    if marker in _LONE or marker == _END:
        return start + 2
    end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    if marker != _SCAN:
        return end
    found = _SCANS_END.search(content, end)
    return found.start() if found else len(content)
