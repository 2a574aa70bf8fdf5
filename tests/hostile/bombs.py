"""Small files that unpack to large data, or take a decoder hours."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from PIL import Image

from pipeline.photo.heif.boxes import box, full_box
from pipeline.photo.limits import MAX_BYTES, MAX_PARTS, MAX_SCANS
from tests.hostile.case import NEVER_A_PHOTO, Case, bad, good, picture, saved
from tests.hostile.truncations import jpeg_boundaries
from tests.pipeline.photo.handmade import (
    PNG,
    chunk,
    header,
    png,
    riff,
    tiff,
    tiff_entries,
    webp_canvas,
)
from tests.pipeline.photo.heif.files import Item, coded, file, grid
from tests.pipeline.photo.pictures import WIDTH, drawn, noise

LARGE: Final = "MediaTooLarge"
_MEBIBYTE: Final = 2**20


def cases() -> Iterator[Case]:
    yield from _of_pixels()
    yield from _of_metadata()
    yield from _of_parts()
    yield from _of_frames()
    yield from _of_boxes()


def zeros(mebibytes: int) -> bytes:
    """Return zero bytes, deflated to a thousandth of their size."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(_MEBIBYTE)) for _ in range(mebibytes)]
    return b"".join([*parts, packer.flush()])


def promising_png(width: int, height: int) -> bytes:
    """Return a PNG whose header states a size, without pixels."""
    size = header(width, height, depth=1, colour=0)
    return PNG + size + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _of_pixels() -> Iterator[Case]:
    for width, height in ((10_000, 10_001), (2**31 - 1, 2**31 - 1), (100_000_000, 1), (1, 65_536)):
        yield bad(f"PNG of {width}×{height}", partial(promising_png, width, height), LARGE)
    gif, bmp = bytearray(saved(picture(), "GIF")), bytearray(saved(picture(), "BMP"))
    gif[6:10] = b"\xff" * 4
    yield bad("GIF with the largest screen", partial(bytes, gif), LARGE)
    bmp[18:26] = struct.pack("<II", 40_000, 40_000)
    yield bad("BMP of 40,000²", partial(bytes, bmp), LARGE)
    jpeg = bytearray(saved(picture(), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    yield bad("JPEG of 65,535²", partial(bytes, jpeg), LARGE)
    still = saved(picture(), "WEBP", lossless=True)
    for side in (10_001, 60_000, 2**24):
        yield bad(f"WEBP on a canvas of {side}²", partial(webp_canvas, side, side, still), LARGE)
    for side in (16_000, 30_000):
        tile = tiff_entries(0, t322=(4, [side]), t323=(4, [side]), t324=(4, [-1]), t325=(4, [9]))
        kept = {tag: entry for tag, entry in tile.items() if tag not in {273, 278, 279}}
        yield bad(f"TIFF in tiles of {side}²", partial(tiff, kept, b"tile data"), LARGE)
    wide = tiff_entries(9, t256=(4, [2**32 - 1]))
    yield bad("TIFF of the largest width", partial(tiff, wide, bytes(9)), LARGE)
    packed = zlib.compress(drawn().tobytes() + bytes(64 * _MEBIBYTE), 1)
    strip = tiff_entries(len(packed), t259=(3, [8]))
    yield good("TIFF strip that unpacks to 64 MiB", partial(tiff, strip, packed))
    more = zlib.compress(b"".join(b"\0" + row.tobytes() for row in drawn()) + bytes(64 * _MEBIBYTE))
    yield good("PNG with 64 MiB after its last row", partial(png, idat=more))


def _of_metadata() -> Iterator[Case]:
    bomb = zeros(200)
    yield bad("PNG profile of 200 MiB", partial(png, before=chunk(b"iCCP", b"x\0\0" + bomb)), LARGE)
    for kind, head in {b"zTXt": b"x\0\0", b"iTXt": b"x\0\1\0\0\0"}.items():
        text = chunk(kind, head + bomb)
        yield good(f"PNG {kind.decode()} of 200 MiB", partial(png, before=text))
        yield good(f"PNG {kind.decode()} of 200 MiB at its end", partial(png, after=text))
    many = chunk(b"zTXt", b"x\0\0" + zeros(1)) * 500
    yield good("PNG with 500 texts of a mebibyte", partial(png, before=many))
    exif = chunk(b"eXIf", b"II*\0\x08\0\0\0" + bytes(40 * _MEBIBYTE))
    yield good("PNG with EXIF of 40 MiB", partial(png, before=exif))
    jpeg = saved(picture(), "JPEG", quality=95)
    for name, mark, body in (
        ("EXIF", b"\xff\xe1", b"Exif\0\0II*\0\x08\0\0\0"),
        ("profiles", b"\xff\xe2", b"ICC_PROFILE\0\1\1"), ("comments", b"\xff\xfe", b""),
        ("XMP", b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0"),
    ):  # fmt: skip
        segment = mark + b"\xff\xff" + body.ljust(65_533, b"x")
        file = jpeg[:2] + segment * 300 + jpeg[2:]
        yield good(f"JPEG with 20 MB of {name}", partial(bytes, file), tolerance=20)
    profile = partial(saved, picture(), "JPEG", quality=95, icc_profile=bytes(4 * _MEBIBYTE))
    yield good("JPEG with 4 MiB in place of a profile", profile, tolerance=20)
    note = tiff_entries(3 * WIDTH * 64, t700=(1, [0] * 3_000_000))
    yield good("TIFF with a note of 3 MB", partial(tiff, note, drawn().tobytes()))


def _of_parts() -> Iterator[Case]:
    many = chunk(b"abCd", b"") * (MAX_PARTS + 1)
    yield bad("PNG of 100,001 chunks", partial(png, before=many), LARGE)
    yield bad("PNG of 100,001 chunks after its pixels", partial(png, after=many), LARGE)
    jpeg = saved(picture(), "JPEG", quality=95)
    segments = jpeg[:2] + b"\xff\xfe\0\2" * (MAX_PARTS + 1) + jpeg[2:]
    yield bad("JPEG of 100,001 segments", partial(bytes, segments), LARGE)
    junk = jpeg[:20] + bytes(30 * _MEBIBYTE) + jpeg[20:]
    yield good("JPEG with 30 MiB of junk", partial(bytes, junk), tolerance=20)
    progressive = saved(picture(), "JPEG", progressive=True)
    *_, start, _, _, end, _, _, stop, _ = jpeg_boundaries(progressive)
    scans = progressive[:stop] + progressive[start:stop] * (MAX_SCANS + 1) + progressive[stop:]
    yield bad("JPEG of 111 scans", partial(bytes, scans), LARGE)
    assert end > start
    strips = tiff_entries(9, t273=(4, [8] * 1_100_000), t279=(4, [0] * 1_100_000))
    yield bad("TIFF of 1,100,000 strips", partial(tiff, strips, b""), LARGE)
    tags = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + struct.pack("<Q", 2**40) + bytes(4000)
    yield bad("BigTIFF of 2⁴⁰ tags", partial(bytes, tags), LARGE, "UnsupportedMedia")
    yield bad("TIFF of 65,535 empty tags", _empty_tags, "UnsupportedMedia", "CorruptMedia")
    yield bad("one byte more than 100 MiB", partial(bytes, MAX_BYTES + 1), LARGE)


def _empty_tags() -> bytes:
    return b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 65_535 + 4)


def _of_frames() -> Iterator[Case]:
    small = [noise(8, 8)] * 2_000
    yield good(
        "TIFF of 2,001 frames",
        partial(saved, picture(), "TIFF", save_all=True, append_images=small),
    )
    frames = [Image.new("P", (WIDTH, 64), index % 9) for index in range(400)]
    gif = partial(saved, picture().quantize(8), "GIF", save_all=True, append_images=frames)
    yield good("GIF of 401 frames", gif, tolerance=2)
    webp = {"save_all": True, "append_images": [noise()] * 100, "lossless": True, "exact": True}
    yield good("WEBP of 101 frames", partial(saved, picture(), "WEBP", **webp))
    whole = drawn().tobytes()
    file = bytearray(tiff(tiff_entries(len(whole)), whole))
    struct.pack_into("<I", file, 8 + 2 + 9 * 12, 8)
    yield good("TIFF whose next directory is its first", partial(bytes, file))
    still = saved(picture(), "WEBP", lossless=True, exact=True)
    notes = b"".join(riff(b"NOTE", b"x") for _ in range(50_000))
    webp_body = still[8:] + notes
    yield good(
        "WEBP with 50,000 notes",
        partial(bytes, b"RIFF" + struct.pack("<I", len(webp_body)) + webp_body),
    )


def _of_boxes() -> Iterator[Case]:
    tile = coded(noise(64, 64), "HEIC")
    for columns, rows, side in ((256, 256, 64), (256, 255, 65_535), (64, 65, 4096)):
        many = grid(columns, rows, side, side, [1] * min(columns * rows, 65_535))
        content = file([tile, many], primary=2)
        yield bad(f"HEIC of {columns * rows} tiles", partial(bytes, content), LARGE)
    itself = grid(2, 1, 128, 64, [1, 1])
    yield bad("HEIC whose grid is its own tile", partial(file, [itself]), "UnsupportedMedia")
    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    for name, description in _descriptions(tile).items():
        content = head + description
        yield bad(f"HEIC with {name}", partial(bytes, content), LARGE, *NEVER_A_PHOTO)


def _descriptions(tile: Item) -> dict[str, bytes]:
    nested = b""
    for _ in range(5_000):
        nested = box(b"ipco", nested)
    again = struct.pack(">HHHH", 1, 0, 0, 60_000) + struct.pack(">II", 0, 900) * 60_000
    return {
        "boxes in boxes, 5,000 deep": full_box(b"meta", box(b"iprp", nested)),
        "100,001 boxes": full_box(b"meta", box(b"free") * (MAX_PARTS + 1)),
        "2³² places": full_box(b"meta", box(b"iloc", b"\2\0\0\0\0\0" + b"\xff" * 4)),
        "2³² places of nothing": full_box(
            b"meta", box(b"iloc", b"\2\0\0\0\0\0" + b"\xff" * 4 + bytes(2_000_000))
        ),
        "2³² properties": full_box(
            b"meta", box(b"iprp", full_box(b"ipma", b"\xff" * 4 + bytes(9_000_000)))
        ),
        "131,070 references": full_box(
            b"meta", full_box(b"iref", box(b"dimg", b"\0\1\xff\xff" + bytes(131_070)) * 2)
        ),
        "the same bytes 60,000 times": full_box(
            b"meta",
            full_box(b"pitm", b"\0\1"),
            full_box(b"iinf", b"\0\1", box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")),
            box(
                b"iprp",
                box(b"ipco", *tile.properties),
                full_box(b"ipma", struct.pack(">IHB", 1, 1, 3), b"\1\2\3"),
            ),
            box(b"iloc", b"\1\0\0\0" + struct.pack(">HH", 0x4400, 1), again),
        ),
        "a box of 2⁶⁴ bytes": struct.pack(">I4sQ", 1, b"meta", 2**64 - 1),
        "a box of one byte": struct.pack(">I4sQ", 1, b"meta", 1),
        "a box of seven bytes": struct.pack(">I4s", 7, b"meta"),
        "a box to its end": struct.pack(">I4s", 0, b"meta"),
    }
