"""Colour spaces that files name or state in numbers, as values that become ICC profiles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour.icc_writer import Curve, Matrix, grey_profile, rgb_profile

Point = tuple[float, float]


class Chromaticities(NamedTuple):
    """CIE 1931 x and y of white and of the three primaries."""

    white: Point
    red: Point
    green: Point
    blue: Point


@dataclass(frozen=True)
class ColourSpace:
    """White, primaries, and the curves from numbers to light: one for all channels, or three.

    Grey has the white, and the first curve.
    """

    name: str
    chromaticities: Chromaticities
    curves: tuple[Curve, ...]

    def profile(self, *, grey: bool = False) -> bytes | None:
        """Return an ICC profile of the RGB or the grey; None for sRGB, which needs none."""
        if self is SRGB:
            return None
        if grey:
            return grey_profile(self.name, self.curves[0])
        curves = self.curves * (3 // len(self.curves))
        white = _xyz_of(self.chromaticities.white)
        return rgb_profile(self.name, _to_xyz(self.chromaticities), white, curves)


D65: Final = (0.3127, 0.3290)
_C: Final = (0.310, 0.316)
_DCI_WHITE: Final = (0.314, 0.351)
_BT709: Final = Chromaticities(D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_BT2020: Final = Chromaticities(D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_SMPTE170M: Final = Chromaticities(D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_P3: Final = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_ADOBE: Final = Chromaticities(D65, (0.640, 0.330), (0.210, 0.710), (0.150, 0.060))

_SRGB_CURVE: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709_CURVE: Final = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_BT2020_CURVE: Final = (1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 0.08145)
_SMPTE240M_CURVE: Final = (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4.0, 0.0913)
_SAMPLES: Final = 4096

SRGB: Final = ColourSpace("sRGB", _BT709, (_SRGB_CURVE,))
ADOBE_RGB: Final = ColourSpace("Adobe RGB (1998)", _ADOBE, ((563 / 256,),))

# The code points of ITU-T H.273, which PNG, AVIF and HEIC use.
UNSPECIFIED: Final = 2
_HDR: Final = {16: "PQ", 18: "HLG"}


def _logarithmic(decades: float) -> Curve:
    """Return H.273's logarithmic curve over so many powers of ten; 0 is black."""
    steps = (step / (_SAMPLES - 1) for step in range(_SAMPLES))
    return tuple(10 ** (decades * (step - 1)) if step else 0.0 for step in steps)


_PRIMARIES: Final[Mapping[int, Chromaticities]] = {
    1: _BT709,
    4: Chromaticities(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),  # BT.470 M
    5: Chromaticities(D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),  # BT.470 B, G
    6: _SMPTE170M,
    7: _SMPTE170M,  # SMPTE 240M
    8: Chromaticities(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),  # film
    9: _BT2020,
    10: Chromaticities((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),  # CIE XYZ
    11: Chromaticities(_DCI_WHITE, *_P3),
    12: Chromaticities(D65, *_P3),  # Display P3
    22: Chromaticities(D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),  # EBU Tech 3213
}
_TRANSFERS: Final[Mapping[int, Curve]] = {
    1: _BT709_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _BT709_CURVE,
    7: _SMPTE240M_CURVE,
    8: (1.0,),
    9: _logarithmic(2),
    10: _logarithmic(2.5),
    11: _BT709_CURVE,
    12: _BT709_CURVE,
    13: _SRGB_CURVE,
    14: _BT709_CURVE,
    15: _BT2020_CURVE,
    17: (2.6,),  # SMPTE ST 428-1, up to its own white
}
# What a file may state in numbers; outside of it, decoders take the numbers for damaged.
_GAMMAS: Final = (0.1, 10.0)
_NEAR_POINT: Final = 0.0011  # writers round 0.3127 to three or four digits
_NEAR_GAMMA: Final = 0.0005
_LEAST_SHARE: Final = 1e-4  # of a primary in white's light


def from_code_points(primaries: int, transfer: int) -> ColourSpace | None:
    """Return the colour space of two code points of ITU-T H.273.

    If one is unspecified, sRGB's is used; if both are, or if one is reserved, the file states
    nothing: None. Raises UnsupportedMedia for high dynamic range (PQ or HLG).
    """
    if transfer in _HDR:
        raise UnsupportedMedia(
            f"photo of high dynamic range ({_HDR[transfer]}): export it first in standard range"
        )
    if primaries == transfer == UNSPECIFIED:
        return None
    points = {**_PRIMARIES, UNSPECIFIED: _BT709}.get(primaries)
    curve = {**_TRANSFERS, UNSPECIFIED: _SRGB_CURVE}.get(transfer)
    if points is None or curve is None:
        return None
    if points == _BT709 and curve == _SRGB_CURVE:
        return SRGB
    return ColourSpace(f"Code points {primaries} and {transfer}", points, (curve,))


def from_numbers(
    chromaticities: Chromaticities | None, curves: Sequence[Curve]
) -> ColourSpace | None:
    """Return the colour space of white, primaries and curves; sRGB's for what a file omits.

    A gamma of 2.2 with sRGB's primaries is sRGB, which such files mean. None for points that no
    light has, or a gamma outside 0.1 to 10.
    """
    points = chromaticities or _BT709
    if not all(math.isfinite(number) for number in itertools.chain(*points)):
        return None
    if not _is_possible(points) or not all(map(_is_usable, curves)):
        return None
    stated = tuple(curves) or (_SRGB_CURVE,)
    if _near(points, _BT709) and all(map(_is_srgb, stated)):
        return SRGB
    return ColourSpace("Stated by the photo", points, stated)


def _is_usable(curve: Curve) -> bool:
    if len(curve) == 1:
        return _GAMMAS[0] <= curve[0] <= _GAMMAS[1]
    return curve[0] < curve[-1]


def _is_srgb(curve: Curve) -> bool:
    if len(curve) == 1:
        return abs(1 / curve[0] - 1 / 2.2) <= _NEAR_GAMMA
    return curve == _SRGB_CURVE


def _near(these: Chromaticities, those: Chromaticities) -> bool:
    numbers = zip(itertools.chain(*these), itertools.chain(*those), strict=True)
    return all(abs(one - other) <= _NEAR_POINT for one, other in numbers)


def _is_possible(points: Chromaticities) -> bool:
    """Return True if white is a mixture of the three primaries."""
    if points.white[1] <= _LEAST_SHARE:
        return False
    columns = _columns(points)
    if abs(np.linalg.det(columns)) < _LEAST_SHARE:
        return False
    return bool((np.linalg.solve(columns, _xyz_of(points.white)) > _LEAST_SHARE).all())


def _to_xyz(points: Chromaticities) -> Matrix:
    """Return the 3×3 matrix from linear RGB to XYZ; white has a Y of 1."""
    columns = _columns(points)
    matrix: Matrix = columns * np.linalg.solve(columns, _xyz_of(points.white))
    return matrix


def _columns(points: Chromaticities) -> Matrix:
    return np.array([(x, y, 1 - x - y) for x, y in points[1:]]).T


def _xyz_of(white: Point) -> Matrix:
    x, y = white
    return np.array([x / y, 1.0, (1 - x - y) / y])
