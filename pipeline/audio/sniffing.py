"""Tell from a file's first bytes which of FFmpeg's demuxers reads its sound.

The content decides, not the name, and FFmpeg is never asked to guess: it knows hundreds of
formats, among them texts that name other files to open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

Demuxer = Literal["wav", "w64", "mp3", "aac", "flac", "ogg", "mov", "matroska", "asf"]

HEAD_BYTES: Final = 65_536  # as many first bytes as `sniff` makes use of

_FOREIGN_BRANDS: Final = rb"he[iv][cmsx]|avi[fos]|mi(?:f[12]|af)|msf1"  # photos: HEIC and AVIF
_SIGNATURES: Final[Mapping[Demuxer, bytes]] = {
    # Not RIFX, its twin of the other byte order: FFmpeg takes its samples for noise.
    "wav": rb"(?:RIFF|RF64|BW64).{4}WAVE",
    "w64": rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0.{8}wave",
    "flac": rb"fLaC",
    "ogg": rb"OggS\0",
    "mov": rb".{4}ftyp(?!%s)" % _FOREIGN_BRANDS,
    "matroska": rb"\x1a\x45\xdf\xa3.{,4096}?\x42\x82[\x80-\x88](?:matroska|webm)",
    "asf": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
}
# QuickTime files of before 2001 say nothing of themselves: they begin with one of these boxes.
_BOXES: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_TELLING_BOXES: Final = frozenset({b"moov", b"mdat"})
# One frame's header may be chance. A recording of a broadcast begins within a frame; there, more
# frames must follow.
_LEAST_FRAMES: Final = 2
_LEAST_LATER_FRAMES: Final = 4
_LONGEST_FRAME: Final = 8_191  # bytes; the length of an AAC frame has 13 bits
_ID3: Final = re.compile(rb"ID3[\x02-\x04].(.)([\0-\x7f]{4})", re.DOTALL)
_ID3_HEADER: Final = 10  # bytes, as many as a footer's
_HAS_FOOTER: Final = 0x10

# MPEG audio (ISO 11172-3, 13818-3 and "2.5"): kilobits a second, by version (1, others) and layer.
_KILOBITS: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {
    3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000),
}  # fmt: skip


class _Frame(NamedTuple):
    """One frame of MPEG audio: its bytes, and what all frames of a file have in common."""

    length: int
    kind: tuple[int, ...]


_ReadFrame = Callable[[bytes], _Frame | None]


def sniff(head: bytes) -> Demuxer | None:
    """Return FFmpeg's name of the demuxer for a recording or film; None if it is neither.

    `head` has the first `HEAD_BYTES` of the file, or all of it. What begins with tags (ID3v2) that
    are longer is taken for MP3.
    """
    sound = _after_tags(head)
    if sound is not head and not sound:
        return "mp3"
    for name, signature in _SIGNATURES.items():
        if re.match(signature, sound, re.DOTALL):
            return name
    if _is_quicktime(sound):
        return "mov"
    streams: tuple[tuple[Demuxer, _ReadFrame], ...] = (("aac", _adts_frame), ("mp3", _mpeg_frame))
    for name, read_frame in streams:
        if _has_frames(sound, read_frame):
            return name
    return None


def _after_tags(head: bytes) -> bytes:
    """Return what follows the ID3v2 tags, if there are any."""
    at = 0
    while tag := _ID3.match(head, at):
        size = sum(byte << shift for byte, shift in zip(tag[2], (21, 14, 7, 0), strict=True))
        at += _ID3_HEADER + size + (_ID3_HEADER if tag[1][0] & _HAS_FOOTER else 0)
    return head[at:] if at else head


def _is_quicktime(head: bytes) -> bool:
    at = 0
    while (kind := head[at + 4 : at + 8]) in _BOXES:
        if kind in _TELLING_BOXES:
            return True
        at += max(8, int.from_bytes(head[at : at + 4], "big"))
    return False


def _has_frames(head: bytes, read_frame: _ReadFrame) -> bool:
    """Return True if frames of one kind follow each other, each where the last one ends."""
    if _follow(head, 0, read_frame, least=_LEAST_FRAMES):
        return True
    at = head.find(b"\xff", 1, _LONGEST_FRAME)
    while at > 0 and not _follow(head, at, read_frame, least=_LEAST_LATER_FRAMES):
        at = head.find(b"\xff", at + 1, _LONGEST_FRAME)
    return at > 0


def _follow(head: bytes, at: int, read_frame: _ReadFrame, *, least: int) -> bool:
    kinds: list[tuple[int, ...]] = []
    while len(kinds) < least and (frame := read_frame(head[at : at + 8])):
        at += frame.length
        kinds.append(frame.kind)
    return len(kinds) == least and len(set(kinds)) == 1


def _mpeg_frame(header: bytes) -> _Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or not 1 <= bitrate <= 14 or rate == 3:
        return None
    kilobits = _KILOBITS[1 if version == 3 else 2, layer][bitrate - 1]
    hertz = _RATES[version][rate]
    if layer == 1:
        length = (12_000 * kilobits // hertz + padding) * 4
    else:
        halved = layer == 3 and version != 3
        length = (72_000 if halved else 144_000) * kilobits // hertz + padding
    return _Frame(length, (version, layer, rate))


def _adts_frame(header: bytes) -> _Frame | None:
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate = header[2] >> 2 & 15
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate > 12 or length < 7:
        return None
    return _Frame(length, (header[1], header[2]))
