"""Untrusted bytes to pixels, and pixels to bytes.

The content decides what a file is, never its name. Its parts and its size are measured before a
pixel is decoded, and so is the memory it takes. EXIF orientation is applied, 16-bit grey is scaled
to 8 (not clipped), CMYK and Lab go through their colour profile to sRGB, RGB keeps the profile it
came with. Every other piece of metadata, position included, stops here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from pipeline.errors import CorruptMedia, MediaTooLarge, OutOfMemory, UnsupportedMedia
from pipeline.photo.colour import Pixels, separate, strips
from pipeline.photo.completeness import require_complete
from pipeline.photo.limits import decoding_bytes, require_bytes, require_size
from pipeline.photo.parts import identify, trim
from pipeline.photo.png_writer import encode_png

__all__ = ["Header", "Photo", "Pixels", "Reserve", "decode", "encode", "probe", "unlimited"]

# Pillow warns above its own limit and refuses at twice that; ours are in `limits`.
Image.MAX_IMAGE_PIXELS = None

_ALLOCATION_FAILURES: Final = ("out of memory", "decoder error -9")
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
_WEBP_SIDE: Final = 16_383


Reserve = Callable[[int], None]


def unlimited(_bytes: int) -> None:
    """There is always more memory."""


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
        seen = np.empty_like(self.rgb)
        alpha = Image.fromarray(self.alpha)
        for rows, strip in strips(alpha):
            white = Image.new("RGB", strip.size, "white")
            white.paste(Image.fromarray(self.rgb[rows]), mask=strip)
            seen[rows] = np.asarray(white)
        return seen


def probe(content: bytes) -> Header:
    """Read the header alone. UnsupportedMedia, CorruptMedia or MediaTooLarge if it will not do."""
    with _opened(content) as opened:
        image = opened.image
        width, height = image.size
        # Pillow reports a TIFF's size after rotation, every other format's before it.
        if opened.name != "TIFF" and _orientation(image) in {5, 6, 7, 8}:
            width, height = height, width
    return Header(f"image/{opened.name.lower()}", width, height)


def decode(content: bytes, *, least_side: int | None = None, reserve: Reserve = unlimited) -> Photo:
    """Decode the first frame to upright 8-bit RGB, with the alpha the file carried.

    With `least_side`, a JPEG may come at ½, ¼ or ⅛ of its size: no side below that many pixels.
    Before a pixel is decoded, `reserve` is told how many bytes it takes, and may refuse.
    """
    with _opened(content) as (name, lean, image), _named_corrupt(name):
        coded = image.size
        if least_side is not None:
            image.draft(None, (least_side, least_side))
        reserve(decoding_bytes(image, coded))
        image.load()
        require_complete(image, lean, name)
        rgb, alpha, icc_profile = separate(image, orientation=_orientation(image))
        return Photo(rgb, alpha, icc_profile, _two_floats(image.info.get("dpi")))


def encode(
    pixels: Pixels,
    *,
    picture_format: str,
    effort: str = "fast",
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Lossless PNG or WebP of H×W grey, H×W×3 RGB or H×W×4 straight-alpha RGBA pixels.

    The same pixels either way: `small` takes about ten times as long as `fast`. MediaTooLarge where
    the format has no room for them.
    """
    height, width = pixels.shape[:2]
    if picture_format == "webp" and max(height, width) > _WEBP_SIDE:
        raise MediaTooLarge(
            f"{width} × {height} pixels; a WebP has at most {_WEBP_SIDE:,} on a side: take PNG"
        )
    if picture_format == "png" and effort == "fast":
        return encode_png(pixels, icc_profile=icc_profile, dpi=dpi)
    settings = _SETTINGS[picture_format, effort] | ({"dpi": dpi} if dpi else {})
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, picture_format, icc_profile=icc_profile, **settings)
    return buffer.getvalue()


class _Opened(NamedTuple):
    """Pillow's name of the format, what of the file it is given, and what it makes of it."""

    name: str
    lean: bytes
    image: ImageFile.ImageFile


@contextmanager
def _opened(content: bytes) -> Iterator[_Opened]:
    require_bytes(len(content))
    name = identify(content)
    lean = trim(content, name)
    with _named_corrupt(name):
        image = Image.open(io.BytesIO(lean), formats=[name])
    with image:
        require_size(*image.size)
        if name == "PNG":
            image.info.setdefault("exif", b"")  # or Pillow decodes the pixels to look behind them
        yield _Opened(name, lean, image)


@contextmanager
def _named_corrupt(name: str) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as fault:
        if name == "TIFF":
            raise UnsupportedMedia("a TIFF of a kind nobody shoots, such as 16-bit RGB") from fault
        raise CorruptMedia(f"it begins like a {name}, but its header makes no sense") from fault
    except _DECODE_FAULTS as fault:
        if any(sign in str(fault) for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"the {name} decoder: {fault}") from fault
        raise CorruptMedia(f"it begins like a {name} and then breaks: {fault}") from fault


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
