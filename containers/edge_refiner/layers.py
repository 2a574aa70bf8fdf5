"""Compute the local colours of subject and background: mean and covariance around every pixel.

A pixel counts towards the layer that it nearly belongs to. Where no such pixel is near, colours
from further away are used; `DistantLayers` has them for the whole image. Pixels that count may
still be mixtures, so half of the other layer's share is removed from each mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Box, Plane, box_mean
from containers.edge_refiner.edge_band import Alpha
from containers.edge_refiner.linear_model import covariance, in_planes, products
from containers.edge_refiner.resampling import Indices, Places, reduced, sample
from containers.edge_refiner.tiling import Tile, tiles
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_DISTANT_WEIGHT: Final = np.float32(1e-3)  # of distant colours, where a nearby pixel weighs 1
_REMOVED: Final = np.float32(0.5)  # of the other layer's share, which an uncertain matte gives
_LEAST_GAP: Final = np.float32(0.25)  # between mean alphas, to divide by
_HALF: Final = np.float32(0.5)
_STEP: Final = 4  # each distant copy is this many times smaller than the one before
_DISTANT_RADIUS: Final = 4  # pixels of a distant copy
_TILE_SIDE: Final = 160  # pixels of a distant copy


class Palette(NamedTuple):
    """One layer's local mean colour in 0…1, 3×h×w, and its 6×h×w covariance; or 3×n and 6×n."""

    mean: Plane
    covariance: Plane

    def enlarged(self, place: Tile, origin: Tile, reduction: int) -> Palette:
        """Enlarge to a place of an image; `origin` is what this palette covers in a smaller copy.

        The copy is `reduction` times smaller than the image.
        """
        return Palette(
            *(
                np.stack([place.enlarged_from(plane, origin, reduction) for plane in planes])
                for planes in self
            )
        )


class Layers(NamedTuple):
    """The palettes of subject and background."""

    subject: Palette
    background: Palette

    def enlarged(self, place: Tile, origin: Tile, reduction: int) -> Layers:
        """Enlarge both palettes, as `Palette.enlarged` does."""
        return Layers(*(palette.enlarged(place, origin, reduction) for palette in self))

    def stacked(self) -> Plane:
        """Return all planes: mean and covariance of the subject, then of the background."""
        return np.concatenate([planes for palette in self for planes in palette])


class Radii(NamedTuple):
    """The radii of the windows, in pixels, that give the covariance (wide) and the mean (near)."""

    wide: int
    near: int


class DistantLayers(NamedTuple):
    """The layers in wide windows of an image, as 18×h×w on a copy 4 times smaller.

    The planes are mean and covariance of the subject, then of the background.
    """

    planes: Plane

    @classmethod
    def of(cls, image: Pixels, alpha: Alpha) -> DistantLayers:
        """Gather distant colours of an h×w×3 image, divided by its h×w matte."""
        far, far_alpha = reduced(image, _STEP**2), reduced(alpha, _STEP**2)
        furthest = gather_once(far, far_alpha, _DISTANT_RADIUS, _undivided(far))
        whole = Tile(0, 0, *far_alpha.shape)
        image, alpha = reduced(image, _STEP), reduced(alpha, _STEP)
        planes = np.empty((18, *alpha.shape), dtype=np.float32)

        def fill(tile: Tile) -> None:
            place = tile.reduced(1, halo=_DISTANT_RADIUS, shape=alpha.shape)
            further = furthest.enlarged(place, whole, _STEP)
            found = gather_once(
                image[place.inside], alpha[place.inside], _DISTANT_RADIUS, further
            ).stacked()
            planes[:, *tile.inside] = found[:, *tile.moved(-place.top, -place.left).inside]

        each(tiles(alpha.shape, _TILE_SIDE), fill)
        return cls(planes)

    def at(self, place: Tile, chosen: Indices) -> Layers:
        """Return the layers around n `chosen` pixels of a place of the image.

        `chosen` has the pixels' positions in the flattened place.
        """
        rows, columns = np.divmod(chosen, place.size[0])
        height, width = self.planes.shape[1:]
        down = Places.enlarged(height, scale=_STEP, start=place.top, end=place.bottom)
        across = Places.enlarged(width, scale=_STEP, start=place.left, end=place.right)
        found = sample(self.planes, down.at(rows), across.at(columns))
        return Layers(Palette(found[:3], found[3:9]), Palette(found[9:12], found[12:]))


