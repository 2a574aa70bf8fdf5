"""A trimap says what is certain, and puts a band where there is doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.trimap import BACKGROUND, FOREGROUND, UNKNOWN, mask_to_trimap
from tests.containers.edge_refiner import disk

masks = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(0, 1, width=32),
)


@settings(max_examples=60, deadline=None)
@given(mask=masks, radius=st.integers(0, 5))
def test_every_pixel_is_background_unknown_or_foreground(mask: Plane, radius: int) -> None:
    trimap = mask_to_trimap(mask, band_radius=radius)

    assert trimap.dtype == np.uint8
    assert trimap.shape == mask.shape
    assert set(np.unique(trimap)) <= {0, 128, 255}


@settings(max_examples=60, deadline=None)
@given(mask=masks, radius=st.integers(0, 5))
def test_what_is_certain_is_what_the_mask_says(mask: Plane, radius: int) -> None:
    trimap = mask_to_trimap(mask, band_radius=radius)

    assert (mask[trimap == FOREGROUND] >= 0.5).all()
    assert (mask[trimap == BACKGROUND] < 0.5).all()


def test_a_disk_has_all_three_parts_in_order() -> None:
    trimap = mask_to_trimap(disk(101), band_radius=4)

    row = trimap[50]
    assert np.unique(trimap).tolist() == [BACKGROUND, UNKNOWN, FOREGROUND]
    assert row[np.flatnonzero(np.diff(row.astype(int)))].tolist() == [0, 128, 255, 128]


@pytest.mark.parametrize(
    ("radius", "band"), [(0, range(9, 11)), (1, range(8, 12)), (4, range(5, 15))]
)
def test_a_hard_edge_has_a_band_as_wide_as_asked(radius: int, band: range) -> None:
    mask = np.zeros((5, 20), dtype=np.float32)
    mask[:, 10:] = 1

    trimap = mask_to_trimap(mask, band_radius=radius)

    unknown = np.flatnonzero((trimap == UNKNOWN).all(axis=0))
    assert unknown.tolist() == list(band)
    assert (trimap[:, : band.start] == BACKGROUND).all()
    assert (trimap[:, band.stop :] == FOREGROUND).all()


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
def test_only_an_undecided_mask_is_unknown(
    shape: tuple[int, int], level: float, expected: int
) -> None:
    trimap = mask_to_trimap(np.full(shape, level, dtype=np.float32), band_radius=2)

    assert (trimap == expected).all()


def test_the_band_holds_every_soft_pixel() -> None:
    mask = disk(81, softness=9)

    trimap = mask_to_trimap(mask, band_radius=2)

    assert (trimap[(mask > 0.05) & (mask < 0.95)] == UNKNOWN).all()
