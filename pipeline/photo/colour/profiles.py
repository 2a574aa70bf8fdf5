"""Convert pixels between colour profiles and sRGB, with littlecms."""

from __future__ import annotations

import functools
import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Colour = tuple[int, int, int]

_SPACE: Final = slice(16, 20)  # the bytes of a profile that name its colour space
_SPACES: Final = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_FAULTS: Final = (OSError, ImageCms.PyCMSError)
_LEVELS: Final = 256
# A colour is stored in a profile if readers see it within this many levels of 255, in sRGB.
_NEAR: Final = 2
# The two ways in which readers convert to the screen.
_READERS: Final = (ImageCms.Intent.PERCEPTUAL, ImageCms.Intent.RELATIVE_COLORIMETRIC)
_STEPS: Final = 6  # of each channel, where a profile is compared with sRGB


def is_of(icc_profile: bytes | None, mode: str) -> bool:
    """Return True if this is a readable colour profile for pixels of `mode`: RGB, L or CMYK."""
    if not icc_profile or icc_profile[_SPACE] != _SPACES[mode]:
        return False
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    except _FAULTS:
        return False
    return True


def to_srgb(
    icc_profile: bytes,
    mode: str,
    *,
    intent: ImageCms.Intent = ImageCms.Intent.PERCEPTUAL,
    exactly: bool = False,
) -> ImageCms.ImageCmsTransform | None:
    """Return a transform from pixels of `mode` to sRGB; None if the profile has none.

    littlecms simplifies transforms of grey: dark levels of a steep curve are up to ten levels off,
    except with `exactly`.
    """
    flags = ImageCms.Flags.NOOPTIMIZE if exactly else ImageCms.Flags.NONE
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB", intent, flags)
    except _FAULTS:
        return None


def applied(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> npt.NDArray[Any]:
    """Return a converted picture as H×W×3."""
    return np.asarray(ImageCms.applyTransform(picture, transform))


def grey_levels(transform: ImageCms.ImageCmsTransform) -> npt.NDArray[np.uint8]:
    """Return the sRGB of every 16-bit grey level, 65,536×3, from a transform of 8-bit grey."""
    coarse = applied(transform, Image.fromarray(np.arange(_LEVELS, dtype=np.uint8)[None]))[0]
    fine, known = np.arange(2**16), np.arange(_LEVELS) * 257
    columns = [np.interp(fine, known, coarse[:, channel]) for channel in range(3)]
    return np.round(np.stack(columns, axis=1)).astype(np.uint8)


def from_srgb(colour: Colour, icc_profile: bytes) -> Colour | None:
    """Return the numbers of an sRGB colour in a profile of RGB.

    None if the profile converts in one direction only, or if a reader of the numbers would see
    another colour: one outside of its range, or between two of its levels.
    """
    if not differs_from_srgb(icc_profile):
        return colour
    asked = Image.new("RGB", (1, 1), colour)
    relative = ImageCms.Intent.RELATIVE_COLORIMETRIC
    try:
        target = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        transform = ImageCms.buildTransform(_srgb(), target, "RGB", "RGB", relative)
        stored = Image.fromarray(applied(transform, asked))
    except _FAULTS:
        return None
    for intent in _READERS:
        back = to_srgb(icc_profile, "RGB", intent=intent)
        if back is None or _difference(applied(back, stored), np.asarray(asked)) > _NEAR:
            return None
    red, green, blue = np.asarray(stored)[0, 0].tolist()
    return red, green, blue


def differs_from_srgb(icc_profile: bytes) -> bool:
    """Return True if colours in a profile of RGB are visibly different from the same in sRGB."""
    transform = to_srgb(icc_profile, "RGB")
    if transform is None:
        return False
    levels = np.linspace(0, 255, _STEPS).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return _difference(applied(transform, Image.fromarray(grid)), grid) > _NEAR


def _difference(these: npt.NDArray[Any], those: npt.NDArray[Any]) -> int:
    return int(np.abs(these.astype(int) - those.astype(int)).max())


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
