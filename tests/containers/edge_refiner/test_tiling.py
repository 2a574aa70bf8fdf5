"""Tiles and strips cover an image exactly once."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.tiling import Tile, strips, tiles
from pipeline.parallel import each

SHAPES = [(1, 1), (1, 9000), (9000, 1), (700, 901)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pixel_is_in_one_strip(shape: tuple[int, int]) -> None:
    _assert_cover(strips(shape), shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [64, 10_000])
def test_every_pixel_is_in_one_tile(shape: tuple[int, int], side: int) -> None:
    _assert_cover(tiles(shape, side), shape)


def _assert_cover(pieces: list[Tile], shape: tuple[int, int]) -> None:
    visits = np.zeros(shape, dtype=int)

    def visit(piece: Tile) -> None:
        visits[piece.inside] += 1

    each(pieces, visit)

    assert (visits == 1).all()
    assert sum(piece.pixels for piece in pieces) == visits.size


@pytest.mark.parametrize("reduction", [2, 4, 5])
def test_a_tile_enlarged_from_a_part_of_a_copy_is_that_of_the_whole(reduction: int) -> None:
    shape = (83, 71)
    small = tuple(-(-side // reduction) for side in shape)
    copy = np.random.default_rng(4).random(small, dtype=np.float32)
    tile = Tile(17, 23, 60, 58)
    place = tile.reduced(reduction, halo=2, shape=small)

    part = tile.enlarged_from(copy[place.inside], place, reduction)

    whole = Tile(0, 0, *shape).enlarged_from(copy, Tile(0, 0, *small), reduction)
    np.testing.assert_allclose(part, whole[tile.inside], atol=1e-5)