class _Sample(NamedTuple):
    """The mean alpha (one for each place, or one number) and the colours of pixels that count."""

    alpha: Plane | np.float32
    colours: Palette


class Chosen(NamedTuple):
    """n pixels of an image: a box that holds them, and their positions in the flattened box."""

    box: Box
    places: Indices

    def of(self, planes: Plane) -> Plane:
        """Return the pixels of h×w or C×h×w planes of the box, as n or C×n."""
        return planes.reshape(*planes.shape[:-2], -1).take(self.places, axis=-1)


def gather(image: Pixels, alpha: Alpha, radii: Radii, distant: Layers, chosen: Chosen) -> Layers:
    """Return the layers around n chosen pixels of an h×w×3 image, divided by its h×w matte.

    `distant`, with n places, has the colours to use where a window holds no pixel of a layer.
    Colours change from place to place, so means come from the purest pixels nearby. These are few
    and scatter too little, so covariances are the average of both windows'.
    """
    moments, weights = _moments(image, alpha), _layer_weights(alpha)
    weighted = [moments * weight for weight in weights]
    wide = _gathered(weighted, radii.wide, distant, chosen)
    for planes, weight in zip(weighted, weights, strict=True):
        np.multiply(planes, weight, out=planes)
    near = _gathered(weighted, radii.near, wide, chosen)
    return Layers(
        *(
            Palette(few.mean, _HALF * (few.covariance + many.covariance))
            for few, many in zip(near, wide, strict=True)
        )
    )


def gather_once(image: Pixels, alpha: Alpha, radius: int, distant: Layers) -> Layers:
    """Return the layers around every pixel, mean and covariance from windows of one radius."""
    moments = _moments(image, alpha)
    return _gathered([moments * weight for weight in _layer_weights(alpha)], radius, distant)


def _moments(image: Pixels, alpha: Alpha) -> Plane:
    """Stack 1, alpha, colours and products of colours: 11×h×w."""
    colours = in_planes(image)
    return np.concatenate([np.ones_like(colours[:1]), alpha[None], colours, products(colours)])


def _layer_weights(alpha: Alpha) -> Plane:
    """Return each pixel's weight for subject and background, 2×h×w: sixth power of its share."""
    shares = np.stack([alpha, 1 - alpha])
    squares = shares * shares
    weights: Plane = squares * squares * squares
    return weights


def _gathered(
    weighted: Sequence[Plane], radius: int, distant: Layers, chosen: Chosen | None = None
) -> Layers:
    """Return both layers in windows of `radius` pixels, given both layers' weighted moments."""
    subject, background = weighted
    return _unmixed(
        _averaged(subject, radius, _Sample(np.float32(1), distant.subject), chosen),
        _averaged(background, radius, _Sample(np.float32(0), distant.background), chosen),
    )


def _averaged(weighted: Plane, radius: int, distant: _Sample, chosen: Chosen | None) -> _Sample:
    """Average weighted moments in windows; a distant sample counts as one pixel of low weight."""
    near = box_mean(weighted, radius, chosen and chosen.box)
    if chosen:
        near = chosen.of(near)
    mean, scatter = distant.colours
    total = near[0] + _DISTANT_WEIGHT
    colours = (near[2:5] + _DISTANT_WEIGHT * mean) / total
    squares = (near[5:] + _DISTANT_WEIGHT * (scatter + products(mean))) / total
    alpha = (near[1] + _DISTANT_WEIGHT * distant.alpha) / total
    return _Sample(alpha, Palette(colours, covariance(squares, colours)))


def _unmixed(more: _Sample, less: _Sample) -> Layers:
    """Move two mean colours half the way to the pure colours that explain them.

    The pure colours are those that, mixed at each sample's mean alpha, give its mean colour.
    """
    gap = np.maximum(more.alpha - less.alpha, _LEAST_GAP)
    change = _REMOVED * (more.colours.mean - less.colours.mean) / gap
    subject = more.colours.mean + (1 - more.alpha) * change
    background = less.colours.mean - less.alpha * change
    return Layers(
        Palette(np.clip(subject, 0, 1), more.colours.covariance),
        Palette(np.clip(background, 0, 1), less.colours.covariance),
    )


def _undivided(image: Pixels) -> Layers:
    """Give both layers the colours of the whole image, so that neither differs from the other."""
    colours = in_planes(image)
    mean, squares = (
        planes.mean(axis=(1, 2), keepdims=True) for planes in (colours, products(colours))
    )
    whole = Palette(mean, covariance(squares, mean))
    return Layers(whole, whole)
