"""Convert a decoded picture of any mode to upright 8-bit RGB, and its alpha.

One strip of rows at a time, each written to its place in the result: apart from the decoder's copy
of the photo there is never more than one other.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pipeline.errors import UnsupportedMedia

Pixels = npt.NDArray[np.uint8]

_SIXTEEN_BIT: Final = {"I;16", "I;16L", "I;16B", "I;16N", "I"}
_WITH_ALPHA: Final = {"RGBA", "RGBa", "LA", "La", "PA"}
_GREY: Final = {"1", "L", "LA", "La"}
_RGB: Final = {"RGB", "RGBX", "RGBA", "RGBa", "P", "PA"}
_STRIP_PIXELS: Final = 2**18
# From an upright array to a view of it in the file's orientation, by EXIF orientation.
_AS_STORED: Final[dict[int, Callable[[Pixels], Pixels]]] = {
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: upright[::-1].swapaxes(0, 1),
}
SIDEWAYS: Final = {5, 6, 7, 8}  # EXIF orientations that swap width and height
_SPACE: Final = slice(16, 20)  # the bytes of a profile that name its colour space


class Colours(NamedTuple):
    """H×W×3 RGB, H×W alpha or None, and the colour profile of the RGB or None."""

    rgb: Pixels
    alpha: Pixels | None
    icc_profile: bytes | None


def separate(image: Image.Image, *, orientation: int = 1) -> Colours:
    """Convert a decoded picture to 8-bit RGB and alpha, turned upright by its EXIF orientation.

    Raises UnsupportedMedia for floating-point pixels, or grey levels beyond 16 bits.
    """
    if image.mode == "F":
        raise UnsupportedMedia("unsupported pixel format: floating point")
    icc_profile = image.info.get("icc_profile")
    transparent = image.mode in _WITH_ALPHA or "transparency" in image.info
    has_alpha = transparent and image.mode not in _SIXTEEN_BIT
    read = _reader("PA" if has_alpha and image.mode == "P" else image.mode, icc_profile)
    rgb, rgb_as_stored = _canvas(image, orientation, 3)
    alpha, alpha_as_stored = _canvas(image, orientation) if has_alpha else (None, None)
    for rows, strip in strips(image):
        rgb_as_stored[rows] = read(strip)
        if alpha_as_stored is not None:
            alpha_as_stored[rows] = np.asarray(strip.convert("RGBA").getchannel("A"))
    kept = image.mode in _RGB and _is_of(icc_profile, b"RGB ")
    return Colours(rgb, alpha, icc_profile if kept else None)


def strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Yield a picture in strips of about a quarter of a megapixel, each with its rows."""
    step = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _canvas(image: Image.Image, orientation: int, *channels: int) -> tuple[Pixels, Pixels]:
    """Return an empty upright array, and a view of it in the file's orientation."""
    shape = image.size if orientation in SIDEWAYS else image.size[::-1]
    upright: Pixels = np.empty((*shape, *channels), dtype=np.uint8)
    as_stored = _AS_STORED.get(orientation)
    return upright, as_stored(upright) if as_stored else upright


def _reader(mode: str, icc_profile: bytes | None) -> Callable[[Image.Image], Any]:
    """Return a function from a strip of this mode to h×w×3 RGB, through the profile if usable."""
    if mode in _SIXTEEN_BIT:
        return lambda strip: _eight_bit(strip)[..., None]
    inks = "CMYK" if mode == "CMYK" else "L" if mode in _GREY else None
    transform = _to_srgb(inks, icc_profile) if inks else None
    if inks is not None and transform is not None:
        return lambda strip: np.asarray(ImageCms.applyTransform(strip.convert(inks), transform))
    if mode in {"LA", "La"}:
        return lambda strip: np.asarray(strip.convert("L"))[..., None]
    if mode == "RGB":
        return np.asarray
    if mode in _WITH_ALPHA:
        return lambda strip: np.asarray(strip.convert("RGBA").convert("RGB"))
    return lambda strip: np.asarray(strip.convert("RGB"))


def _eight_bit(image: Image.Image) -> Pixels:
    """Scale 16-bit grey to 8 bits, H×W."""
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 0xFFFF:
        raise UnsupportedMedia(
            f"grey levels from {deep.min()} to {deep.max()}; the limits are 0 and {0xFFFF}"
        )
    return ((deep * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8)


def _to_srgb(mode: str, icc_profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """Return a transform to sRGB; None if the profile is damaged or of another colour space."""
    if not _is_of(icc_profile, b"CMYK" if mode == "CMYK" else b"GRAY"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile or b""))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None


def _is_of(icc_profile: bytes | None, space: bytes) -> bool:
    """Return True if this is a readable colour profile of `space` (four letters)."""
    if not icc_profile or icc_profile[_SPACE] != space:
        return False
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    except (OSError, ImageCms.PyCMSError):
        return False
    return True
