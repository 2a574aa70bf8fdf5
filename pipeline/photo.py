"""Untrusted bytes to pixels, and pixels to bytes.

The content decides what a file is, never its name. Size is checked from the header before a pixel
is decoded. EXIF orientation is applied, 16-bit grey is scaled to 8 (not clipped), CMYK and Lab go
through their colour profile to sRGB, RGB keeps the profile it came with. Every other piece of
metadata, position included, stops here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.colour import Pixels, separate
from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.png import encode_png

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Header", "Photo", "Pixels", "decode", "encode", "probe"]

MAX_BYTES: Final = 100 * 2**20
MAX_PIXELS: Final = 100_000_000

# Pillow warns above its own limit and refuses at twice that; ours is checked in `_opened`.
Image.MAX_IMAGE_PIXELS = None

_SIGNATURES: Final = (
    ("JPEG", "image/jpeg", (b"\xff\xd8\xff",)),
    ("PNG", "image/png", (b"\x89PNG\r\n\x1a\n",)),
    ("WEBP", "image/webp", (b"RIFF",)),
    ("TIFF", "image/tiff", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("BMP", "image/bmp", (b"BM",)),
    ("GIF", "image/gif", (b"GIF87a", b"GIF89a")),
)
_DECODE_FAULTS: Final = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError,
    AttributeError, struct.error, zlib.error,
)  # fmt: skip
# Pillow's own words. WebP's "fast" is still smaller than any PNG of the same pixels.
_SETTINGS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("webp", "fast"): {"lossless": True, "method": 0, "quality": 0},
    ("webp", "small"): {"lossless": True, "method": 4, "quality": 75},
    ("png", "small"): {"compress_level": 9},
}
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Header(NamedTuple):
    """What the header says; width and height in pixels after EXIF rotation."""

    media_type: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo, upright. `rgb` is H×W×3; `alpha` is H×W where the file carried one."""

    rgb: Pixels
    alpha: Pixels | None
    icc_profile: bytes | None
    dpi: tuple[float, float] | None

    def on_white(self) -> Pixels:
        """The picture a viewer would show, H×W×3: what an input alpha hides is white."""
        if self.alpha is None:
            return self.rgb
        white = Image.new("RGB", self.alpha.shape[::-1], "white")
        white.paste(Image.fromarray(self.rgb), mask=Image.fromarray(self.alpha))
        return np.asarray(white)


def probe(content: bytes) -> Header:
    """Read the header alone. UnsupportedMedia, CorruptMedia or MediaTooLarge if it will not do."""
    with _opened(content) as image:
        width, height = image.size
        # Pillow reports a TIFF's size after rotation, every other format's before it.
        if image.format == "PNG":
            _read_png_exif(image, content)
        if image.format != "TIFF" and _orientation(image) in {5, 6, 7, 8}:
            width, height = height, width
    return Header(_signature(content)[1], width, height)


def decode(content: bytes, *, least_side: int | None = None) -> Photo:
    """Decode the first frame to upright 8-bit RGB, with the alpha the file carried.

    With `least_side`, a JPEG may come at ½, ¼ or ⅛ of its size: no side below that many pixels.
    """
    with _opened(content) as image, _named_corrupt(content):
        if least_side is not None:
            image.draft(None, (least_side, least_side))
        image.load()
        dpi = image.info.get("dpi")
        turn = _UPRIGHT.get(_orientation(image))
        upright = image.transpose(turn) if turn is not None else image
        rgb, alpha, icc_profile = separate(upright)
    return Photo(rgb, alpha, icc_profile, _two_floats(dpi))


def encode(
    pixels: Pixels,
    *,
    picture_format: str,
    effort: str = "fast",
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Lossless PNG or WebP of H×W grey, H×W×3 RGB or H×W×4 straight-alpha RGBA pixels.

    The same pixels either way: `small` takes about ten times as long as `fast`.
    """
    if picture_format == "png" and effort == "fast":
        return encode_png(pixels, icc_profile=icc_profile, dpi=dpi)
    settings = _SETTINGS[picture_format, effort] | ({"dpi": dpi} if dpi else {})
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, picture_format, icc_profile=icc_profile, **settings)
    return buffer.getvalue()


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    if len(content) > MAX_BYTES:
        raise MediaTooLarge(f"{len(content):,} bytes; the limit is {MAX_BYTES:,}")
    name, _ = _signature(content)
    with _named_corrupt(content):
        image = Image.open(io.BytesIO(content), formats=[name])
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise MediaTooLarge(f"{width} × {height} pixels; the limit is {MAX_PIXELS:,} in all")
        yield image


@contextmanager
def _named_corrupt(content: bytes) -> Iterator[None]:
    try:
        yield
    except UnsupportedMedia:
        raise
    except _DECODE_FAULTS as fault:
        name, _ = _signature(content)
        if name == "TIFF" and isinstance(fault, UnidentifiedImageError):
            raise UnsupportedMedia("a TIFF of a kind nobody shoots, such as 16-bit RGB") from fault
        raise CorruptMedia(f"it begins like a {name} and then breaks: {fault}") from fault


def _signature(content: bytes) -> tuple[str, str]:
    """Pillow's name of the format and its media type, from the first bytes."""
    for name, media_type, starts in _SIGNATURES:
        if content.startswith(starts) and (name != "WEBP" or content[8:12] == b"WEBP"):
            return name, media_type
    if not content:
        raise UnsupportedMedia("the object is empty")
    raise UnsupportedMedia(f"its first bytes, {content[:8].hex(' ')}, are not those of a photo")


def _read_png_exif(image: Image.Image, content: bytes) -> None:
    """Find a PNG's EXIF chunk, which may follow the pixels: Pillow would decode them to see."""
    image.info.setdefault("exif", b"")
    start = len(b"\x89PNG\r\n\x1a\n")
    while start + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        if kind == b"eXIf":
            image.info["exif"] = content[start + 8 : start + 8 + length]
        start += length + 12


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where the tag is absent or the EXIF block is broken."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except _DECODE_FAULTS:
        return 1


def _two_floats(dpi: object) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # Pillow reports 1 for a TIFF that states none.
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None
