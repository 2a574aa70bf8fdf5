"""Measure an output image, for the metrics of the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.pictures import Rendered
from pipeline.photo.encoding import QUALITY
from pipeline.photo.pixels import Pixels

_MOST: Final = 512  # rows and columns that are measured
_OPAQUE: Final = 255
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def measure(image: Pixels) -> dict[str, float]:
    """Return figures from 0 to 1 of an H×W mask, H×W×4 RGBA or H×W×3 RGB image, all uint8.

    `opaque_share` and `transparent_share` are shares of pixels. `subject_x` and `subject_y` are
    the centre of all visible pixels, as fractions of width and height; `subject_brightness` is
    their mean brightness. These three are weighted by opacity, and absent if nothing is visible;
    a mask has no brightness. An image of more than 512 rows or columns is sampled evenly.
    """
    step_down, step_across = (max(1, -(-side // _MOST)) for side in image.shape[:2])
    sampled = image[::step_down, ::step_across]
    opacity = _opacity(sampled)
    figures = {
        "opaque_share": float((opacity == _OPAQUE).mean()),
        "transparent_share": float((opacity == 0).mean()),
    }
    if opacity.any():
        figures["subject_x"] = _centre(opacity.sum(axis=0, dtype=np.float64))
        figures["subject_y"] = _centre(opacity.sum(axis=1, dtype=np.float64))
        if sampled.ndim == 3:
            grey = sampled[..., :3].astype(np.float32) @ _LUMA
            brightness = np.average(grey, weights=opacity) / _OPAQUE
            figures["subject_brightness"] = float(brightness)
    return {name: round(figure, 5) for name, figure in figures.items()}


def quality_of(pictures: Sequence[Rendered]) -> dict[str, float]:
    """Return the encoder's quality from 0 to 100 as `encoder_quality`, if a format loses colours.

    All output images but a mask, which loses nothing, have one format.
    """
    lossy = [QUALITY[picture.format] for picture in pictures if picture.format in QUALITY]
    return {"encoder_quality": float(lossy[0])} if lossy else {}


def _opacity(image: Pixels) -> Pixels:
    if image.ndim == 2:
        return image
    if image.shape[2] == 4:
        return image[..., 3]
    return np.full(image.shape[:2], _OPAQUE, np.uint8)


def _centre(weights: npt.NDArray[np.float64]) -> float:
    """Return the centre of weights along one side, as a fraction of the side."""
    places = (np.arange(weights.size) + 0.5) / weights.size
    return float(np.average(places, weights=weights))
