"""Each layer's colours are those of the pixels that belong to it, near or far."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.layers import gather, gather_around
from containers.edge_refiner.tiling import Tile
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk

SIDE = 256
DISK = disk(SIDE, softness=40)


def test_soft_pixels_are_told_what_lies_on_either_side() -> None:
    picture = composite(SAND, NIGHT, DISK)
    around = gather_around(picture, DISK).enlarged(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, DISK, 24, around)

    soft = (DISK > 0.3) & (DISK < 0.7)
    for layer, colour in zip(layers, (SAND, NIGHT), strict=True):
        off = np.abs(layer.mean[:, soft] * 255 - np.array(colour)[:, None])
        assert off.max() < 24  # of 170: half of what is mixed in is taken out


@pytest.mark.parametrize("column", [10, SIDE - 10])
def test_where_a_layer_is_far_away_its_colour_is_known_all_the_same(column: int) -> None:
    picture = composite(SAND, NIGHT, DISK)
    around = gather_around(picture, DISK).enlarged(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, DISK, 2, around)

    far_from_subject = layers.subject.mean[:, SIDE // 2, column] * 255
    np.testing.assert_allclose(far_from_subject, SAND, atol=12)


def test_a_picture_of_one_layer_lends_its_colours_to_the_other() -> None:
    picture = np.full((64, 64, 3), 90, dtype=np.uint8)

    layers = gather_around(picture, np.ones((64, 64), dtype=np.float32))

    np.testing.assert_allclose(layers.background.mean, layers.subject.mean, atol=1e-4)


def test_a_pattern_scatters_and_a_plain_wall_does_not() -> None:
    pattern = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    wall = np.full_like(pattern, 90)
    matte = disk(SIDE)
    picture = np.where(matte[..., None] > 0.5, pattern, wall).astype(np.uint8)
    around = gather_around(picture, matte).enlarged(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, matte, 6, around)

    middle = SIDE // 2, SIDE // 2
    assert layers.subject.spread[0][middle] > 0.03
    assert layers.background.spread[0][0, 0] < 1e-4
