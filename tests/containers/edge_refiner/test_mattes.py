"""The mask of a matting network is alpha already: `auto` trusts it more than another mask."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.alpha import FOLLOWED, estimate_alpha
from containers.edge_refiner.edge_band import enlarge_mask
from pipeline.contracts.cutout import Output, Refine
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import (
    AMPLE,
    NIGHT,
    SAND,
    Alpha,
    coarse_mask,
    composite,
    disk,
    noisy,
    photo_of,
)

TRUE = disk(300, softness=6)
PHOTO = noisy(composite(SAND, NIGHT, TRUE), 2)
CLEAN = coarse_mask(TRUE)  # 0 and 255 outside the edge band: nothing to round
FAINT = 9  # of 255: below the 5% that count as certain


def refined(mask: Pixels, output: Output, mode: Refine) -> Alpha:
    return estimate_alpha(photo_of(PHOTO), mask, output=output, mode=mode, budget=AMPLE)[1]


def test_auto_follows_a_share_of_its_own_change() -> None:
    mask, found = enlarge_mask(CLEAN, PHOTO.shape), refined(CLEAN, "mask", "auto")

    followed = refined(CLEAN, "alpha", "auto")

    assert np.abs(found - mask).max() > 0.1
    np.testing.assert_allclose(followed, mask + FOLLOWED * (found - mask), atol=1e-5)


@pytest.mark.parametrize("mode", ["none", "fast", "matting"])
def test_a_mode_that_a_user_asks_for_has_its_full_effect(mode: Refine) -> None:
    np.testing.assert_array_equal(refined(CLEAN, "alpha", mode), refined(CLEAN, "mask", mode))


@pytest.mark.parametrize("mode", ["fast", "auto", "matting"])
@pytest.mark.parametrize("level", [FAINT, 255 - FAINT])
def test_faint_alpha_outside_the_band_stays(mode: Refine, level: int) -> None:
    """Of a mask it is noise, and rounded."""
    certain = 0 if level == FAINT else 255
    matte = np.where(certain == CLEAN, np.uint8(level), CLEAN)
    far = (10, 10) if level == FAINT else (150, 150)

    assert refined(matte, "alpha", mode)[far] == pytest.approx(level / 255, abs=1e-6)
    assert refined(matte, "mask", mode)[far] == round(level / 255)


def test_outside_the_band_a_matte_is_the_enlarged_mask_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    matte = np.where(CLEAN == 0, rng.integers(0, FAINT, CLEAN.shape, dtype=np.uint8), CLEAN)

    alpha, mask = refined(matte, "alpha", "auto"), enlarge_mask(matte, PHOTO.shape)

    far = np.s_[:24]  # rows above the disk and its band
    assert np.ptp(mask[far]) > 0
    np.testing.assert_array_equal(alpha[far], mask[far])


def test_too_little_memory_keeps_the_matte_unrounded() -> None:
    matte = np.full((64, 64), FAINT, dtype=np.uint8)

    done, alpha = estimate_alpha(photo_of(PHOTO), matte, output="alpha", mode="auto", budget=AMPLE)

    assert done.kept_mask == "the mask has no edge"
    np.testing.assert_allclose(alpha, FAINT / 255, atol=1e-6)
