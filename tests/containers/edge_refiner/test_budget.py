"""More memory never gives a coarser copy, and every photo gets one."""

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
def test_more_memory_never_gives_a_coarser_copy(
    mode: Refine, photo: int, share: float, memory: int, more: int
) -> None:
    band = round(photo * share)

    large, small = Budget(memory + more), Budget(memory)
    assert large.finest_reduction(mode, photo, band) <= small.finest_reduction(mode, photo, band)
    assert small.finest_reduction(mode, photo, band) >= small.finest_reduction("fast", photo, band)


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
def test_large_photos_wide_bands_and_small_functions_use_a_coarser_copy(
    megapixels: int, band_share: float, memory_mb: int, expected: int
) -> None:
    pixels = megapixels * MP
    band_pixels = round(pixels * band_share)

    assert Budget(memory_mb).finest_reduction("fast", pixels, band_pixels) == expected
