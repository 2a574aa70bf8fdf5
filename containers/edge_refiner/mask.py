"""The model's mask at the photo's size, and the band in which it leaves doubt."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.tiling import Tile, each, tiles
from containers.edge_refiner.trimap import UNKNOWN, mask_to_trimap
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.photo.pixels import Pixels, decode

Alpha = npt.NDArray[np.float32]

_BAND_MASK_PIXELS: Final = 3
_HALF: Final = 127
_SIDE: Final = 512


def read_mask(store: ArtifactStore, artifact: Artifact) -> Pixels:
    """The model's mask, h×w uint8."""
    return decode(store.read(Location.parse(artifact.uri))).rgb[..., 0]


def enlarge_mask(mask: Pixels, shape: tuple[int, ...]) -> Alpha:
    """The h×w mask as an H×W matte, nothing else."""
    alpha = np.empty(shape[:2], dtype=np.float32)
    coarse = Image.fromarray(mask)

    def write(tile: Tile) -> None:
        alpha[tile.inside] = _enlarged(mask, coarse, tile, shape)

    each(tiles(shape, _SIDE), write)
    return alpha


def doubt_of(mask: Pixels) -> Pixels:
    """The edge band at the mask's own resolution: 255 within three mask pixels of doubt, else 0."""
    trimap = mask_to_trimap(
        mask.astype(np.float32) / np.float32(255), band_radius=_BAND_MASK_PIXELS
    )
    return np.where(trimap == UNKNOWN, np.uint8(255), np.uint8(0))


def settle(mask: Pixels, doubt: Pixels) -> Pixels:
    """The mask without the model's murmur: where it leaves no doubt, all or nothing."""
    return np.where(doubt > 0, mask, np.where(mask > _HALF, np.uint8(255), np.uint8(0)))


def doubtful(candidates: list[Tile], doubt: Pixels, shape: tuple[int, ...]) -> list[Tile]:
    """Those tiles of an H×W picture that the band reaches into."""
    return [tile for tile in candidates if _around(doubt, tile, shape).any()]


def doubt_in(tile: Tile, doubt: Pixels, shape: tuple[int, ...]) -> Plane:
    """The band in a tile of an H×W picture, 0…1, fading over one mask pixel: no seam."""
    size = (tile.right - tile.left, tile.bottom - tile.top)
    box = tile.box_in(doubt.shape, shape)
    image = Image.fromarray(doubt).resize(size, Image.Resampling.BILINEAR, box=box)
    return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)


def blend(found: Plane, tile: Tile, band: Pixels, *, onto: Alpha) -> None:
    """Write what was `found` for a tile into an H×W matte, as far as it is in the h×w `band`."""
    before = onto[tile.inside]
    found -= before
    found *= doubt_in(tile, band, onto.shape)
    before += found


def _enlarged(mask: Pixels, coarse: Image.Image, tile: Tile, shape: tuple[int, ...]) -> Plane:
    seen = _around(mask, tile, shape)
    if seen.min() == seen.max():
        return np.float32(seen.flat[0]) / np.float32(255) * np.ones((1, 1), np.float32)
    size = (tile.right - tile.left, tile.bottom - tile.top)
    box = tile.box_in(mask.shape, shape)
    levels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC, box=box), dtype=np.float32)
    return levels / np.float32(255)


def _around(mask: Pixels, tile: Tile, shape: tuple[int, ...]) -> Pixels:
    """Every mask pixel that the tile's own are made of, however they are resampled."""
    left, top, right, bottom = tile.box_in(mask.shape, shape)
    down, across = (2 * max(1, -(-mask.shape[axis] // shape[axis])) for axis in (0, 1))
    rows = slice(max(int(top) - down, 0), int(bottom) + down + 1)
    return mask[rows, max(int(left) - across, 0) : int(right) + across + 1]
