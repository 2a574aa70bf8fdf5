"""What colours the layers have further away: smaller copies, filled in from the smallest."""

from __future__ import annotations

from typing import Final, NamedTuple

from containers.edge_refiner.covariance import covariance, products
from containers.edge_refiner.layers import Layers, Palette, gather_once
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels

_STEP: Final = 4  # from one copy to the next smaller
_WIDE: Final = 4  # pixels of a smaller copy


class Surroundings(NamedTuple):
    """A picture and its matte four times smaller, and the layers sixteen times smaller."""

    picture: Pixels
    alpha: Alpha
    furthest: Layers

    @classmethod
    def of(cls, picture: Pixels, alpha: Alpha) -> Surroundings:
        """Of an h×w×3 picture, as an h×w matte divides it."""
        far, far_alpha = reduced(picture, _STEP**2), reduced(alpha, _STEP**2)
        furthest = gather_once(far, far_alpha, _WIDE, _undivided(far))
        return cls(reduced(picture, _STEP), reduced(alpha, _STEP), furthest)

    def around(self, place: Tile) -> Layers:
        """The layers in wide windows, at the size of a place of the picture."""
        # One pixel more than the windows, to be enlarged from.
        near = place.reduced(_STEP, halo=_WIDE + 1, shape=self.alpha.shape)
        whole = Tile(0, 0, *self.furthest.subject.mean.shape[1:])
        further = self.furthest.enlarged(near, whole, _STEP)
        layers = gather_once(self.picture[near.inside], self.alpha[near.inside], _WIDE, further)
        return layers.enlarged(place, near, _STEP)


def _undivided(picture: Pixels) -> Layers:
    """Both layers as the picture on the whole, which tells nobody apart."""
    colours = in_planes(picture)
    mean, squares = (
        planes.mean(axis=(1, 2), keepdims=True) for planes in (colours, products(colours))
    )
    whole = Palette(mean, covariance(squares, mean))
    return Layers(whole, whole)
