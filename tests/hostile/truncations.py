"""Files of every format, truncated at every boundary, and closed again to look complete."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from tests.hostile.case import Case, bad, cut, picture, saved
from tests.pipeline.photo.handmade import (
    PNG,
    chunk,
    header,
    interlaced_png,
    png,
    rows,
    tiff,
    tiff_entries,
)
from tests.pipeline.photo.heif.files import coded, grid
from tests.pipeline.photo.heif.files import file as heif
from tests.pipeline.photo.pictures import WIDTH, drawn, noise

_SEGMENT: Final = re.compile(rb"\xff[\xc0-\xfe]")
_SCANS_END: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
MISSING: Final = "CorruptMedia"


def cases() -> Iterator[Case]:
    for name, file, boundaries in _files():
        for at in sorted({at for at in boundaries if 0 < at < len(file)}):
            yield cut(
                f"{name} cut at {at} of {len(file)}", partial(_beginning, file, at), tolerance=20
            )
    yield from _closed()


def _beginning(file: bytes, at: int) -> bytes:
    return file[:at]


def _files() -> Iterator[tuple[str, bytes, list[int]]]:
    jpeg = saved(picture(), "JPEG", quality=95, comment=b"hello", exif=b"Exif\0\0" + bytes(20))
    yield "JPEG", jpeg, jpeg_boundaries(jpeg)
    progressive = saved(picture(), "JPEG", progressive=True)
    yield "progressive JPEG", progressive, jpeg_boundaries(progressive)
    whole = png(before=chunk(b"tEXt", b"a\0b") + chunk(b"pHYs", bytes(9)))
    yield "PNG", whole, png_boundaries(whole)
    webp = saved(picture(), "WEBP", lossless=True, exif=b"Exif\0\0" + bytes(20))
    yield "WEBP", webp, riff_boundaries(webp)
    lossy = saved(picture(), "WEBP", quality=90)
    yield "lossy WEBP", lossy, riff_boundaries(lossy)
    strip = drawn().tobytes()
    plain = tiff(tiff_entries(len(strip)), strip)
    yield "TIFF", plain, [*range(2, 10, 2), *range(10, 10 + 9 * 12, 12), 118, 122, len(plain) - 1]
    lzw = saved(picture(), "TIFF", compression="tiff_lzw")
    yield "LZW TIFF", lzw, [8, 9, 60, len(lzw) // 2, len(lzw) - 1]
    bmp = saved(picture(), "BMP")
    yield "BMP", bmp, [2, 6, 10, 14, 18, 26, 30, 54, 55, 54 + 3 * WIDTH, len(bmp) - 1]
    gif = saved(picture(), "GIF", comment=b"hello")
    yield (
        "GIF",
        gif,
        [6, 10, 13, *(13 + gif.find(mark, 13) for mark in (b"!\xfe", b",\0\0")), *_tail(gif)],
    )

    for kind in ("HEIC", "AVIF"):
        still = tiled_drawing(kind)
        yield kind, still, [*box_boundaries(still), *_tail(still)]


def _tail(file: bytes) -> list[int]:
    return [len(file) * part // 8 for part in range(1, 8)] + [len(file) - 2, len(file) - 1]


def jpeg_boundaries(file: bytes) -> list[int]:
    """Return offsets before, inside and after every segment's header, and in each scan's data."""
    found, at = [], 2
    while match := _SEGMENT.match(file, at):
        start = match.start()
        if file[start + 1] == 0xD9:
            break
        end = start + 2 + int.from_bytes(file[start + 2 : start + 4], "big")
        found += [start, start + 2, start + 4, end]
        if file[start + 1] == 0xDA:
            scan_end = _SCANS_END.search(file, end)
            assert scan_end is not None
            found += [(end + scan_end.start()) // 2, scan_end.start() - 1]
            end = scan_end.start()
        at = end
    return [*found, at, at + 1]


def png_boundaries(file: bytes) -> list[int]:
    """Return offsets at a chunk's start, after its length and name, inside, before its checksum."""
    found, at = [4, 8], 8
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        found += [at, at + 4, at + 8, at + 8 + length // 2, at + 8 + length]
        at += 12 + length
    return found


def riff_boundaries(file: bytes) -> list[int]:
    """Return offsets at a chunk's start, after its name and length, inside, and at its end."""
    found, at = [4, 8, 12], 12
    while at < len(file):
        (length,) = struct.unpack_from("<I", file, at + 4)
        found += [at, at + 4, at + 8, at + 8 + length // 2, at + 8 + length]
        at += 8 + length + length % 2
    return found


def tiled_drawing(picture_format: str) -> bytes:
    """Return `drawn` in two tiles."""
    tiles = [picture().crop((left, 0, left + 64, 64)) for left in (0, 64)]
    whole = grid(2, 1, WIDTH, 64, (1, 2))
    return heif([*(coded(tile, picture_format) for tile in tiles), whole], primary=3)


def box_boundaries(file: bytes) -> list[int]:
    """Return offsets at each box's start, after its size and kind, inside, and at its end."""
    found, at = [], 0
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        found += [at, at + 4, at + 8, at + 8 + length // 3, at + length // 2, at + length]
        at += length
    return found


def _closed() -> Iterator[Case]:
    """Truncate files and close them again: a decoder fills in the rest, which is CorruptMedia."""
    for name, options in {
        "JPEG": {}, "JPEG in grey": {}, "JPEG of CMYK": {},
        "JPEG with restarts": {"restart_marker_rows": 1},
        "JPEG of 4:2:0": {"subsampling": 2},
    }.items():  # fmt: skip
        mode = {"JPEG in grey": "L", "JPEG of CMYK": "CMYK"}.get(name, "RGB")
        file = saved(noise().convert(mode), "JPEG", quality=95, **options)
        for part in (3, 5, 7):
            content = file[: len(file) * part // 8] + b"\xff\xd9"
            yield bad(f"{name}, {part}/8 of it, closed", partial(bytes, content), MISSING)
    tall = bytearray(saved(noise(), "JPEG"))
    at = tall.index(b"\xff\xc0") + 5
    tall[at : at + 2] = b"\x03\x00"
    yield bad("JPEG whose header states more rows", partial(bytes, tall), MISSING)
    stream = rows(drawn())
    for part in (1, 4, 7):
        short = zlib.compress(stream[: len(stream) * part // 8])
        yield bad(f"PNG with {part}/8 of its rows", partial(png, idat=short), MISSING)
    for passes in (1, 3, 6):
        yield bad(
            f"PNG with {passes} of 7 passes",
            partial(interlaced_png, drawn(), passes=passes),
            MISSING,
        )
    packed = zlib.compress(rows(np.asarray(noise())))
    for part in (1, 4, 7):
        half = PNG + header(WIDTH, 64) + chunk(b"IDAT", packed[: len(packed) * part // 8])
        yield bad(
            f"PNG, {part}/8 of its stream, closed",
            partial(bytes, half + chunk(b"IEND", b"")),
            MISSING,
        )
    webp = saved(noise(), "WEBP", quality=80)
    part_of_it = bytearray(webp[: len(webp) // 4 * 2])
    struct.pack_into("<I", part_of_it, 4, len(part_of_it) - 8)
    struct.pack_into("<I", part_of_it, 16, len(part_of_it) - 20)
    yield bad("WEBP, half of it with matching sizes", partial(bytes, part_of_it), MISSING)
    for kind in ("HEIC", "AVIF"):
        noisy = heif([coded(noise(128, 192), kind)])
        for part in (2, 8):
            content = noisy[: len(noisy) * (part - 1) // part].ljust(len(noisy), b"\0")
            yield bad(f"{kind}, zeros for 1/{part} of it", partial(bytes, content), MISSING)
    for interlace in (0, 1):
        gif = saved(noise().convert("L"), "GIF", interlace=interlace)
        for blocks in (1, 9):
            yield bad(
                f"GIF, {blocks} of its blocks, interlace {interlace}, closed",
                partial(_gif_of, gif, blocks),
                MISSING,
            )
    data = zlib.compress(drawn().tobytes()[: 3 * WIDTH * 20])
    entries = tiff_entries(len(data), t259=(3, [8]))
    yield bad("TIFF with 20 of 64 rows deflated", partial(tiff, entries, data), MISSING)


def _gif_of(gif: bytes, blocks: int) -> bytes:
    """Return a GIF with the first blocks of its pixels, closed."""
    at = gif.index(b",\0\0\0\0") + 11
    for _ in range(blocks):
        at += 1 + gif[at]
    return gif[:at] + b"\0;"
