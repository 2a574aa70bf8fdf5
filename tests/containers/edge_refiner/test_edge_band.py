"""The edge band contains everything the mask leaves uncertain, and nothing changes outside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner import edge_band
from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.edge_band import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    Band,
    enlarge_mask,
    mask_to_trimap,
)
from containers.edge_refiner.tiling import Tile, tiles
from tests.containers.edge_refiner import coarse_mask, disk

masks = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(0, 1, width=32),
)


@settings(max_examples=60)
@given(mask=masks, radius=st.integers(0, 5))
def test_a_trimap_has_only_background_unknown_and_foreground(mask: Plane, radius: int) -> None:
    trimap = mask_to_trimap(mask, band_radius=radius)

    assert trimap.dtype == np.uint8
    assert trimap.shape == mask.shape
    assert set(np.unique(trimap)) <= {0, 128, 255}


@settings(max_examples=60)
@given(mask=masks, radius=st.integers(0, 5))
def test_known_pixels_of_a_trimap_agree_with_the_mask(mask: Plane, radius: int) -> None:
    trimap = mask_to_trimap(mask, band_radius=radius)

    assert (mask[trimap == FOREGROUND] >= 0.5).all()
    assert (mask[trimap == BACKGROUND] < 0.5).all()


def test_the_trimap_of_a_disk_is_background_unknown_foreground_from_outside_in() -> None:
    trimap = mask_to_trimap(disk(101), band_radius=4)

    row = trimap[50]
    assert np.unique(trimap).tolist() == [BACKGROUND, UNKNOWN, FOREGROUND]
    assert row[np.flatnonzero(np.diff(row.astype(int)))].tolist() == [0, 128, 255, 128]


@pytest.mark.parametrize(
    ("radius", "unknown"), [(0, range(9, 11)), (1, range(8, 12)), (4, range(5, 15))]
)
def test_the_unknown_part_around_a_hard_edge_has_the_requested_width(
    radius: int, unknown: range
) -> None:
    mask = np.zeros((5, 20), dtype=np.float32)
    mask[:, 10:] = 1

    trimap = mask_to_trimap(mask, band_radius=radius)

    columns = np.flatnonzero((trimap == UNKNOWN).all(axis=0))
    assert columns.tolist() == list(unknown)
    assert (trimap[:, : unknown.start] == BACKGROUND).all()
    assert (trimap[:, unknown.stop :] == FOREGROUND).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (17, 9)])
@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0.0, BACKGROUND),
        (0.04, BACKGROUND),
        (0.06, UNKNOWN),
        (0.5, UNKNOWN),
        (0.94, UNKNOWN),
        (0.96, FOREGROUND),
        (1.0, FOREGROUND),
    ],
)
def test_a_constant_mask_is_unknown_between_0_05_and_0_95(
    shape: tuple[int, int], level: float, expected: int
) -> None:
    trimap = mask_to_trimap(np.full(shape, level, dtype=np.float32), band_radius=2)

    assert (trimap == expected).all()


def test_every_soft_pixel_is_unknown() -> None:
    mask = disk(81, softness=9)

    trimap = mask_to_trimap(mask, band_radius=2)

    assert (trimap[(mask > 0.05) & (mask < 0.95)] == UNKNOWN).all()


def test_the_band_reaches_three_mask_pixels_beyond_uncertain_ones() -> None:
    mask = np.zeros((5, 20), dtype=np.uint8)
    mask[:, 10:] = 255

    columns = np.flatnonzero(Band.of(mask, (50, 200)).edge.all(axis=0))

    assert columns.tolist() == list(range(6, 14))


def test_outside_the_band_the_mask_is_snapped_to_0_or_255() -> None:
    mask = np.full((40, 40), 9, dtype=np.uint8)
    mask[:, 20:] = 250

    band = Band.of(mask, (40, 40))

    assert set(band.mask[band.edge == 0].tolist()) == {0, 255}
    np.testing.assert_array_equal(band.mask[band.edge > 0], mask[band.edge > 0])


@pytest.mark.parametrize(
    ("photo", "mask", "expected"),
    [((300, 400), (100, 100), 4.0), ((300, 400, 3), (30, 40), 10.0), ((50, 60), (320, 320), 1.0)],
)
def test_a_mask_pixel_is_measured_along_the_longer_side_and_at_least_one_photo_pixel(
    photo: tuple[int, ...], mask: tuple[int, int], expected: float
) -> None:
    assert Band.of(np.zeros(mask, dtype=np.uint8), photo).mask_pixel == expected


@pytest.mark.parametrize(("side", "reduction"), [(16, 1), (50, 1), (25, 4), (400, 1)])
@pytest.mark.parametrize("shape", [(240, 240), (237, 301)])
def test_the_bands_tiles_have_all_its_weight_and_are_within_three_mask_pixels_of_it(
    shape: tuple[int, int], side: int, reduction: int
) -> None:
    band = Band.of(coarse_mask(disk(240), 48), shape)

    found = band.tiles(reduction, side=side)

    with_weight = {tile for tile in tiles(shape, side * reduction) if band.weight(tile).any()}
    near = round(3 * band.mask_pixel)
    assert with_weight <= set(found)
    assert all(band.weight(tile.reduced(1, halo=near, shape=shape)).any() for tile in found)


def test_blending_changes_a_matte_in_the_band_alone() -> None:
    band = Band.of(coarse_mask(disk(240), 48), (240, 240))
    matte = enlarge_mask(band.mask, band.shape)
    before = matte.copy()

    for tile in tiles(band.shape, 100):
        band.blend(np.full((tile.size[1], tile.size[0]), 0.5, np.float32), tile, onto=matte)

    weight = band.weight(Tile(0, 0, 240, 240))
    np.testing.assert_array_equal(matte[weight == 0], before[weight == 0])
    np.testing.assert_allclose(matte[weight == 1], 0.5)


@pytest.mark.parametrize("side", [7, 64, 300])
def test_an_enlarged_mask_does_not_depend_on_the_size_of_tiles(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = coarse_mask(disk(200), 40)
    whole = enlarge_mask(mask, (301, 257))

    monkeypatch.setattr(edge_band, "_ENLARGING_TILE_SIDE", side)

    np.testing.assert_allclose(enlarge_mask(mask, (301, 257)), whole, atol=1.1 / 255)


@pytest.mark.parametrize("reduction", [1, 2, 4])
@pytest.mark.parametrize("shape", [(301, 403), (120, 160)])
def test_every_pixel_whose_model_the_band_uses_is_reached(
    shape: tuple[int, int], reduction: int
) -> None:
    band = Band.of(coarse_mask(disk(100)), shape)
    small = tuple(-(-side // reduction) for side in shape)
    place = Tile(0, 0, *small).reduced(1, halo=0, shape=small)

    reached = band.reaches(place, reduction)

    rows, columns = np.nonzero(band.weight(Tile(0, 0, *shape)))
    for down in (-0.5, 0.5):  # the two nearest rows and columns of the copy
        for across in (-0.5, 0.5):
            row, column = (
                np.clip(np.floor((places + 0.5) / reduction + offset).astype(int), 0, side - 1)
                for places, offset, side in zip((rows, columns), (down, across), small, strict=True)
            )
            assert reached[row, column].all()
    assert not reached.all()
