"""What colours the subject and its background have near each pixel: two means, two covariances.

A pixel counts towards the layer that it nearly belongs to. Where no such pixel is near, colours
from further away stand in (`surroundings`). Half of what such pixels still have of the other layer
is taken out of their mean.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.covariance import covariance, products
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels

_FURTHER: Final = np.float32(1e-3)  # how much colours from further away weigh beside those at hand
_TAKEN_OUT: Final = np.float32(0.5)  # of the other layer: mean alphas are no surer than the matte
_LEAST_GAP: Final = np.float32(0.25)  # between mean alphas, for colours to be told from them
_HALF: Final = np.float32(0.5)


class Palette(NamedTuple):
    """One layer's mean colour in 0…1, 3×h×w, and its 6×h×w covariance."""

    mean: Plane
    spread: Plane

    def enlarged(self, place: Tile, origin: Tile, ratio: int) -> Palette:
        """At a place of a copy `ratio` times larger; `origin` is where its own planes begin."""
        return Palette(
            *(
                np.stack([place.enlarged_from(plane, origin, ratio) for plane in planes])
                for planes in self
            )
        )


class Layers(NamedTuple):
    """The subject's colours and the background's."""

    subject: Palette
    background: Palette

    def enlarged(self, place: Tile, origin: Tile, ratio: int) -> Layers:
        """Both palettes, likewise."""
        return Layers(*(palette.enlarged(place, origin, ratio) for palette in self))


class Windows(NamedTuple):
    """Within how many pixels colours are gathered: many for the spread, few for the mean."""

    wide: int
    near: int


def gather(picture: Pixels, alpha: Alpha, windows: Windows, further: Layers) -> Layers:
    """The layers of an h×w×3 picture around each pixel, as an h×w matte divides it.

    `further` is what is known of a wider neighbourhood. Colours change from place to place, so the
    means are those of purer pixels nearby; these are few, so they have half a say in the spread.
    """
    seen, shares = _seen(picture, alpha), _purities(alpha)
    wide = _gathered(seen, shares, windows.wide, further)
    near = _gathered(seen, shares * shares, windows.near, wide)
    return Layers(
        *(
            Palette(few.mean, _HALF * (few.spread + many.spread))
            for few, many in zip(near, wide, strict=True)
        )
    )


def gather_once(picture: Pixels, alpha: Alpha, radius: int, further: Layers) -> Layers:
    """The same in windows of one size, of `radius` pixels."""
    return _gathered(_seen(picture, alpha), _purities(alpha), radius, further)


def _seen(picture: Pixels, alpha: Alpha) -> Plane:
    """11×h×w: 1, alpha, colours, products."""
    colours = in_planes(picture)
    return np.concatenate([np.ones_like(colours[:1]), alpha[None], colours, products(colours)])


def _purities(alpha: Alpha) -> Plane:
    """How much a pixel counts for subject and background, 2×h×w: the sixth power of its share."""
    shares = np.stack([alpha, 1 - alpha])
    squares = shares * shares
    purities: Plane = squares * squares * squares
    return purities


def _gathered(seen: Plane, shares: Plane, radius: int, further: Layers) -> Layers:
    """The layers in windows of `radius` pixels, as 2×h×w `shares` divide what is seen."""
    return _unmixed(
        _averaged(seen * shares[0], radius, _Found(np.float32(1), further.subject)),
        _averaged(seen * shares[1], radius, _Found(np.float32(0), further.background)),
    )


class _Found(NamedTuple):
    """The mean alpha (h×w or a number) of some pixels, and their colours."""

    alpha: Plane | np.float32
    colours: Palette


def _averaged(weighted: Plane, radius: int, further: _Found) -> _Found:
    """The means of what is seen, each times its weight."""
    near = box_mean(weighted, radius)
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
