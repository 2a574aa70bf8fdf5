"""Each layer's colours come from the pixels that belong to it, near or distant."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner import layers as layers_module
from containers.edge_refiner.layers import Chosen, DistantLayers, Layers, Palette, Radii, gather
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import NIGHT, SAND, Alpha, composite, disk, fabric, over

SIDE = 256
DISK = disk(SIDE, softness=40)
SOFT = disk(SIDE, softness=12)
PATTERNED = over(
    fabric(SIDE, (190, 120, 90), cell=6, seed=1), fabric(SIDE, (70, 90, 130), cell=8, seed=2), SOFT
)


def distant(image: Pixels, alpha: Alpha) -> Layers:
    """The distant layers of every pixel, one after the other."""
    return DistantLayers.of(image, alpha).at(Tile(0, 0, *alpha.shape), np.arange(alpha.size))


def gathered(image: Pixels, alpha: Alpha, radii: Radii) -> Layers:
    """The layers around every pixel, as planes."""
    every = Chosen(Tile(0, 0, *alpha.shape).inside, np.arange(alpha.size))
    found = gather(image, alpha, radii, distant(image, alpha), every)
    return Layers(
        *(Palette(*(each.reshape(-1, *alpha.shape) for each in palette)) for palette in found)
    )


def test_soft_pixels_get_the_colours_on_either_side_of_the_edge() -> None:
    image = composite(SAND, NIGHT, DISK)

    layers = gathered(image, DISK, Radii(24, 24))

    soft = (DISK > 0.3) & (DISK < 0.7)
    for layer, colour in zip(layers, (SAND, NIGHT), strict=True):
        error = np.abs(layer.mean[:, soft] * 255 - np.array(colour)[:, None])
        assert error.max() < 24  # of 170: half of the other layer's share is removed


@pytest.mark.parametrize("column", [10, SIDE - 10])
def test_a_layer_outside_the_windows_gets_its_distant_colour(column: int) -> None:
    image = composite(SAND, NIGHT, DISK)

    layers = gathered(image, DISK, Radii(2, 2))

    far_from_subject = layers.subject.mean[:, SIDE // 2, column] * 255
    np.testing.assert_allclose(far_from_subject, SAND, atol=12)


def test_a_layer_without_any_pixel_gets_the_colours_of_the_other() -> None:
    image = np.full((64, 64, 3), 90, dtype=np.uint8)

    layers = distant(image, np.ones((64, 64), dtype=np.float32))

    np.testing.assert_allclose(layers.background.mean, layers.subject.mean, atol=1e-4)


@pytest.mark.parametrize(
    "place", [Tile(0, 0, 80, 80), Tile(101, 33, 190, 121), Tile(200, 250, 256, 256)]
)
def test_distant_colours_do_not_depend_on_the_place(place: Tile) -> None:
    layers = DistantLayers.of(PATTERNED, SOFT)
    every = np.arange(SIDE * SIDE)

    part = layers.at(place, np.arange(place.pixels)).stacked()

    whole = layers.at(Tile(0, 0, SIDE, SIDE), every).stacked().reshape(-1, SIDE, SIDE)
    inside = whole[:, *place.inside].reshape(len(part), -1)
    np.testing.assert_allclose(part, inside, atol=1e-6)


def test_distant_colours_do_not_depend_on_the_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = distant(PATTERNED, SOFT).stacked()
    monkeypatch.setattr(layers_module, "_TILE_SIDE", 13)

    np.testing.assert_allclose(distant(PATTERNED, SOFT).stacked(), whole, atol=1e-4)


def test_only_chosen_pixels_are_returned() -> None:
    box, places = Tile(20, 90, SIDE, 200), np.array([5, 110 * 31 + 38, 110 * (SIDE - 20) - 1])
    around = DistantLayers.of(PATTERNED, SOFT).at(box, places)

    found = gather(PATTERNED, SOFT, Radii(6, 4), around, Chosen(box.inside, places)).stacked()

    every = gathered(PATTERNED, SOFT, Radii(6, 4)).stacked()[:, *box.inside].reshape(18, -1)
    np.testing.assert_allclose(found, every[:, places], atol=1e-6)


def test_a_pattern_has_a_large_covariance_and_a_plain_wall_a_small_one() -> None:
    pattern = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    wall = np.full_like(pattern, 90)
    matte = disk(SIDE)
    image = np.where(matte[..., None] > 0.5, pattern, wall).astype(np.uint8)

    layers = gathered(image, matte, Radii(6, 6))

    middle = SIDE // 2, SIDE // 2
    assert layers.subject.covariance[0][middle] > 0.03
    assert layers.background.covariance[0][0, 0] < 1e-4


def test_the_mean_follows_colours_that_change_along_the_edge() -> None:
    rising = np.repeat(np.linspace(40, 220, SIDE).astype(np.uint8)[:, None], SIDE, axis=1)
    image = composite((0, 0, 0), NIGHT, 1 - DISK)
    image[..., 0] = (rising * DISK + image[..., 0] * (1 - DISK)).astype(np.uint8)
    wide, near = (
        gathered(image, DISK, Radii(60, closer)).subject.mean[0] * 255 for closer in (60, 8)
    )

    above = SIDE // 2 - round(0.3 * SIDE) + 12, SIDE // 2  # in the disk, at its upper edge
    assert abs(near[above] - rising[above]) < 12
    assert abs(wide[above] - rising[above]) > 24


def test_the_covariance_counts_colours_that_the_near_window_does_not_hold() -> None:
    stripes = np.repeat(np.arange(SIDE) // 16 % 2 * 160, SIDE).reshape(SIDE, SIDE).astype(np.uint8)
    image = np.dstack([stripes] * 3)
    matte = disk(SIDE)

    layers = gathered(image, matte, Radii(48, 4))

    in_a_stripe = SIDE // 2 + 8, SIDE // 2
    true = (80 / 255) ** 2
    assert 0.4 * true < layers.subject.covariance[0][in_a_stripe] < 0.7 * true
