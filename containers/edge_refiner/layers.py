"""What colours the subject and its background have near each pixel: two means, two covariances.

A pixel counts towards the layer that it nearly belongs to. Where no such pixel is near, colours
from further away stand in: gathered on ever smaller copies, and filled in from the smallest.
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

_PURITY: Final = 6
_FURTHER: Final = np.float32(1e-3)  # how much colours from further away weigh beside those at hand
_STEP: Final = 4  # from one copy to the next smaller
_WIDE: Final = 4  # pixels of a smaller copy


class Colours(NamedTuple):
    """One layer's mean colour in 0…1, 3×h×w, and its mean products, 6×h×w."""

    mean: Plane
    products: Plane

    @property
    def spread(self) -> Plane:
        """The 6×h×w covariance."""
        return covariance(self.products, self.mean)

    def enlarged(self, place: Tile) -> Colours:
        """The same at a `place` of the next larger copy."""
        return Colours(*(np.stack([_enlarged(plane, place) for plane in each]) for each in self))


class Layers(NamedTuple):
    """The subject's colours and the background's."""

    subject: Colours
    background: Colours

    def enlarged(self, place: Tile) -> Layers:
        return Layers(self.subject.enlarged(place), self.background.enlarged(place))


def gather(picture: Pixels, alpha: Alpha, radius: int, further: Layers) -> Layers:
    """The layers of an h×w×3 picture in windows of `radius` pixels, as an h×w matte divides it.

    `further` is what is known of a wider neighbourhood.
    """
    colours = in_planes(picture)
    seen = np.concatenate([np.ones_like(colours[:1]), colours, products(colours)])
    return Layers(
        _filled(seen * alpha**_PURITY, radius, further.subject),
        _filled(seen * (1 - alpha) ** _PURITY, radius, further.background),
    )


def gather_around(picture: Pixels, alpha: Alpha) -> Layers:
    """The layers in wide windows of an h×w×3 picture, on a copy four times smaller."""
    known = _undivided(picture)
    for ratio in (_STEP**2, _STEP):
        small_picture, small_alpha = reduced(picture, ratio), reduced(alpha, ratio)
        if ratio == _STEP:
            known = known.enlarged(Tile(0, 0, *small_alpha.shape))
        known = gather(small_picture, small_alpha, _WIDE, known)
    return known


def _undivided(picture: Pixels) -> Layers:
    """Both layers as the picture on the whole, which tells nobody apart."""
    colours = in_planes(picture)
    mean, squares = (
        planes.mean(axis=(1, 2), keepdims=True) for planes in (colours, products(colours))
    )
    return Layers(Colours(mean, squares), Colours(mean, squares))


def _filled(weighted: Plane, radius: int, further: Colours) -> Colours:
    """From 10×h×w: a layer's weights, and its colours and products times these."""
    near = box_mean(weighted, radius)
    means = (near[1:] + _FURTHER * np.concatenate(further)) / (near[:1] + _FURTHER)
    return Colours(means[:3], means[3:])


def _enlarged(plane: Plane, place: Tile) -> Plane:
    return place.enlarged_from(plane, Tile(0, 0, *plane.shape), _STEP)
