"""Only the edge band changes, more memory is never worse, and the result has the mode used."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.edge_refiner import closed_form_matting, edge_band
from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.budget import Budget
from containers.edge_refiner.edge_band import Band, enlarge_mask
from containers.edge_refiner.tiling import Tile
from pipeline.contracts.cutout import Refine, Refinement
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import (
    AMPLE,
    NIGHT,
    SAND,
    Alpha,
    coarse_mask,
    composite,
    disk,
    fabric,
    noisy,
    over,
    photo_of,
)

WORKING: tuple[Refine, ...] = ("fast", "matting", "auto")
FUR = disk(240, softness=14)
SCENE = over(
    fabric(240, (190, 120, 90), cell=6, seed=1), fabric(240, (70, 90, 130), cell=8, seed=2), FUR
)


def refined(
    rgb: Pixels, mask: Pixels, mode: Refine, budget: Budget = AMPLE
) -> tuple[Refinement, Alpha]:
    return estimate_alpha(photo_of(rgb), mask, mode=mode, budget=budget)


def matte(rgb: Pixels, mask: Pixels, mode: Refine) -> Alpha:
    return refined(rgb, mask, mode)[1]


@pytest.mark.parametrize("mode", WORKING)
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_outside_the_band_the_mask_is_unchanged(mode: Refine, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)
    mask = np.zeros((40, 50), dtype=np.uint8)
    mask[10:25, 12:30] = rng.integers(200, 256, (15, 18))

    alpha = matte(rgb, mask, mode)

    far = Band.of(mask, rgb.shape).weight(Tile(0, 0, 80, 100)) == 0
    assert far.any()
    np.testing.assert_array_equal(alpha[far], enlarge_mask(mask, (80, 100))[far])


@pytest.mark.parametrize("mode", WORKING)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_flipped_photo_gives_a_flipped_matte(mode: Refine, axis: int) -> None:
    mask = coarse_mask(FUR, 64)
    odd = composite(SAND, NIGHT, FUR)[:, 3:]  # 240 divides by 16, 237 by nothing
    for photo, tolerance in ((SCENE, 0.02), (odd, 0.07)):
        straight = matte(photo, mask, mode)
        flipped = matte(np.flip(photo, axis).copy(), np.flip(mask, axis).copy(), mode)

        np.testing.assert_allclose(np.flip(flipped, axis), straight, atol=tolerance)


@pytest.mark.parametrize("shape", [(249, 337), (337, 249), (747, 1001)])
def test_edges_are_followed_at_the_far_corner_of_a_photo_that_no_reduction_divides(
    shape: tuple[int, int],
) -> None:
    down, across = np.indices(shape)
    distance = np.hypot(down - shape[0] * 0.78, across - shape[1] * 0.78)
    true = np.clip(0.18 * min(shape) - distance + 0.5, 0, 1).astype(np.float32)
    rgb, mask = composite(SAND, NIGHT, true), coarse_mask(true, max(shape) // 5)

    followed, enlarged = matte(rgb, mask, "fast"), enlarge_mask(mask, shape)

    assert np.abs(followed - true).sum() < 0.1 * np.abs(enlarged - true).sum()


@pytest.mark.parametrize("mode", WORKING)
@pytest.mark.parametrize("side", [48, 80])
def test_the_matte_does_not_depend_on_the_size_of_tiles(
    mode: Refine, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = coarse_mask(FUR, 64)
    whole, tiled = (_matte_in_tiles(each, mask, mode, monkeypatch) for each in (400, side))

    np.testing.assert_allclose(tiled, whole, atol=1e-3)
    assert np.abs(tiled - whole).mean() < 3e-4


def _matte_in_tiles(
    side: int, mask: Pixels, mode: Refine, monkeypatch: pytest.MonkeyPatch
) -> Alpha:
    for module in (edge_band, closed_form_matting):
        monkeypatch.setattr(module, "_TILE_SIDE", side)
    return matte(SCENE, mask, mode)


def test_matting_at_half_resolution_is_reported_and_changes_the_matte() -> None:
    true = disk(640, softness=20)
    rgb, mask = noisy(composite(SAND, NIGHT, true), 8), coarse_mask(true, 340)

    (done, solved), (_, separated) = (
        refined(rgb, mask, mode, Budget(261)) for mode in ("matting", "auto")
    )

    assert (done.mode, done.resolution) == ("matting", "half")
    assert np.abs(solved - separated).max() > 0.01


def test_equations_hardly_change_the_matte_between_similar_colours() -> None:
    wall, mask = noisy(np.full((240, 240, 3), SAND, dtype=np.uint8), 4), coarse_mask(disk(240))

    change = np.abs(matte(wall, mask, "matting") - matte(wall, mask, "auto"))

    assert change.mean() < 0.04  # 0.07 with one weight for all: equations mix similar colours


@pytest.mark.parametrize("mode", WORKING)
@pytest.mark.parametrize("softness", [1, 30])
def test_more_memory_never_gives_a_larger_error(mode: Refine, softness: int) -> None:
    true = disk(640, softness=softness)
    rgb, mask = composite(SAND, NIGHT, true), coarse_mask(true, 96)

    results = [refined(rgb, mask, mode, Budget(mb)) for mb in (128, 261, 4096)]

    errors = [float(np.abs(alpha - true).mean()) for _, alpha in results]
    assert [done.resolution for done, _ in results] == ["quarter", "half", "full"]
    kept = float(np.abs(enlarge_mask(mask, true.shape) - true).mean())
    for more, less in itertools.pairwise([*reversed(errors), kept]):
        assert more < less + 0.0002  # a twentieth of a level


@pytest.mark.parametrize("mode", WORKING)
@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.zeros((8, 8), dtype=np.uint8), "has no edge"),
        (np.full((8, 8), 255, dtype=np.uint8), "has no edge"),
        (np.zeros((1, 1), dtype=np.uint8), "has no edge"),
        (np.full((1, 1), 120, dtype=np.uint8), "no part of the mask is certain"),
        (np.full((8, 8), 120, dtype=np.uint8), "no part of the mask is certain"),
    ],
    ids=["empty", "full", "one-pixel", "one-uncertain-pixel", "uncertain"],
)
@pytest.mark.parametrize("shape", [(1, 1), (40, 30)])
def test_a_mask_without_an_edge_is_kept_and_the_reason_is_returned(
    mode: Refine, mask: Pixels, reason: str, shape: tuple[int, int]
) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)

    done, alpha = refined(rgb, mask, mode)

    assert (done.mode, done.resolution) == ("none", None)
    assert done.kept_mask is not None
    assert reason in done.kept_mask
    np.testing.assert_array_equal(alpha, enlarge_mask(mask, shape))


def test_the_mask_is_kept_when_memory_forces_a_copy_coarser_than_it() -> None:
    done, alpha = refined(SCENE, coarse_mask(FUR, 200), "auto", Budget(128))

    assert done.kept_mask == "memory is too small to refine at the mask's resolution"
    np.testing.assert_array_equal(alpha, enlarge_mask(coarse_mask(FUR, 200), FUR.shape))


@pytest.mark.parametrize("mode", WORKING)
def test_the_result_has_the_requested_mode_when_memory_is_ample(mode: Refine) -> None:
    assert refined(SCENE, coarse_mask(FUR, 64), mode)[0] == Refinement(
        mode=mode, budget_mb=AMPLE.memory_mb, resolution="full"
    )
