"""What a photo file is made of, measured before a decoder sees any of it.

A decoder obeys its input: it unpacks every text, walks through every scan and makes room for every
canvas it is told of. So a file's parts are counted first, and what says nothing about its pixels is
left out: no parser ever gets to see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.errors import UnsupportedMedia
from pipeline.photo.jpeg import trim_jpeg
from pipeline.photo.limits import require_size
from pipeline.photo.png import trim_png
from pipeline.photo.tiff import require_few_pieces

_SIGNATURES: Final[dict[str, tuple[bytes, ...]]] = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "WEBP": (b"RIFF",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
}


def identify(content: bytes) -> str:
    """Pillow's name of the format, from the first bytes; UnsupportedMedia if it is none of ours."""
    for name, starts in _SIGNATURES.items():
        if content.startswith(starts) and (name != "WEBP" or content[8:12] == b"WEBP"):
            return name
    if not content:
        raise UnsupportedMedia("the object is empty")
    raise UnsupportedMedia(f"its first bytes, {content[:8].hex(' ')}, are not those of a photo")


def trim(content: bytes, name: str) -> bytes:
    """The parts of a file (of Pillow's format `name`) that its pixels need.

    MediaTooLarge or UnsupportedMedia if there are more of them than a photo has.
    """
    return _TRIMMERS[name](content) if name in _TRIMMERS else content


def _measure_webp(content: bytes) -> bytes:
    """Require the canvas to be of a size we decode: the decoder makes room for it on opening."""
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        require_size(width, height)
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        require_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        require_size(width, height)
    return content


def _measure_tiff(content: bytes) -> bytes:
    require_few_pieces(content)
    return content


_TRIMMERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "JPEG": trim_jpeg,
    "PNG": trim_png,
    "TIFF": _measure_tiff,
    "WEBP": _measure_webp,
}
