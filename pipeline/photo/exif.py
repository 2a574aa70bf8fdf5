"""EXIF: a photo's orientation, and the colour space that it states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

from pipeline.photo.colour.icc_writer import Curve
from pipeline.photo.colour.spaces import (
    ADOBE_RGB,
    SRGB,
    Chromaticities,
    ColourSpace,
    from_numbers,
)
from pipeline.photo.decoder_faults import DECODE_FAULTS

_FAULTS: Final = (*DECODE_FAULTS, ZeroDivisionError)
_GAMMA_OF_TIFF: Final = 2.2
_SPACES: Final = {1: SRGB, 2: ADOBE_RGB}  # 2 is not in the standard, but in cameras
_ADOBE_INDEX: Final = "R03"  # DCF option file
_CURVE_SAMPLES: Final = 1024  # of a profile's curve; more are thinned out


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation; 1 if the tag is missing or the EXIF block is damaged."""
    try:
        return int(image.getexif().get(Tag.Orientation, 1))
    except DECODE_FAULTS:
        return 1


def colours_of(image: Image.Image) -> tuple[ColourSpace, ...]:
    """Return the colour space that EXIF, or a TIFF's tags, state; nothing if they are damaged.

    The tags for white, primaries and transfer function are TIFF 6.0's, section 20.
    """
    try:
        tags = image.getexif()
        details = tags.get_ifd(IFD.Exif)
        index = tags.get_ifd(IFD.Interop).get(Tag.InteropIndex)
        return tuple(_stated(tags, details, index))
    except _FAULTS:
        return ()


def _stated(tags: Image.Exif, details: dict[int, Any], index: object) -> Iterator[ColourSpace]:
    space = details.get(Tag.ColorSpace)
    if space in _SPACES:
        yield _SPACES[space]
    elif str(index).rstrip("\0 ") == _ADOBE_INDEX:
        yield ADOBE_RGB
    measured = _from_numbers(tags, float(details.get(Tag.Gamma) or _GAMMA_OF_TIFF))
    if measured is not None:
        yield measured


def _from_numbers(tags: Image.Exif, gamma: float) -> ColourSpace | None:
    white, primaries = tags.get(Tag.WhitePoint), tags.get(Tag.PrimaryChromaticities)
    table = tags.get(Tag.TransferFunction)
    points = _chromaticities(white, primaries) if white and primaries else None
    if points is None and table is None:
        return None
    curves = tuple(_curves(table)) if table else ((gamma,),)
    return from_numbers(points, curves)


def _chromaticities(white: Sequence[Any], primaries: Sequence[Any]) -> Chromaticities:
    numbers = [float(number) for number in (*white, *primaries)]
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    return Chromaticities(*points)


def _curves(table: Sequence[int]) -> Iterator[Curve]:
    """Yield the curves of a transfer function: one of 2ⁿ samples, or three."""
    samples = np.array(table, dtype=float) / 0xFFFF
    count = 1 if len(samples) & (len(samples) - 1) == 0 else 3
    for one in np.split(samples, count):
        places = np.linspace(0, 1, min(len(one), _CURVE_SAMPLES))
        yield tuple(np.interp(places, np.linspace(0, 1, len(one)), one))
