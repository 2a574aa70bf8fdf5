"""Decode untrusted photo bytes to pixels, and encode pixels as PNG, WebP, JPEG or AVIF.

The content decides the format, not the file name. The parts of a file, its size and the memory for
decoding are checked before a pixel is decoded. EXIF orientation is applied, 16-bit grey is scaled
to 8 bits, CMYK and grey are converted to sRGB through their colour profile. RGB keeps its profile,
and a photo its resolution; all other metadata, position included, is dropped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from pipeline.errors import CorruptMedia, MediaTooLarge, OutOfMemory, UnsupportedMedia
from pipeline.photo import profiles
from pipeline.photo.colour import SIDEWAYS, Pixels, converted, separate, strips
from pipeline.photo.exif import DECODE_FAULTS, colours_of, orientation_of
from pipeline.photo.formats import Format, identify
from pipeline.photo.limits import MAX_SIDE, require_bytes, require_size
from pipeline.photo.meaning import Meaning
from pipeline.photo.png_writer import encode_png
from pipeline.photo.profiles import Colour
from pipeline.photo.tiff import require_no_raw

__all__ = ["Header", "Photo", "Pixels", "Reserve", "decode", "encode", "probe", "unlimited"]

# Pillow warns above its own limit and raises at twice that; `limits` has ours.
Image.MAX_IMAGE_PIXELS = None

_ALLOCATION_FAILURES: Final = (
    "out of memory", "Out of memory", "Memory allocation error", "decoder error -9",
)  # fmt: skip
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


Reserve = Callable[[int], None]  # takes a number of bytes; raises OutOfMemory if there are fewer


def unlimited(_bytes: int) -> None:
    """Reserve any number of bytes."""


class Header(NamedTuple):
    """Media type and size of a photo; width and height in pixels after EXIF rotation."""

    media_type: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo, upright. `rgb` is H×W×3 uint8; `alpha` is H×W uint8, or None if opaque.

    `icc_profile` describes `rgb`; `dpi` is pixels per inch across and down.
    """

    rgb: Pixels
    alpha: Pixels | None
    icc_profile: bytes | None
    dpi: tuple[float, float] | None

    def on_white(self) -> Pixels:
        """Return the photo as a viewer shows it on a white page, H×W×3."""
        if self.alpha is None:
            return self.rgb
        shown = np.empty_like(self.rgb)
        alpha = Image.fromarray(self.alpha)
        for rows, strip in strips(alpha):
            page = Image.new("RGB", strip.size, "white")
            page.paste(Image.fromarray(self.rgb[rows]), mask=strip)
            shown[rows] = np.asarray(page)
        return shown

    def able_to_show(self, colour: Colour) -> Photo:
        """Return this photo, or it in sRGB if its profile cannot hold a colour of sRGB."""
        if self.icc_profile is None or profiles.from_srgb(colour, self.icc_profile):
            return self
        return replace(self, rgb=converted(self.rgb, self.icc_profile), icc_profile=None)

    def numbers_of(self, colour: Colour) -> Colour:
        """Return a colour of sRGB in the photo's profile, which must be able to hold it."""
        stored = profiles.from_srgb(colour, self.icc_profile) if self.icc_profile else colour
        if stored is None:
            raise ValueError(f"the photo's profile cannot hold the colour {colour}")
        return stored


def probe(content: bytes, *, name: str = "") -> Header:
    """Read the header of a photo, without decoding a pixel.

    The content decides the format; the file's `name` only shows camera raw that its content does
    not. Raises UnsupportedMedia, CorruptMedia or MediaTooLarge.
    """
    with _opened(content) as (photo_format, _, image, _):
        if photo_format.name == "TIFF":
            require_no_raw(content, name)
        width, height = image.size
        # Pillow reports a TIFF's size after rotation, every other format's before it.
        if photo_format.name != "TIFF" and orientation_of(image) in SIDEWAYS:
            width, height = height, width
    return Header(f"image/{photo_format.name.lower()}", width, height)


def decode(
    content: bytes,
    *,
    least_side: int | None = None,
    in_srgb: bool = False,
    reserve: Reserve = unlimited,
) -> Photo:
    """Decode the first frame to upright 8-bit RGB, and its alpha if the file has one.

    With `least_side`, a JPEG may be decoded at ½, ¼ or ⅛ of its size, with no side below that many
    pixels. With `in_srgb`, colours that differ from sRGB's are converted to sRGB. `reserve` is
    called with the number of bytes before a pixel is decoded. Raises UnsupportedMedia,
    CorruptMedia, MediaTooLarge or OutOfMemory.
    """
    with _opened(content) as opened, _decoder_faults(opened.format.name):
        photo_format, prepared, image, meaning = opened
        coded = image.size
        if least_side is not None:
            image.draft(None, (least_side, least_side))
        reserve(photo_format.decoding_bytes(image, coded))
        image.load()
        if not photo_format.is_complete(image, prepared):
            raise CorruptMedia(f"damaged {photo_format.name}: the last rows are missing")
        orientation = orientation_of(image)
        rgb, alpha, icc_profile = separate(image, meaning, orientation=orientation, in_srgb=in_srgb)
        return Photo(rgb, alpha, icc_profile, _resolution(image.info.get("dpi")))


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


class _Opened(NamedTuple):
    """A photo's format, the bytes that the decoder gets, the picture, and what it means."""

    format: Format
    prepared: bytes
    image: ImageFile.ImageFile
    meaning: Meaning


@contextmanager
def _opened(content: bytes) -> Iterator[_Opened]:
    require_bytes(len(content))
    photo_format = identify(content)
    prepared = photo_format.prepare(content)
    with _decoder_faults(photo_format.name):
        image = photo_format.open(photo_format.name, prepared)
    with image:
        require_size(*image.size)
        if photo_format.name == "PNG":
            image.info.setdefault("exif", b"")  # else Pillow decodes the pixels to look for EXIF
        meaning = photo_format.read_meaning(image, content)
        colours = (*meaning.colours, *colours_of(image))
        yield _Opened(photo_format, prepared, image, meaning._replace(colours=colours))


@contextmanager
def _decoder_faults(name: str) -> Iterator[None]:
    """Raise a decoder's exceptions as the pipeline's named errors."""
    try:
        yield
    except UnidentifiedImageError as fault:
        if name == "TIFF":
            raise UnsupportedMedia(
                "unsupported TIFF pixel format, such as 32-bit RGB, or damaged TIFF header"
            ) from fault
        raise CorruptMedia(f"damaged {name}: the header cannot be read") from fault
    except DECODE_FAULTS as fault:
        if any(sign in str(fault) for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"no memory left to decode the {name}: {fault}") from fault
        raise CorruptMedia(f"damaged {name}: {fault}") from fault


def _resolution(dpi: object) -> tuple[float, float] | None:
    """Return Pillow's `dpi` as two numbers; None if it is missing or not a resolution."""
    try:
        across, down = (float(value) for value in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # Pillow reports 1 for a TIFF that states none.
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None
