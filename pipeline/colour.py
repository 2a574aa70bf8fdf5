"""Whatever colours a photo came in, as 8-bit RGB, its alpha apart."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pipeline.errors import UnsupportedMedia

Pixels = npt.NDArray[np.uint8]

_SIXTEEN_BIT: Final = {"I;16", "I;16L", "I;16B", "I;16N", "I"}
_WITH_ALPHA: Final = {"RGBA", "RGBa", "LA", "La", "PA"}
_GREY: Final = {"1", "L", "LA", "La"}


def separate(image: Image.Image) -> tuple[Pixels, Pixels | None, bytes | None]:
    """Split into H×W×3 RGB, H×W alpha or None, and the profile that still describes the RGB."""
    icc_profile = image.info.get("icc_profile")
    if image.mode == "F":
        raise UnsupportedMedia("its pixels are floating-point numbers")
    if image.mode in _SIXTEEN_BIT:
        return np.repeat(_eight_bit(image)[..., None], 3, axis=2), None, None
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        alpha = np.asarray(with_alpha.getchannel("A"))
        if image.mode in _GREY:
            return np.asarray(_to_srgb(image.convert("L"), icc_profile)), alpha, None
        return np.asarray(with_alpha.convert("RGB")), alpha, icc_profile
    if image.mode == "RGB":
        return np.asarray(image), None, icc_profile
    if image.mode in {"RGBX", "P"}:
        return np.asarray(image.convert("RGB")), None, icc_profile
    return np.asarray(_to_srgb(image, icc_profile)), None, None


def _eight_bit(image: Image.Image) -> Pixels:
    """Scale 16-bit grey to 8 bits, H×W."""
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > 0xFFFF:
        raise UnsupportedMedia("its pixels are deeper than 16 bits")
    return ((deep * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8)


def _to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Grey, CMYK, YCbCr or Lab to RGB, through the embedded profile where it can be read."""
    source = _readable_profile(icc_profile) if image.mode in {"CMYK", "L"} else None
    if source is None:
        return image.convert("RGB")
    srgb = ImageCms.createProfile("sRGB")
    try:
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except ImageCms.PyCMSError:  # the profile describes another colour space than the pixels
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")


def _readable_profile(icc_profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if not icc_profile:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    except (OSError, ImageCms.PyCMSError):
        return None
