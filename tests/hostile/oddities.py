"""Unusual sizes, files of other formats, and files valid in two formats at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image

from tests.hostile.case import Case, bad, good, picture, saved
from tests.pipeline.photo.handmade import chunk, png
from tests.pipeline.photo.icc import colourless_press, linear_grey

SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
OTHER_FILES: Final = {
    "no bytes": b"", "one byte": b"\xff", "zeros": bytes(4096), "text": b"once upon a time",
    "SVG": SVG, "SVG with a declaration": b'<?xml version="1.0"?>' + SVG,
    "HTML": b"<!doctype html>",
    "SVG of entities": b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><svg>&c;</svg>',
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "ZIP": b"PK\x03\x04\x14\0\0\0\x08\0", "gzip": b"\x1f\x8b\x08\0", "ELF": b"\x7fELF\2\1\1",
    "EXE": b"MZ\x90\0", "MP4": b"\0\0\0\x18ftypisom",
    "WAV": b"RIFF\x24\0\0\0WAVEfmt ", "PSD": b"8BPS\0\1", "JPEG XL": b"\xff\x0a\xfa\x1f",
    "a TIFF of unknown byte order": b"IM*\0\x08\0\0\0", "pickle": b"\x80\x04\x95",
    "BOM": b"\xef\xbb\xbf",
}  # fmt: skip
SIGNATURES: Final = {
    "JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF\0\0\0\0WEBP",
    "GIF": b"GIF89a", "TIFF": b"II*\0", "BMP": b"BM",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
}  # fmt: skip
SIZES: Final = ((1, 1), (2, 1), (1, 2), (3, 3), (1, 20_000), (20_000, 1), (7, 4_001), (65_535, 1))


def cases() -> Iterator[Case]:
    for name, content in OTHER_FILES.items():
        yield bad(name, partial(bytes, content), "UnsupportedMedia")
    ends = ("CorruptMedia", "UnsupportedMedia", "MediaTooLarge")
    for name, signature in SIGNATURES.items():
        rests = {"nothing": b"", "zeros": bytes(99), "nine more times": signature * 9}
        for rest_name, rest in rests.items():
            file = partial(bytes, signature + rest)
            yield bad(f"a {name}'s first bytes and {rest_name}", file, *ends)
    yield from _of_odd_size()
    yield from _of_one_colour()
    yield from _of_two_formats()
    yield from _coloured()


def _of_odd_size() -> Iterator[Case]:
    for width, height in SIZES:
        bright = np.full((height, width, 3), 250, dtype=np.uint8)
        file = partial(saved, Image.fromarray(bright), "PNG")
        yield Case(f"white, {width}×{height}", file, drawn=bright)
    wide = Image.new("RGB", (17_000, 2), (250, 250, 250))
    too_wide = frozenset({"MediaTooLarge"})
    options = {"format": "webp"}
    yield Case("wider than WebP allows", partial(saved, wide, "PNG"), too_wide, options=options)


def _of_one_colour() -> Iterator[Case]:
    for level in (0, 1, 100, 128):
        grey = Image.new("RGB", (80, 60), (level, level, level))
        yield bad(f"all of level {level}", partial(saved, grey, "PNG"), "NoSubject")
        yield bad(f"all of level {level}, JPEG", partial(saved, grey, "JPEG"), "NoSubject")
    for mode in ("RGBA", "LA"):
        clear = Image.new("RGBA", (80, 60), (255, 255, 255, 0)).convert(mode)
        yield bad(f"all transparent, {mode}", partial(saved, clear, "PNG"), "NoSubject")
    index = Image.new("P", (80, 60), 0)
    yield bad("all transparent, P", partial(saved, index, "PNG", transparency=0), "NoSubject")
    hidden = picture().convert("RGBA")
    hidden.putalpha(0)
    yield bad("a subject that is all transparent", partial(saved, hidden, "PNG"), "NoSubject")


def _of_two_formats() -> Iterator[Case]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.txt", "not a photo")
    appended = {
        "a ZIP": archive.getvalue(),
        "a PDF": b"%PDF-1.7",
        "HTML": b"<script>alert(1)</script>",
        "itself": None,
    }
    for name, extra in appended.items():
        for kind, options in {"PNG": {}, "JPEG": {"quality": 95}, "GIF": {}, "BMP": {}}.items():
            photo = saved(picture(), kind, **options)
            content = photo + (photo if extra is None else extra)
            yield good(f"{kind} followed by {name}", partial(bytes, content), tolerance=20)
    script = chunk(b"tEXt", b"Comment\0<?php system($_GET['c']); ?>")
    yield good("PNG with a script in a text", partial(png, before=script))
    comment = partial(saved, picture(), "JPEG", quality=95, comment=b"*/=alert(1)/*")
    yield good("JPEG with a script in its comment", comment, tolerance=20)
    yield bad(
        "a PDF with a JPEG in it",
        partial(bytes, b"%PDF-1.7\n" + saved(picture(), "JPEG")),
        "UnsupportedMedia",
    )
    gifar = b"GIF89a/*" + bytes(90)
    yield bad("a GIF that is a script", partial(bytes, gifar), "CorruptMedia", "MediaTooLarge")


def _coloured() -> Iterator[Case]:
    """Attach profiles that are damaged or of another colour space: the photo is still processed."""
    written: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 95}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True, "exact": True},
    }  # fmt: skip
    profiles = {
        "noise": bytes(range(256)) * 9,
        "one byte": b"x",
        "grey's": linear_grey(),
        "press's": colourless_press(),
    }
    for name, profile in profiles.items():
        for kind, options in written.items():
            file = partial(saved, picture(), kind, icc_profile=profile, **options)
            tolerance = 20 if kind == "JPEG" else 0
            yield good(f"{kind} with a profile of {name}", file, tolerance=tolerance)
    loop = b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\0\0\0\0"
    blocks = {"nothing": b"", "noise": b"Exif\0\0" + bytes(range(200)), "a loop": loop}
    for name, block in blocks.items():
        file = partial(saved, picture(), "JPEG", quality=95, exif=block)
        yield good(f"JPEG with EXIF of {name}", file, tolerance=20)
