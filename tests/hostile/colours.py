"""Files that state colours, or hold several pictures, in unusual or damaged ways."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tifffile

from pipeline.photo.colour.spaces import ADOBE_RGB
from tests.hostile.case import Case, bad, good, picture, saved
from tests.pipeline.photo.handmade import (
    PNG,
    chunk,
    header,
    png,
    rows,
    tiff,
    tiff_entries,
)
from tests.pipeline.photo.pictures import HEIGHT, WIDTH, drawn

ADOBE: Final = ADOBE_RGB.profile() or b""
_PRIMARIES: Final = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
_STATEMENTS: Final = {
    "cICP": chunk(b"cICP", b"\x0c\x0d\0\1"),
    "cICP of nothing": chunk(b"cICP", b"\xff\xff\0\1"),
    "cICP of YCbCr": chunk(b"cICP", b"\1\1\1\1"),
    "gAMA": chunk(b"gAMA", struct.pack(">I", 50_000)),
    "gAMA of the largest number": chunk(b"gAMA", b"\xff" * 4),
    "gAMA of one byte": chunk(b"gAMA", b"\1"),
    "cHRM": chunk(b"cHRM", _PRIMARIES),
    "cHRM of the largest numbers": chunk(b"cHRM", b"\xff" * 32),
    "all of them": chunk(b"cHRM", _PRIMARIES) + chunk(b"gAMA", b"\0\1\0\0") + chunk(b"sRGB", b"\0"),
}  # fmt: skip
_EXIF: Final = (  # ColorSpace 2
    b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x1a\0\0\0\0\0\0\0"
    b"\1\0\1\xa0\3\0\1\0\0\0\2\0\0\0\0\0\0\0"
)


def cases() -> Iterator[Case]:
    for name, chunks in _STATEMENTS.items():
        yield good(f"PNG with {name}", partial(png, before=chunks))
    for name, transfer in {"PQ": 16, "HLG": 18}.items():
        stated = chunk(b"cICP", bytes([9, transfer, 0, 1]))
        yield bad(f"PNG in {name}", partial(png, before=stated), "UnsupportedMedia")
    narrow = chunk(b"cICP", b"\1\x0d\0\0")
    yield bad("PNG of video levels", partial(png, before=narrow), "UnsupportedMedia")
    yield from _tiffs()


def pages(*pixels: npt.NDArray[Any], below: bool = False, **options: Any) -> bytes:
    """Return a TIFF of a preview and what follows it, or lies below it."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        preview, lower = drawn()[::8, ::8], len(pixels) if below else None
        writer.write(preview, photometric="rgb", metadata=None, subfiletype=1, subifds=lower)
        for page in pixels:
            writer.write(page, **({"photometric": "rgb", "metadata": None} | options))
    return buffer.getvalue()


def _tiffs() -> Iterator[Case]:
    planes, deep = np.moveaxis(drawn(), 2, 0), drawn().astype(np.uint16) * 257
    yield good("TIFF, preview first", partial(pages, drawn()))
    yield good("TIFF, preview above", partial(pages, drawn(), below=True))
    yield good("TIFF, planes", partial(pages, planes, planarconfig="separate"))
    deep_planes = partial(pages, np.moveaxis(deep, 2, 0), planarconfig="separate")
    yield good("TIFF, planes of 16 bits", deep_planes)
    mosaic = partial(pages, drawn()[..., 0], below=True, photometric=32803)
    yield bad("TIFF, a camera's mosaic", mosaic, "UnsupportedMedia")
    signed = partial(pages, drawn().astype(np.int16)[..., 0], photometric="minisblack")
    yield bad("TIFF of signed numbers", signed, "UnsupportedMedia")
    strip = drawn().tobytes()
    for name, change in {
        "itself below": {"t330": (4, [8])},
        "a thousand below": {"t330": (4, [8] * 1000)},
        "white of nothing": {"t318": (5, [0, 0]), "t319": (5, [0] * 6)},
        "a curve of nothing": {"t301": (3, [0] * 256)},
        "a curve of ten entries": {"t301": (3, [1] * 10)},
        "a palette that it does not use": {"t320": (3, [1] * 768)},
    }.items():
        tags = tiff_entries(len(strip), t254=(4, [1]), **change)
        yield good(f"TIFF with {name}", partial(tiff, tags, strip))


def _deep_key() -> bytes:
    deep = (drawn().astype(np.uint16) * 257).astype(">u2")
    size, key = header(WIDTH, HEIGHT, depth=16), chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))
    return PNG + size + key + chunk(b"IDAT", zlib.compress(rows(deep))) + chunk(b"IEND", b"")


def _extended_gif() -> bytes:
    plain = saved(picture().quantize(16), "GIF")
    at = 13 + (3 << (plain[10] & 7) + 1)
    blocks = b"\xff" + ADOBE[:255] + bytes([len(ADOBE) - 255]) + ADOBE[255:] + b"\0"
    return plain[:at] + b"!\xff\x0bICCRGBG1012" + blocks + plain[at:]


def _bmp(version: int) -> bytes:
    """Return a BMP with colours in its header, and a profile behind its pixels."""
    plain, size = saved(picture(), "BMP"), {4: 108, 5: 124}[version]
    kind = b"\0\0\0\0" if version == 4 else b"DEBM"
    ends = struct.pack("<9i", *(round(part * 2**30) for part in (0.68, 0.32, 0, 0.265, 0.69, 0.045,
                                                                0.15, 0.06, 0.79)))  # fmt: skip
    head = struct.pack("<I", size) + plain[18:54] + bytes(16) + kind + ends
    head += struct.pack("<3I", *[round(1.8 * 2**16)] * 3)
    head += struct.pack("<4I", 4, size + WIDTH * HEIGHT * 3, len(ADOBE), 0)[: 16 * (version - 4)]
    return plain[:10] + struct.pack("<I", 14 + size) + head + plain[54:] + ADOBE


SEEDS: Final = (
    png(before=_STATEMENTS["cICP"] + _STATEMENTS["all of them"]),
    png(before=_STATEMENTS["gAMA"] + _STATEMENTS["cHRM"]),
    _deep_key(),
    pages(drawn(), below=True),
    pages(drawn(), drawn()[..., ::-1]),
    pages(np.moveaxis(drawn(), 2, 0).astype(np.uint16), planarconfig="separate"),
    tiff(tiff_entries(WIDTH * HEIGHT * 3, t301=(3, list(range(0, 65536, 256))),
                      t318=(5, [3127, 3290]), t319=(5, [6800, 3200, 2650, 6900, 1500, 600])),
         drawn().tobytes()),
    saved(picture(), "JPEG", exif=_EXIF),
    _extended_gif(),
    _bmp(4),
    _bmp(5),
)  # fmt: skip
