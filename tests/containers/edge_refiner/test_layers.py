"""Each layer's colours are those of the pixels that belong to it, near or far."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.layers import Windows, gather
from containers.edge_refiner.surroundings import Surroundings
from containers.edge_refiner.tiling import Tile
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk

SIDE = 256
DISK = disk(SIDE, softness=40)


def test_soft_pixels_are_told_what_lies_on_either_side() -> None:
    picture = composite(SAND, NIGHT, DISK)
    around = Surroundings.of(picture, DISK).around(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, DISK, Windows(24, 24), around)

    soft = (DISK > 0.3) & (DISK < 0.7)
    for layer, colour in zip(layers, (SAND, NIGHT), strict=True):
        off = np.abs(layer.mean[:, soft] * 255 - np.array(colour)[:, None])
        assert off.max() < 24  # of 170: half of what is mixed in is taken out


@pytest.mark.parametrize("column", [10, SIDE - 10])
def test_where_a_layer_is_far_away_its_colour_is_known_all_the_same(column: int) -> None:
    picture = composite(SAND, NIGHT, DISK)
    around = Surroundings.of(picture, DISK).around(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, DISK, Windows(2, 2), around)

    far_from_subject = layers.subject.mean[:, SIDE // 2, column] * 255
    np.testing.assert_allclose(far_from_subject, SAND, atol=12)


def test_a_picture_of_one_layer_lends_its_colours_to_the_other() -> None:
    picture = np.full((64, 64, 3), 90, dtype=np.uint8)

    opaque = np.ones((64, 64), dtype=np.float32)

    layers = Surroundings.of(picture, opaque).around(Tile(0, 0, 64, 64))

    np.testing.assert_allclose(layers.background.mean, layers.subject.mean, atol=1e-4)


def test_a_pattern_scatters_and_a_plain_wall_does_not() -> None:
    pattern = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    wall = np.full_like(pattern, 90)
    matte = disk(SIDE)
    picture = np.where(matte[..., None] > 0.5, pattern, wall).astype(np.uint8)
    around = Surroundings.of(picture, matte).around(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, matte, Windows(6, 6), around)

    middle = SIDE // 2, SIDE // 2
    assert layers.subject.spread[0][middle] > 0.03
    assert layers.background.spread[0][0, 0] < 1e-4


def test_colours_that_change_along_the_edge_are_those_nearby() -> None:
    rising = np.repeat(np.linspace(40, 220, SIDE).astype(np.uint8)[:, None], SIDE, axis=1)
    picture = composite((0, 0, 0), NIGHT, 1 - DISK)
    picture[..., 0] = (rising * DISK + picture[..., 0] * (1 - DISK)).astype(np.uint8)
    around = Surroundings.of(picture, DISK).around(Tile(0, 0, SIDE, SIDE))

    wide, near = (
        gather(picture, DISK, Windows(60, closer), around).subject.mean[0] * 255
        for closer in (60, 8)
    )

    above = SIDE // 2 - round(0.3 * SIDE) + 12, SIDE // 2  # in the disk, at its upper edge
    assert abs(near[above] - rising[above]) < 12
    assert abs(wide[above] - rising[above]) > 24


def test_a_few_pixels_of_one_colour_are_no_plain_surface() -> None:
    stripes = np.repeat(np.arange(SIDE) // 16 % 2 * 160, SIDE).reshape(SIDE, SIDE).astype(np.uint8)
    picture = np.dstack([stripes] * 3)
    matte = disk(SIDE)
    around = Surroundings.of(picture, matte).around(Tile(0, 0, SIDE, SIDE))

    layers = gather(picture, matte, Windows(48, 4), around)

    in_a_stripe = SIDE // 2 + 8, SIDE // 2
    true = (80 / 255) ** 2
    assert 0.4 * true < layers.subject.spread[0][in_a_stripe] < 0.7 * true
