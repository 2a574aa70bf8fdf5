"""JPEG: keep only the segments that the pixels need, limit the scans, detect missing ones."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageFile, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo.limits import MAX_EXIF_BYTES, MAX_SCANS, counted

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_EXIF: Final = b"Exif\0\0"
_END, _SCAN, _COMMENT, _APP1 = 0xD9, 0xDA, 0xFE, 0xE1
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_SCANS_END: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_LONE: Final = {0x01, 0xD8, *range(0xD0, 0xD8)}  # markers without a length or a body
_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SUPPORTED: Final = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # Huffman, arithmetic; progressive or not
_APPLICATION: Final = range(0xE0, 0xF0)
# Application segments a decoder needs: JFIF's resolution, EXIF, colour profile, Adobe's colours.
_USED: Final = {0xE0: b"", _APP1: _EXIF, 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_ARITHMETIC: Final = {0xC9, 0xCA}
# More scan data, which decoders ignore after the last row. Bits that change a picture wherever its
# data ends, and whatever marker a file with restart markers goes on with.
_FILLING: Final = b"".join(b"\xdd" * 256 + bytes([0xFF, 0xD0 + number % 8]) for number in range(9))
_LOOKAHEAD: Final = bytes(8)  # decoders read so far ahead, and zeros where there is no data
_LARGE: Final = 2**20  # pixels; of fewer, decoding again takes no time
_SECOND_COPY: Final = 4  # bytes per pixel of the picture that `is_complete` decodes
_COEFFICIENT: Final = 2  # bytes
_FREQUENCIES: Final = 64  # coefficients of a block
_ALL: Final = (1 << _FREQUENCIES) - 1


class _Segment(NamedTuple):
    """Bytes `start` to `end` of the file, scan data included; `marker` is the byte after 0xFF."""

    marker: int
    start: int
    end: int


def prepare(content: bytes) -> bytes:
    """Remove comments, previews, editors' notes, junk and everything after the end of the picture.

    Raises UnsupportedMedia for a lossless, hierarchical or 12-bit JPEG; MediaTooLarge for more than
    `MAX_SCANS` scans or `MAX_PARTS` segments; CorruptMedia if the last scans are missing.
    """
    kept, scans, exif_bytes = [_SOI], 0, 0
    missing: dict[int, int] = {}
    for segment in _segments(content):
        marker = segment.marker
        body = content[segment.start + 4 : segment.start + 16]
        if marker in _FRAMES and (marker not in _SUPPORTED or body[:1] > b"\x08"):
            raise UnsupportedMedia("unsupported JPEG coding: lossless, hierarchical or 12-bit")
        if marker in _FRAMES:
            missing |= dict.fromkeys(_components(content, segment), _ALL)
        if marker == _SCAN:
            _note_scan(content, segment, missing)
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            raise MediaTooLarge(f"more than {MAX_SCANS} JPEG scans")
        if marker in _APPLICATION and not (marker in _USED and body.startswith(_USED[marker])):
            continue
        if marker == _APP1:
            exif_bytes += segment.end - segment.start
        if marker != _COMMENT and (marker != _APP1 or exif_bytes <= MAX_EXIF_BYTES):
            kept.append(content[segment.start : segment.end])
    if scans and any(missing.values()):
        raise CorruptMedia("damaged JPEG: its last scans are missing")
    return b"".join(kept)


def is_complete(image: ImageFile.ImageFile, content: bytes) -> bool:
    """Return False if the file has less scan data than the decoded picture needs.

    Decoders fill missing blocks with middle grey, and what a progressive scan would refine stays
    blurred. Where either is possible, the file is decoded again with more scan data: only an
    incomplete picture changes. Of a large photo in one scan, the last few bytes may be missing.
    """
    large = image.width * image.height > _LARGE
    if large and isinstance(image, _Jpeg) and image.ending:
        return True
    return not _changes(image, _with_more_data(content))


def opened(_name: str, content: bytes) -> ImageFile.ImageFile:
    """Open a prepared file; raise UnidentifiedImageError if its header is damaged."""
    # The decoder of arithmetic coding cannot wait for more bytes.
    waits = content.endswith(_EOI) and _ARITHMETIC.isdisjoint(_frames(content))
    try:
        image = _Jpeg(io.BytesIO(content.removesuffix(_EOI) if waits else content))
    except (SyntaxError, IndexError, TypeError, struct.error) as fault:
        raise UnidentifiedImageError(str(fault)) from fault
    image.ending = (_LOOKAHEAD, _EOI) if waits else ()
    return image


class _Jpeg(JpegImageFile):
    """A file whose end the decoder gets after it asked for more than all other bytes.

    Until then it draws no row for which data is missing, and with the last row it stops asking:
    what is left of `ending` says that the photo was drawn without its end marker. A file in several
    scans is always read to the end.
    """

    ending: tuple[bytes, ...] = ()

    def load_read(self, read_bytes: int) -> bytes:
        """Return the next bytes of the file, then its ending."""
        assert self.fp is not None  # noqa: S101 - Pillow opens the file first
        content = self.fp.read(read_bytes)
        if content or not self.ending:
            return content
        following, *rest = self.ending
        self.ending = tuple(rest)
        return following


def extra_bytes(image: ImageFile.ImageFile, coded_pixels: int) -> int:
    """Return the memory for the second decoding, and for a progressive file's coefficients."""
    second_copy = image.width * image.height * _SECOND_COPY
    if not image.info.get("progressive"):
        return second_copy
    return second_copy + coded_pixels * len(image.getbands()) * _COEFFICIENT


def _segments(content: bytes) -> Iterator[_Segment]:
    at = len(_SOI)
    for _ in counted("JPEG segments"):
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


def _components(content: bytes, segment: _Segment) -> bytes:
    """Return the numbers of a frame's components."""
    header = content[segment.start + 4 : segment.end]
    return header[6::3][: header[5]] if len(header) > 5 else b""


def _note_scan(content: bytes, segment: _Segment, missing: dict[int, int]) -> None:
    """Clear the bits of the coefficients that this scan completes, from 0 to 63, by component.

    A scan has a range of coefficients; progressive scans halve their steps, down to 2⁰ at the end.
    """
    header = content[segment.start + 4 : segment.end]
    count = header[0] if header else 0
    first, last, steps = (*header[1 + 2 * count : 4 + 2 * count], 0, 0, 0)[:3]
    if steps & 15 == 0:
        done = (1 << min(last + 1, _FREQUENCIES)) - (1 << min(first, _FREQUENCIES))
        for component in header[1 : 1 + 2 * count : 2]:
            missing[component] = missing.get(component, 0) & ~done


def _frames(content: bytes) -> Iterator[int]:
    """Yield the markers of the frames in front of the first scan."""
    for segment in _segments(content):
        if segment.marker == _SCAN:
            return
        if segment.marker in _FRAMES:
            yield segment.marker


def _with_more_data(content: bytes) -> bytes:
    head, end, tail = content.rpartition(_EOI)
    return head.rstrip(b"\xff") + _FILLING + end + tail


def _changes(image: ImageFile.ImageFile, content: bytes) -> bool:
    """Return True if `content`, decoded at the same scale, differs from `image`."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as other:
        (scale, *_) = (*image.decoderconfig, 1)
        other.draft(None, (other.width // scale, other.height // scale))
        other.load()
        return ImageChops.difference(image, other).getbbox(alpha_only=False) is not None
