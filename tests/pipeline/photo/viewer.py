"""What a person sees: pixels in a stated colour space as sRGB, computed from the definitions."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pipeline.photo.pixels import Photo
from tests.pictures import Pixels

Numbers = npt.NDArray[np.float64]
Points = tuple[tuple[float, float], ...]  # of white, red, green and blue

D65: Final = (0.3127, 0.3290)
SRGB: Final[Points] = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3: Final[Points] = (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
ADOBE: Final[Points] = (D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT2020: Final[Points] = (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_CONES: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def srgb_light(value: Numbers) -> Numbers:
    """Return the light of sRGB numbers, both 0…1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def power(exponent: float) -> Callable[[Numbers], Numbers]:
    """Return a curve from numbers to light."""
    return lambda value: value**exponent


def seen(rgb: Any, points: Points, light: Callable[[Numbers], Numbers] = srgb_light) -> Numbers:
    """Return 8-bit RGB of a colour space as sRGB, 0…255; colours beyond sRGB are clipped."""
    xyz = light(np.asarray(rgb) / 255) @ _to_xyz(points).T
    adapted = xyz @ (np.linalg.inv(_CONES) @ np.diag(_cones(D65) / _cones(points[0])) @ _CONES).T
    linear = np.clip(adapted @ np.linalg.inv(_to_xyz(SRGB)).T, 0, 1)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(levels * 255)


def shown(photo: Photo) -> Pixels:
    """Return a decoded photo as a viewer with colour management shows it."""
    return shown_pixels(photo.rgb, photo.icc_profile)


def shown_pixels(rgb: Pixels, icc_profile: bytes | None) -> Pixels:
    """Return H×W×3 of a profile in sRGB."""
    if icc_profile is None:
        return rgb
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    screen = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(Image.fromarray(rgb), source, screen)
    return np.asarray(converted)


def _to_xyz(points: Points) -> Numbers:
    columns = np.array([_xyz(point) for point in points[1:]]).T
    return np.asarray(columns * np.linalg.solve(columns, _xyz(points[0])))


def _xyz(point: tuple[float, float]) -> Numbers:
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


def _cones(point: tuple[float, float]) -> Numbers:
    return np.asarray(_CONES @ _xyz(point))
