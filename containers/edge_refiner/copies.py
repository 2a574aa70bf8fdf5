"""A photo and its matte so far, smaller, and what colour says of the matte there."""

from __future__ import annotations

from typing import Final, NamedTuple

from containers.edge_refiner.layers import Windows, gather
from containers.edge_refiner.linear_model import LinearModel
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.opinion import Opinion, slack
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.surroundings import Surroundings
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels

_REACH: Final = 4  # mask pixels
_NEAR: Final = 1.5  # mask pixels, too
_LEAST_NEAR: Final = 4  # pixels: fewer are no sample
_FREEDOM: Final = 0.35  # for each photo pixel that a mask pixel covers
_MOST_FREEDOM: Final = 1.3


class Copy(NamedTuple):
    """An h×w×3 picture, `reduction` times smaller than the photo, its matte and its surroundings.

    `mask_pixel` is in pixels of the copy; the matte may be wrong by `freedom` times its steepness.
    """

    picture: Pixels
    alpha: Alpha
    surroundings: Surroundings
    reduction: int
    mask_pixel: float
    freedom: float

    @classmethod
    def of(
        cls, photo: Pixels, alpha: Alpha, reduction: int, *, mask_pixel: float, share: float = 1
    ) -> Copy:
        """Of `alpha` as it is now: what is written later does not show.

        `mask_pixel` is in pixels of the photo; `share` is how much of the usual freedom is left.
        """
        picture = reduced(photo, reduction)
        matte = reduced(alpha, reduction) if reduction > 1 else alpha.copy()
        freedom = min(_FREEDOM * mask_pixel, _MOST_FREEDOM) * share
        around = Surroundings.of(picture, matte)
        return cls(picture, matte, around, reduction, mask_pixel / reduction, freedom)

    def reconsidered(self, place: Tile) -> LinearModel:
        """The matte and what colour says of it; right but for a `halo` along the place's border."""
        picture, alpha = self.picture[place.inside], self.alpha[place.inside]
        layers = gather(picture, alpha, self._windows, self.surroundings.around(place))
        variance = slack(alpha, max(1, round(self.mask_pixel)), freedom=self.freedom)
        return Opinion.of(layers, alpha).weighed(variance)

    @property
    def halo(self) -> int:
        """One pixel more than the windows: between two pixels at the border, both are asked."""
        return max(self._windows) + 1

    @property
    def _windows(self) -> Windows:
        near = max(_LEAST_NEAR, round(_NEAR * self.mask_pixel))
        return Windows(max(near, round(_REACH * self.mask_pixel)), near)
