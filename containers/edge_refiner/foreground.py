"""The subject's own colour in soft pixels, freed of the background that shines through.

Blur fusion (Forte and Pitié, 2021) in three passes, estimated on a small copy because colour varies
slowly, and applied at full resolution.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.alpha import opacity_of
from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.resampling import Strip, each_strip, sample, shrink, small_size
from pipeline.photo import Pixels

_WORKING_SIDE: Final = 640
_REACHES: Final = (1 / 12, 1 / 90, 1 / 320)  # of the longer side
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
    foreground = np.empty_like(picture)
    paint_foreground(picture, alpha, onto=foreground)
    return foreground


def paint_foreground(picture: Pixels, alpha: Alpha, *, onto: Pixels) -> None:
    """Write what `estimate_foreground` returns into an H×W×3 canvas."""
    size = small_size(picture.shape, _WORKING_SIDE)
    small_alpha = shrink(opacity_of(alpha), size)
    colours = np.dstack(_smooth_colours(shrink(picture, size), small_alpha[..., None]))
    each_strip(
        picture.shape,
        lambda strip: _paint(
            picture[strip.rows], alpha[strip.rows], colours, strip, onto[strip.rows]
        ),
    )


def _smooth_colours(colours: Plane, alpha: Plane) -> Colours:
    """From afar to near: the first pass fills the band, the others follow the subject."""
    longest = max(colours.shape)
    found = Colours(colours, colours)
    for reach in _REACHES:
        found = _fuse(colours, found, alpha, max(1, round(longest * reach)))
        mixed = alpha * found.foreground + (1 - alpha) * found.background
        unexplained = colours - mixed
        found = Colours(
            np.clip(found.foreground + alpha * unexplained, 0, 1),
            np.clip(found.background + (1 - alpha) * unexplained, 0, 1),
        )
    return found


def _fuse(colours: Plane, guess: Colours, alpha: Plane, radius: int) -> Colours:
    """Blur each layer over the pixels it owns; where it owns none, keep the photo's colours."""
    return Colours(
        _spread(guess.foreground, alpha**_PURITY, radius, otherwise=colours),
        _spread(guess.background, (1 - alpha) ** _PURITY, radius, otherwise=colours),
    )


def _spread(layer: Plane, weight: Plane, radius: int, *, otherwise: Plane) -> Plane:
    """The weighted mean of h×w×3 `layer` in each window, `otherwise` where nothing weighs."""
    planes = np.concatenate([layer * weight, weight], axis=2).transpose(2, 0, 1)
    *blurred, share = box_mean(planes, radius)
    mean = np.stack(blurred, axis=-1) / np.maximum(share, _TINY)[..., None]
    return np.where(share[..., None] > _TINY, mean, otherwise)


def _paint(picture: Pixels, alpha: Alpha, colours: Plane, strip: Strip, canvas: Pixels) -> None:
    """One strip; `colours` is h×w×6, the foreground's RGB before the background's."""
    opacity = opacity_of(alpha)
    visible = opacity > 0
    for channel in range(3):
        np.multiply(picture[..., channel], visible, out=canvas[..., channel])
    rows, columns = np.divmod(np.flatnonzero(visible & (opacity < 255)), opacity.shape[1])
    size = (strip.height, opacity.shape[1])
    fields = sample(colours, rows + strip.top, columns, size)
    foreground, background = fields[:, :3], fields[:, 3:]
    weight = alpha[rows, columns, None]
    seen = picture[rows, columns] / np.float32(255)
    unmixed = foreground + weight * (seen - weight * foreground - (1 - weight) * background)
    canvas[rows, columns] = (np.clip(unmixed, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
