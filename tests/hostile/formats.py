"""The same picture in every mode and variant of every format that is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image

from tests.hostile.case import Case, bad, good, picture, saved
from tests.pictures import Pixels
from tests.pipeline.photo.handmade import interlaced_png, sixteen_bit_png
from tests.pipeline.photo.pictures import FAITHFULLY, drawn, exif, noise

TOLERANCES: Final = {
    "JPEG": 4,
    "PNG": 0,
    "WEBP": 0,
    "TIFF": 0,
    "BMP": 0,
    "GIF": 2,
    "AVIF": 4,
    "HEIC": 2,
}
MODES: Final = {
    "JPEG": ("1", "L", "RGB", "CMYK", "YCbCr", "RGBX"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("L", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I;16", "I"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "AVIF": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "HEIC": ("L", "LA", "RGB", "RGBA"),
}
LOSSY_MODES: Final = {"YCbCr": 8, "LAB": 12}
FEW_COLOURS: Final = {("GIF", "RGBA"): 12}
TIFF_COMPRESSIONS: Final = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "jpeg")
ORIENTATIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def cases() -> Iterator[Case]:
    for picture_format, modes in MODES.items():
        for mode in modes:
            yield _of_mode(picture_format, mode)
    yield from _variants()
    for picture_format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC"):
        for orientation, stored in ORIENTATIONS.items():
            yield _turned(picture_format, orientation, stored)
    lossy = partial(saved, picture(), "WEBP", quality=95)
    yield good("WEBP lossy", lossy, tolerance=12)
    floats = Image.fromarray(grey().astype(np.float32) / 255)
    yield bad("TIFF of floating point", partial(saved, floats, "TIFF"), "UnsupportedMedia")
    for picture_format in ("PPM", "TGA", "PCX", "ICO", "JPEG2000", "DDS", "SGI", "PDF"):
        file = partial(saved, picture(), picture_format)
        yield bad(f"{picture_format}, unsupported", file, "UnsupportedMedia")


def grey() -> Pixels:
    return np.asarray(picture().convert("L"))


def in_mode(mode: str) -> Image.Image:
    """Return `drawn` in another mode, opaque."""
    if mode == "I;16":
        return Image.fromarray(grey().astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(grey().astype(np.int32) * 257)
    if mode in {"P", "PA"}:
        few = picture().quantize(8)
        return few if mode == "P" else few.convert("PA")
    return picture().convert(mode, dither=Image.Dither.NONE)


def _of_mode(picture_format: str, mode: str) -> Case:
    image = in_mode(mode)
    options = FAITHFULLY[picture_format]
    seen = drawn()
    if mode in {"L", "LA", "I;16", "I"}:
        seen = np.repeat(grey()[..., None], 3, axis=2)
    if mode == "1":
        seen = np.asarray(image.convert("RGB"))
    lost = LOSSY_MODES.get(mode, 0), FEW_COLOURS.get((picture_format, mode), 0)
    tolerance = max(TOLERANCES[picture_format], *lost)
    file = partial(saved, image, picture_format, **options)
    return good(f"{picture_format} {mode}", file, seen=seen, tolerance=tolerance)


def _variants() -> Iterator[Case]:
    rgb = picture()
    for quality in (100, 90):
        variants: dict[str, dict[str, Any]] = {
            "progressive": {"progressive": True}, "optimised": {"optimize": True},
            "restart markers": {"restart_marker_rows": 1}, "4:2:0": {"subsampling": 2},
            "own tables": {"qtables": "web_high"},
        }  # fmt: skip
        for name, options in variants.items():
            file = partial(saved, rgb, "JPEG", **{"quality": quality, "subsampling": 0, **options})
            yield good(f"JPEG {name}, quality {quality}", file, tolerance=30)
    for compression in TIFF_COMPRESSIONS:
        file = partial(saved, rgb, "TIFF", compression=compression)
        yield good(f"TIFF {compression}", file, tolerance=20 if compression == "jpeg" else 0)
    group4 = partial(saved, in_mode("1"), "TIFF", compression="group4")
    yield good("TIFF fax", group4, seen=np.asarray(in_mode("1").convert("RGB")))
    big = Image.fromarray((grey().astype(np.uint16) * 257).astype(">u2"))
    seen = np.repeat(grey()[..., None], 3, axis=2)
    yield good("TIFF big-endian, 16 bits", partial(saved, big, "TIFF"), seen=seen)
    yield good("TIFF big", partial(saved, rgb, "TIFF", big_tiff=True))
    yield good("PNG interlaced", partial(interlaced_png, drawn()))
    yield good("PNG of 16 bits a channel", partial(sixteen_bit_png, drawn()))
    for picture_format in ("PNG", "WEBP", "GIF", "TIFF", "MPO", "AVIF", "HEIC"):
        frames = {"save_all": True, "append_images": [noise(), noise()]}
        options = FAITHFULLY["JPEG" if picture_format == "MPO" else picture_format]
        file = partial(saved, rgb, picture_format, **options, **frames)
        tolerance = 4 if picture_format in {"MPO", "GIF", "AVIF", "HEIC"} else 0
        yield good(f"{picture_format} of three frames", file, tolerance=tolerance)


def _turned(picture_format: str, orientation: int, stored: Image.Transpose) -> Case:
    def file() -> bytes:
        # Pillow takes the orientation out of the Exif that an AVIF is saved with.
        options = FAITHFULLY[picture_format] | {"exif": exif(orientation)}
        return saved(picture().transpose(stored), picture_format, **options)

    return good(
        f"{picture_format} turned by {orientation}", file, tolerance=TOLERANCES[picture_format]
    )
