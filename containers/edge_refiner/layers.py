"""What colours the subject and its background have near each pixel: two means, two covariances.

A pixel counts towards the layer that it nearly belongs to. Where no such pixel is near, colours
from further away stand in: gathered on ever smaller copies, and filled in from the smallest. Half
of what such pixels still have of the other layer is taken out of their mean.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.covariance import covariance, products
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile
from pipeline.photo import Pixels

_FURTHER: Final = np.float32(1e-3)  # how much colours from further away weigh beside those at hand
_TAKEN_OUT: Final = np.float32(0.5)  # of the other layer: mean alphas are no surer than the matte
_LEAST_GAP: Final = np.float32(0.25)  # between mean alphas, for colours to be told from them
_STEP: Final = 4  # from one copy to the next smaller
_WIDE: Final = 4  # pixels of a smaller copy


class Palette(NamedTuple):
    """One layer's mean colour in 0…1, 3×h×w, and its 6×h×w covariance."""

    mean: Plane
    spread: Plane

    def enlarged(self, place: Tile) -> Palette:
        """The same at a `place` of the next larger copy."""
        return Palette(*(np.stack([_enlarged(plane, place) for plane in each]) for each in self))


class Layers(NamedTuple):
    """The subject's colours and the background's."""

    subject: Palette
    background: Palette

    def enlarged(self, place: Tile) -> Layers:
        return Layers(self.subject.enlarged(place), self.background.enlarged(place))


def gather(picture: Pixels, alpha: Alpha, radius: int, further: Layers) -> Layers:
    """The layers of an h×w×3 picture in windows of `radius` pixels, as an h×w matte divides it.

    `further` is what is known of a wider neighbourhood.
    """
    colours = in_planes(picture)
    seen = np.concatenate([np.ones_like(colours[:1]), alpha[None], colours, products(colours)])
    return _unmixed(
        _weighted(seen, _purity(alpha), radius, _Found(np.float32(1), further.subject)),
        _weighted(seen, _purity(1 - alpha), radius, _Found(np.float32(0), further.background)),
    )


def gather_around(picture: Pixels, alpha: Alpha) -> Layers:
    """The layers in wide windows of an h×w×3 picture, on a copy four times smaller."""
    far, far_alpha = reduced(picture, _STEP**2), reduced(alpha, _STEP**2)
    near, near_alpha = reduced(picture, _STEP), reduced(alpha, _STEP)
    furthest = gather(far, far_alpha, _WIDE, _undivided(far))
    return gather(near, near_alpha, _WIDE, furthest.enlarged(Tile(0, 0, *near_alpha.shape)))


def _purity(share: Plane) -> Plane:
    """How much a pixel counts that is of a layer by that share: the sixth power."""
    square = share * share
    purity: Plane = square * square * square
    return purity


class _Found(NamedTuple):
    """The mean alpha (h×w or a number) of some pixels, and their colours."""

    alpha: Plane | np.float32
    colours: Palette


def _weighted(seen: Plane, weight: Plane, radius: int, further: _Found) -> _Found:
    """The weighted means of 11×h×w: 1, alpha, colours, products."""
    near = box_mean(seen * weight, radius)
    mean, spread = further.colours
    total = near[0] + _FURTHER
    colours = (near[2:5] + _FURTHER * mean) / total
    squares = (near[5:] + _FURTHER * (spread + products(mean))) / total
    alpha = (near[1] + _FURTHER * further.alpha) / total
    return _Found(alpha, Palette(colours, covariance(squares, colours)))


def _unmixed(more: _Found, less: _Found) -> Layers:
    """Half the way to the colours that mix to what was found, at the alphas it was found at."""
    gap = np.maximum(more.alpha - less.alpha, _LEAST_GAP)
    change = _TAKEN_OUT * (more.colours.mean - less.colours.mean) / gap
    subject = more.colours.mean + (1 - more.alpha) * change
    background = less.colours.mean - less.alpha * change
    return Layers(
        Palette(np.clip(subject, 0, 1), more.colours.spread),
        Palette(np.clip(background, 0, 1), less.colours.spread),
    )


def _undivided(picture: Pixels) -> Layers:
    """Both layers as the picture on the whole, which tells nobody apart."""
    colours = in_planes(picture)
    mean, squares = (
        planes.mean(axis=(1, 2), keepdims=True) for planes in (colours, products(colours))
    )
    whole = Palette(mean, covariance(squares, mean))
    return Layers(whole, whole)


def _enlarged(plane: Plane, place: Tile) -> Plane:
    return place.enlarged_from(plane, Tile(0, 0, *plane.shape), _STEP)
