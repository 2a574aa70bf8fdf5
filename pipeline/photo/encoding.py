"""Encode pixels as PNG, WebP, JPEG or AVIF."""

from __future__ import annotations

import io
from typing import Any, Final

from PIL import Image

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MAX_SIDE
from pipeline.photo.pixels import Pixels
from pipeline.photo.png_writer import encode_png

# The encoder's setting for each format that loses colours: docs/options.md says why.
QUALITY: Final = {"jpeg": 92, "avif": 85}
# Half the chroma would cost 2 dB. Pillow cannot make a smaller JPEG of the same pixels: its buffer
# for that is too small for a grainy photo.
_JPEG: Final[dict[str, Any]] = {"quality": QUALITY["jpeg"], "subsampling": "4:4:4"}
# A fixed number of threads: the encoder's tiles, and so its bytes, depend on it.
_AVIF: Final[dict[str, Any]] = {
    "quality": QUALITY["avif"],
    "subsampling": "4:4:4",
    "advanced": {"alpha:lossless": "1"},
    "max_threads": 4,
}
# Pillow's options. WebP's "fast" is still smaller than any PNG of the same pixels.
_SETTINGS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("webp", "fast"): {"lossless": True, "method": 0, "quality": 0},
    ("webp", "small"): {"lossless": True, "method": 4, "quality": 75},
    ("png", "small"): {"compress_level": 9},
    ("jpeg", "fast"): _JPEG,
    ("jpeg", "small"): _JPEG,
    ("avif", "fast"): _AVIF | {"speed": 8},
    ("avif", "small"): _AVIF | {"speed": 6},
}
_NAMES: Final = {"png": "PNG", "webp": "WebP", "jpeg": "JPEG", "avif": "AVIF"}
# Pixels: libwebp's and libjpeg's own limits; readers of AVIF refuse longer sides.
_LONGEST_SIDES: Final = {"webp": 16_383, "jpeg": 65_500, "avif": 32_768}
AVIF_PIXELS: Final = 50_000_000  # the encoder's memory and time for more exceed a function's
_LONGEST_DENSITY: Final = 65_535  # dots per inch that a JPEG can state


def encode(
    pixels: Pixels,
    *,
    picture_format: str,
    effort: str = "fast",
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Encode H×W grey, H×W×3 RGB or H×W×4 straight-alpha RGBA pixels.

    PNG and WebP are lossless, AVIF keeps alpha exactly, and JPEG takes no alpha. Effort `small`
    takes longer and makes a smaller file than `fast`, except of a JPEG. PNG and JPEG keep `dpi`.
    Raises MediaTooLarge for a picture above the format's own limits.
    """
    _require_encodable(pixels, picture_format)
    if picture_format == "png" and effort == "fast":
        return encode_png(pixels, icc_profile=icc_profile, dpi=dpi)
    if picture_format == "jpeg" and dpi and max(dpi) > _LONGEST_DENSITY:
        dpi = None
    settings = _SETTINGS[picture_format, effort] | ({"dpi": dpi} if dpi else {})
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, picture_format, icc_profile=icc_profile, **settings)
    return buffer.getvalue()


def _require_encodable(pixels: Pixels, picture_format: str) -> None:
    """Raise MediaTooLarge for a picture that the format, or a reader of it, cannot hold."""
    height, width = pixels.shape[:2]
    name, longest = _NAMES[picture_format], _LONGEST_SIDES.get(picture_format, MAX_SIDE)
    if max(height, width) > longest:
        raise MediaTooLarge(
            f"{name} of {width} × {height} pixels; the limit is {longest:,} on a side: "
            "set a size, or use PNG"
        )
    if picture_format == "avif" and height * width > AVIF_PIXELS:
        raise MediaTooLarge(
            f"{name} of {width} × {height} pixels; the limit is {AVIF_PIXELS:,} in total: "
            "set a size, or use PNG"
        )
