"""More memory never gives a coarser copy, and every photo gets one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.edge_refiner.budget import Budget, refining_bytes
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions, Refine

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


def needed(width: int, height: int, **asked: object) -> int:
    source = SourcePhoto(
        bucket="b", key="k", version_id=None, etag="", sha256="", bytes=0,
        media_type="", width=width, height=height,
    )  # fmt: skip
    return refining_bytes(source, CutoutOptions.model_validate({"model": "any", **asked}))


def test_an_avif_needs_more_memory_but_never_for_more_pixels_than_it_may_have() -> None:
    plain, avif = (needed(6_000, 4_000, format=each) for each in ("png", "avif"))
    reduced = needed(6_000, 4_000, format="avif", size=1_000)
    vast, vaster = (needed(side, 10_000, format="avif") for side in (5_000, 10_000))

    assert reduced == plain < avif
    assert vaster - vast < vast - needed(0, 0)
