"""Convert a decoded picture of any mode to upright 8-bit RGB, and its alpha.

One strip of rows at a time, each written to its place in the result: apart from the decoder's copy
of the photo there is never more than one other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour import profiles
from pipeline.photo.colour.deep_samples import alpha_of_key, deep_grey, eight_bit
from pipeline.photo.colour.meaning import Meaning, Statement

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


class Colours(NamedTuple):
    """H×W×3 RGB, H×W alpha or None, and the colour profile of the RGB or None."""

    rgb: Pixels
    alpha: Pixels | None
    icc_profile: bytes | None


def separate(
    image: Image.Image, meaning: Meaning, *, orientation: int = 1, in_srgb: bool = False
) -> Colours:
    """Convert a decoded picture to 8-bit RGB and alpha, turned upright by its EXIF orientation.

    RGB keeps its colour profile, or is converted from it with `in_srgb`. Raises UnsupportedMedia
    for floating-point pixels, or grey levels beyond 16 bits.
    """
    if image.mode == "F":
        raise UnsupportedMedia("unsupported pixel format: floating point")
    profile = _profile(image.mode, meaning.colours)
    alpha_of = _alpha_reader(image, meaning)
    carried = profile if image.mode in _RGB else None
    if carried and in_srgb:
        carried = None if profiles.differs_from_srgb(carried) else carried
    read = _reader(image, meaning, profile if carried is None else None)
    rgb, rgb_as_stored = _canvas(image, orientation, 3)
    alpha, alpha_as_stored = _canvas(image, orientation) if alpha_of else (None, None)
    for rows, strip in strips(image):
        rgb_as_stored[rows] = read(strip)
        if alpha_of is not None and alpha_as_stored is not None:
            alpha_as_stored[rows] = alpha_of(rows, strip)
    return Colours(rgb, alpha, carried)


def converted(rgb: Pixels, icc_profile: bytes) -> Pixels:
    """Return H×W×3 in sRGB; unchanged if the profile does not say how."""
    transform = profiles.to_srgb(icc_profile, "RGB")
    if transform is None:
        return rgb
    result = np.empty_like(rgb)
    for rows, strip in strips(Image.fromarray(rgb)):
        result[rows] = profiles.applied(transform, strip)
    return result


def strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Yield a picture in strips of about a quarter of a megapixel, each with its rows."""
    step = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _profile(mode: str, statements: tuple[Statement, ...]) -> bytes | None:
    """Return the profile of the first statement that fits pixels of `mode`; None for sRGB."""
    kind = _kind(mode)
    if kind is None:
        return None
    for stated in statements:
        if isinstance(stated, bytes):
            if profiles.is_of(stated, kind):
                return stated
        elif kind != "CMYK":
            return stated.profile(grey=kind == "L")
    return None


def _kind(mode: str) -> str | None:
    """Return the pixels that a profile must be of: RGB, L or CMYK; None for modes without one."""
    if mode in _GREY or mode in _SIXTEEN_BIT:
        return "L"
    return "RGB" if mode in _RGB else "CMYK" if mode == "CMYK" else None


def _canvas(image: Image.Image, orientation: int, *channels: int) -> tuple[Pixels, Pixels]:
    """Return an empty upright array, and a view of it in the file's orientation."""
    shape = image.size if orientation in SIDEWAYS else image.size[::-1]
    upright: Pixels = np.empty((*shape, *channels), dtype=np.uint8)
    as_stored = _AS_STORED.get(orientation)
    return upright, as_stored(upright) if as_stored else upright


def _reader(
    image: Image.Image, meaning: Meaning, icc_profile: bytes | None
) -> Callable[[Image.Image], Pixels]:
    """Return a function from a strip to h×w×3 RGB, through the profile if there is one."""
    mode = image.mode
    if mode == "P" and "transparency" in image.info:
        mode = "PA"
    kind = _kind(mode) or "RGB"  # no other mode has a profile
    # 8-bit grey with an ICC profile was always converted fast, and its cutouts stay the same bytes.
    exactly = kind == "L" and (mode in _SIXTEEN_BIT or icc_profile not in meaning.colours)
    transform = profiles.to_srgb(icc_profile, kind, exactly=exactly) if icc_profile else None
    if mode in _SIXTEEN_BIT:
        if transform is None:
            return lambda strip: eight_bit(deep_grey(strip, meaning))[..., None]
        levels = profiles.grey_levels(transform)
        return lambda strip: levels[deep_grey(strip, meaning)]
    plain = _plain_reader(mode)
    if transform is None:
        return plain
    if kind == "RGB":
        return lambda strip: profiles.applied(transform, Image.fromarray(plain(strip)))
    return lambda strip: profiles.applied(transform, _without_alpha(strip).convert(kind))


def _plain_reader(mode: str) -> Callable[[Image.Image], Pixels]:
    if mode in {"LA", "La"}:
        return lambda strip: np.asarray(_without_alpha(strip))[..., None]
    if mode == "RGB":
        return np.asarray
    if mode in _WITH_ALPHA:
        return lambda strip: np.asarray(strip.convert("RGBA").convert("RGB"))
    return lambda strip: np.asarray(strip.convert("RGB"))


def _without_alpha(strip: Image.Image) -> Image.Image:
    """Return grey, CMYK or one-bit pixels without their alpha, by which La is multiplied."""
    if strip.mode in {"LA", "La"}:
        return strip.convert("LA").convert("L")
    return strip


def _alpha_reader(
    image: Image.Image, meaning: Meaning
) -> Callable[[slice, Image.Image], Pixels] | None:
    """Return a function from rows and their strip to h×w alpha; None if the photo is opaque."""
    key = image.info.get("transparency")
    if image.mode in _SIXTEEN_BIT:
        if key is None:
            return None
        return lambda _, strip: np.where(np.asarray(strip) == key, 0, 255).astype(np.uint8)
    if meaning.key is not None and meaning.low_bytes is not None:
        return alpha_of_key(meaning.key, meaning.low_bytes())
    if image.mode == "La":
        return lambda _, strip: np.asarray(strip.convert("LA").getchannel("A"))
    if image.mode in _WITH_ALPHA or key is not None:
        return lambda _, strip: np.asarray(strip.convert("RGBA").getchannel("A"))
    return None
