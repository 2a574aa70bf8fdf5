"""The subject's own colour in soft pixels, freed of the background that shines through.

Blur fusion (Forte and Pitié, 2021) in three passes, estimated on a small copy because colour varies
slowly, and applied at full resolution.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.alpha import opacity_of
from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.resampling import (
    Strip,
    each_strip,
    reduced,
    sample,
    shrink,
    small_size,
)
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels

_WORKING_SIDE: Final = 640
# Of the longer side, and how many times smaller than the working copy is fine enough for it.
_REACHES: Final = ((1 / 12, 2), (1 / 60, 1), (1 / 320, 1))
_TINY: Final = np.float32(1e-5)


class Colours(NamedTuple):
    """Foreground and background as smooth colour fields, 3×h×w in 0…1."""

    foreground: Plane
    background: Plane

    def enlarged(self, shape: tuple[int, ...], ratio: int) -> Colours:
        """At h×w, where it is `ratio` times smaller."""
        place = Tile(0, 0, *shape)
        return Colours(
            *(
                np.stack(
                    [place.enlarged_from(each, Tile(0, 0, *each.shape), ratio) for each in planes]
                )
                for planes in self
            )
        )


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
    fields = _smooth_colours(shrink(picture, size), shrink(opacity_of(alpha), size))
    colours = np.concatenate(fields).transpose(1, 2, 0).copy()
    each_strip(picture.shape, _Painting(picture, alpha, colours, onto).paint)


def _smooth_colours(picture: Pixels, opacity: Pixels) -> Colours:
    """From afar to near: the first pass fills the band, the others follow the subject."""
    _, before = _REACHES[0]
    start = in_planes(reduced(picture, before))
    found = Colours(start, start)
    for reach, ratio in _REACHES:
        seen = in_planes(reduced(picture, ratio))
        alpha = reduced(opacity, ratio) * np.float32(1 / 255)
        guess = found.enlarged(alpha.shape, before // ratio)
        found, before = _fuse(seen, guess, alpha, max(1, round(max(alpha.shape) * reach))), ratio
    return found


def _fuse(seen: Plane, guess: Colours, alpha: Plane, radius: int) -> Colours:
    """Blur each layer over the pixels it owns, and share out what the two do not explain."""
    with ThreadPoolExecutor(1) as beside:
        job = beside.submit(_spread, guess.background, 1 - alpha, radius, otherwise=seen)
        foreground = _spread(guess.foreground, alpha, radius, otherwise=seen)
        background = job.result()
    owed = seen - background - alpha * (foreground - background)
    owed /= alpha * alpha + (1 - alpha) * (1 - alpha)
    return Colours(
        np.clip(foreground + alpha * owed, 0, 1), np.clip(background + (1 - alpha) * owed, 0, 1)
    )


def _spread(layer: Plane, share: Plane, radius: int, *, otherwise: Plane) -> Plane:
    """The mean of 3×h×w `layer` in each window, by its h×w share; `otherwise` where it has none.

    Shares are cubed: half-transparent pixels, where both layers mix, hardly count.
    """
    weight = share * share * share
    *blurred, total = box_mean(np.concatenate([layer * weight, weight[None]]), radius)
    mean = np.stack(blurred) / np.maximum(total, _TINY)
    return np.where(total > _TINY, mean, otherwise)


class _Painting(NamedTuple):
    """A photo, its matte, both layers' colours as h×w×6, foreground first, and the canvas."""

    picture: Pixels
    alpha: Alpha
    colours: Plane
    canvas: Pixels

    def paint(self, strip: Strip) -> None:
        picture, alpha = self.picture[strip.rows], self.alpha[strip.rows]
        canvas = self.canvas[strip.rows]
        opacity = opacity_of(alpha)
        visible = opacity > 0
        for channel in range(3):
            np.multiply(picture[..., channel], visible, out=canvas[..., channel])
        places = np.divmod(np.flatnonzero(visible & (opacity < 255)), opacity.shape[1])
        below = places[0] + strip.top
        fields = sample(self.colours, below, places[1], self.alpha.shape)
        foreground, background = fields[:, :3], fields[:, 3:]
        weight = alpha[places][:, None]
        seen = picture[places] / np.float32(255)
        unmixed = foreground + weight * (seen - weight * foreground - (1 - weight) * background)
        canvas[places] = (np.clip(unmixed, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
