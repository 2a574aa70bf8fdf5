"""Place the model's mask on the photo and find the edge band, in which alpha is unknown.

The mask is usually far smaller than the photo. A mask pixel is certain where its neighbourhood is
all foreground or all background; the edge band is everything within three pixels of the others.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile, tiles
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

Alpha = npt.NDArray[np.float32]

BACKGROUND: Final = 0
UNKNOWN: Final = 128
FOREGROUND: Final = 255

_CONFIDENT: Final = 0.95
_RADIUS: Final = 3  # mask pixels
_TILE_SIDE: Final = 160  # pixels of a copy
_ENLARGING_TILE_SIDE: Final = 512  # pixels of the photo


class Band(NamedTuple):
    """A mask and its edge band, placed on an H×W photo.

    `mask` is h×w uint8; unless it is a matte, it is 0 or 255 outside the band. `edge` is h×w uint8,
    255 in the band, else 0.
    """

    mask: Pixels
    edge: Pixels
    shape: tuple[int, int]

    @classmethod
    def of(cls, mask: Pixels, shape: tuple[int, ...]) -> Band:
        """Find the edge band of an h×w uint8 mask; `shape` is the photo's, H×W or H×W×3."""
        trimap = mask_to_trimap(mask.astype(np.float32) / np.float32(255), band_radius=_RADIUS)
        unknown = trimap == UNKNOWN
        edge = np.where(unknown, np.uint8(255), np.uint8(0))
        return cls(np.where(unknown, mask, trimap), edge, (shape[0], shape[1]))

    @classmethod
    def of_matte(cls, matte: Pixels, shape: tuple[int, ...]) -> Band:
        """Find the edge band of an h×w uint8 matte, whose faint alpha outside the band stays."""
        return cls.of(matte, shape)._replace(mask=matte)

    @property
    def mask_pixel(self) -> float:
        """The side of a mask pixel, in photo pixels; at least 1."""
        side: float = max(self.shape) / max(self.mask.shape)
        return max(1.0, side)

    def tiles(self, reduction: int = 1, *, side: int | None = None) -> list[Tile]:
        """Return the photo's tiles that the band reaches.

        A tile is at most `side` pixels of a copy `reduction` times smaller; by default 160.
        """
        return self._reached(tiles(self.shape, (side or _TILE_SIDE) * reduction))

    def pieces(self, tile: Tile) -> list[Tile]:
        """Cut a tile into default tiles of the photo, and return those that the band reaches."""
        return self._reached(tile.pieces(_TILE_SIDE))

    def weight(self, tile: Tile) -> Plane:
        """Return the band's weight on each pixel of a tile: 0…1, fading over one mask pixel."""
        box = tile.box_in(self.edge.shape, self.shape)
        image = Image.fromarray(self.edge).resize(tile.size, Image.Resampling.BILINEAR, box=box)
        return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)

    def reaches(self, tile: Tile, reduction: int) -> npt.NDArray[np.bool_]:
        """Return True for pixels of a copy whose surroundings the band reaches, h×w.

        `tile` is a place of a copy, `reduction` times smaller than the photo. The surroundings are
        one pixel wide: no other pixel's model is used, bilinear enlargement included.
        """
        height, width = self.shape
        top, left, bottom, right = (side * reduction for side in tile)
        weight = self.weight(Tile(top, left, min(bottom, height), min(right, width)))
        return box_mean(reduced(weight, reduction), 1) > 0

    def blend(self, found: Plane, tile: Tile, *, onto: Alpha) -> None:
        """Write the alpha found for a tile into the H×W matte, weighted by the band's `weight`.

        The fading weight leaves no seam where the band ends. `found` is overwritten.
        """
        before = onto[tile.inside]
        found -= before
        found *= self.weight(tile)
        before += found

    def follow(self, alpha: Alpha, *, share: float) -> None:
        """Take back, in place, all but `share` of what an H×W matte differs from the mask."""

        def take_back(tile: Tile) -> None:
            mask = _enlarged(self.mask, Image.fromarray(self.mask), tile, self.shape)
            found = alpha[tile.inside]
            found -= mask
            found *= np.float32(share)
            found += mask

        # The tiles that the mask was enlarged in: outside the band, the result is the same bits.
        each(self.tiles(side=_ENLARGING_TILE_SIDE), take_back)

    def _reached(self, candidates: list[Tile]) -> list[Tile]:
        return [tile for tile in candidates if _around(self.edge, tile, self.shape).any()]


def mask_to_trimap(mask: Plane, *, band_radius: int) -> Pixels:
    """Return a trimap of a mask (0…1): H×W uint8 of 0, 128 (unknown) and 255.

    A pixel is uncertain when the mean of its 3×3 window lies between 0.05 and 0.95, so a hard edge
    is uncertain too. Everything within `band_radius` pixels of an uncertain pixel is unknown.
    """
    neighbourhood = box_mean(mask, 1)
    uncertain = (neighbourhood > 1 - _CONFIDENT) & (neighbourhood < _CONFIDENT)
    band = box_mean(uncertain.astype(np.float32), band_radius) > 0
    trimap = np.where(mask >= 0.5, np.uint8(FOREGROUND), np.uint8(BACKGROUND))
    trimap[band] = UNKNOWN
    return trimap


def enlarge_mask(mask: Pixels, shape: tuple[int, ...]) -> Alpha:
    """Enlarge an h×w uint8 mask bicubically to an H×W float32 matte in 0…1."""
    alpha = np.empty(shape[:2], dtype=np.float32)
    coarse = Image.fromarray(mask)

    def write(tile: Tile) -> None:
        alpha[tile.inside] = _enlarged(mask, coarse, tile, shape)

    each(tiles(shape, _ENLARGING_TILE_SIDE), write)
    return alpha


def _enlarged(mask: Pixels, coarse: Image.Image, tile: Tile, shape: tuple[int, ...]) -> Plane:
    """Return one tile of the enlarged mask, or 1×1 where the mask around it is constant."""
    around = _around(mask, tile, shape)
    if around.min() == around.max():
        return np.float32(around.flat[0]) / np.float32(255) * np.ones((1, 1), np.float32)
    box = tile.box_in(mask.shape, shape)
    image = coarse.resize(tile.size, Image.Resampling.BICUBIC, box=box)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _around(mask: Pixels, tile: Tile, shape: tuple[int, ...]) -> Pixels:
    """Return every mask pixel that resampling can use for a tile of an H×W photo."""
    left, top, right, bottom = tile.box_in(mask.shape, shape)
    # Bicubic reaches two source pixels, or two target pixels where the mask is reduced.
    down, across = (2 * max(1, -(-mask.shape[axis] // shape[axis])) for axis in (0, 1))
    rows = slice(max(int(top) - down, 0), int(bottom) + down + 1)
    return mask[rows, max(int(left) - across, 0) : int(right) + across + 1]
