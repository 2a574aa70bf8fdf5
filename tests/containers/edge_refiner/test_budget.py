"""More memory never means coarser work, and no photo is too large to be worked on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.edge_refiner.budget import Budget
from pipeline.contracts.cutout import Refine

MP = 1_000_000


@pytest.mark.parametrize("mode", ["fast", "auto", "matting"])
@given(
    photo=st.integers(1, 100 * MP),
    share=st.floats(0, 1),
    memory=st.integers(128, 10_240),
    more=st.integers(0, 10_240),
)
def test_more_memory_is_never_coarser(
    mode: Refine, photo: int, share: float, memory: int, more: int
) -> None:
    band = round(photo * share)

    rich, poor = Budget(memory + more), Budget(memory)
    assert rich.finest(mode, photo, band) <= poor.finest(mode, photo, band)
    assert poor.finest(mode, photo, band) >= poor.finest("fast", photo, band)


@pytest.mark.parametrize(
    ("megapixels", "band_share", "memory_mb", "expected"),
    [
        (12, 0.04, 4096, 1),
        (12, 0.40, 4096, 1),
        (50, 0.04, 4096, 1),
        (50, 0.40, 4096, 2),
        (100, 0.90, 4096, 4),
        (12, 0.04, 540, 2),
        (12, 0.04, 490, 4),
        (12, 0.04, 128, 4),
    ],
)
def test_large_photos_wide_bands_and_small_functions_step_down(
    megapixels: int, band_share: float, memory_mb: int, expected: int
) -> None:
    pixels = megapixels * MP

    assert Budget(memory_mb).finest("fast", pixels, round(pixels * band_share)) == expected
