"""Decode untrusted photo bytes to pixels.

The content decides the format, not the file name. The parts of a file, its size and the memory for
decoding are checked before a pixel is decoded. EXIF orientation is applied, 16-bit grey is scaled
to 8 bits, CMYK and grey are converted to sRGB through their colour profile. RGB keeps its profile,
and a photo its resolution; all other metadata, position included, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFile

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.colour import profiles
from pipeline.photo.colour.conversion import SIDEWAYS, Pixels, converted, separate, strips
from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.colour.profiles import Colour
from pipeline.photo.decoder_faults import named_faults
from pipeline.photo.exif import colours_of, orientation_of
from pipeline.photo.formats import Format, identify
from pipeline.photo.limits import require_bytes, require_size
from pipeline.photo.refused import MANGLED, is_mangled
from pipeline.photo.tiff import require_no_raw

__all__ = ["Header", "Photo", "Pixels", "Reserve", "decode", "probe", "unlimited"]

# Pillow warns above its own limit and raises at twice that; `limits` has ours.
Image.MAX_IMAGE_PIXELS = None

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
    with _opened(content) as opened, named_faults(opened.format.name):
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
    if is_mangled(content, packed=photo_format.packed):
        raise UnsupportedMedia(MANGLED)
    prepared = photo_format.prepare(content)
    with named_faults(photo_format.name):
        image = photo_format.open(photo_format.name, prepared)
    with image:
        require_size(*image.size)
        if photo_format.name == "PNG":
            image.info.setdefault("exif", b"")  # else Pillow decodes the pixels to look for EXIF
        meaning = photo_format.read_meaning(image, content)
        colours = (*meaning.colours, *colours_of(image))
        yield _Opened(photo_format, prepared, image, meaning._replace(colours=colours))


def _resolution(dpi: object) -> tuple[float, float] | None:
    """Return Pillow's `dpi` as two numbers; None if it is missing or not a resolution."""
    try:
        across, down = (float(value) for value in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # Pillow reports 1 for a TIFF that states none.
    return (across, down) if 1 < across < 1e5 and 1 < down < 1e5 else None
