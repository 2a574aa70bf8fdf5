"""The subject's own colour in soft pixels, freed of the background that shines through.

Blur fusion (Forte and Pitié, 2021), estimated on a small copy because colour varies slowly, and
applied at full resolution.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.alpha import Alpha
from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.resampling import Strip, enlarge, shrink, small_size, strips
from pipeline.photo import Pixels

_WORKING_SIDE: Final = 512
_WIDE: Final = 1 / 12
_NARROW: Final = 1 / 128
# Weights are cubed: half-transparent pixels, where both layers mix, hardly count.
_PURITY: Final = 3
_TINY: Final = np.float32(1e-5)


class Colours(NamedTuple):
    """Foreground and background as smooth colour fields, h×w×3 in 0…1."""

    foreground: Plane
    background: Plane


def estimate_foreground(picture: Pixels, alpha: Alpha) -> Pixels:
    """H×W×3 colours: the photo's own where opaque, unmixed where soft, black where invisible.

    An alpha below half a level of 8 bits is invisible, one above 254½ is opaque.
    """
    size = small_size(picture.shape, _WORKING_SIDE)
    small_alpha = shrink((alpha * 255 + np.float32(0.5)).astype(np.uint8), size)
    colours = _smooth_colours(shrink(picture, size), small_alpha[..., None])
    foreground = picture.copy()
    for strip in strips(picture.shape):
        _unmix(foreground[strip.rows], alpha[strip.rows], colours, strip)
    return foreground


def _smooth_colours(colours: Plane, alpha: Plane) -> Colours:
    """Two passes: a wide one fills the band from afar, a narrow one follows the subject."""
    longest = max(colours.shape)
    wide = _fuse(colours, Colours(colours, colours), alpha, max(1, round(longest * _WIDE)))
    mixed = alpha * wide.foreground + (1 - alpha) * wide.background
    sharper = np.clip(wide.foreground + alpha * (colours - mixed), 0, 1)
    radius = max(1, round(longest * _NARROW))
    return _fuse(colours, Colours(sharper, wide.background), alpha, radius)


def _fuse(colours: Plane, guess: Colours, alpha: Plane, radius: int) -> Colours:
    """Blur each layer over the pixels it owns; where it owns none, keep the photo's colours."""
    return Colours(
        _spread(guess.foreground, alpha**_PURITY, radius, otherwise=colours),
        _spread(guess.background, (1 - alpha) ** _PURITY, radius, otherwise=colours),
    )


def _spread(layer: Plane, weight: Plane, radius: int, *, otherwise: Plane) -> Plane:
    """The weighted mean of h×w×3 `layer` in each window, `otherwise` where nothing weighs."""
    share = box_mean(weight, radius)
    mean = box_mean(layer * weight, radius) / np.maximum(share, _TINY)
    return np.where(share > _TINY, mean, otherwise)


def _unmix(picture: Pixels, alpha: Alpha, colours: Colours, strip: Strip) -> None:
    """Replace the soft pixels of one strip in place."""
    opacity = (alpha * 255 + np.float32(0.5)).astype(np.uint8)
    soft = (opacity > 0) & (opacity < 255)
    picture[opacity == 0] = 0
    if not soft.any():
        return
    weight = alpha[soft]
    for channel in range(3):
        width = picture.shape[1]
        foreground = enlarge(colours.foreground[..., channel], strip, width)[soft]
        background = enlarge(colours.background[..., channel], strip, width)[soft]
        seen = picture[..., channel][soft] / np.float32(255)
        unmixed = foreground + weight * (seen - weight * foreground - (1 - weight) * background)
        picture[..., channel][soft] = (np.clip(unmixed, 0, 1) * 255 + 0.5).astype(np.uint8)
