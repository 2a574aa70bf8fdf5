"""Refining removes most of the mask's error on hair, fur and nets, and adds none on hard edges."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.budget import Budget
from pipeline.contracts.cutout import Refine
from pipeline.photo.pixels import Pixels
from tests.bench.edges.masks import EYES, RATIOS, seen_by
from tests.bench.edges.scenes import Scene, drawn_scene
from tests.bench.edges.scoring import enlarged
from tests.containers.edge_refiner import (
    AMPLE,
    Alpha,
    composite,
    disk,
    fabric,
    noisy,
    over,
    photo_of,
)

# Limits, as multiples of the error of the enlarged mask.
MOST: dict[Refine, dict[str, float]] = {
    "auto": {
        "hair": 0.4, "fur": 0.4, "mesh": 0.3, "glass": 1.0,
        "plain": 0.6, "patterned": 0.95, "disguised": 0.6,
    },
    "matting": {
        "hair": 0.5, "fur": 0.5, "mesh": 0.4, "glass": 1.0,
        "plain": 0.7, "patterned": 1.02, "disguised": 0.7,
    },
}  # fmt: skip
# The same of a matting network's mask, of which `auto` follows only a part of its change.
OF_A_MATTE = {
    "hair": 0.7, "fur": 0.7, "mesh": 0.65, "glass": 1.0,
    "plain": 0.9, "patterned": 1.0, "disguised": 0.95,
}  # fmt: skip
SIDE = 900
OUT_OF_FOCUS = disk(SIDE, softness=25)


@cache
def scene(subject: str) -> Scene:
    return drawn_scene(subject, seed=3)


def remaining_error(photo: Pixels, mask: Pixels, true: Alpha, kept: Alpha, mode: Refine) -> float:
    """Return the error of alpha as a multiple of the error of `kept`, the enlarged mask."""
    _, alpha = estimate_alpha(photo_of(photo), mask, mode=mode, budget=AMPLE)
    return float(np.abs(alpha - true).sum() / np.abs(kept - true).sum())


@pytest.mark.parametrize("mode", MOST)
@pytest.mark.parametrize("side", sorted(EYES))
@pytest.mark.parametrize("subject", MOST["auto"])
def test_no_more_of_the_masks_error_remains_than_the_limit(
    subject: str, side: int, mode: Refine
) -> None:
    drawn = scene(subject)

    remaining = remaining_error(
        drawn.photo, drawn.masks[side], drawn.truth.alpha, enlarged(drawn, drawn.masks[side]), mode
    )

    assert remaining < MOST[mode][subject]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("subject", OF_A_MATTE)
def test_no_more_of_a_mattes_error_remains_than_the_limit(subject: str, ratio: int) -> None:
    drawn = scene(subject)
    matte, true = drawn.mattes[ratio], drawn.truth.alpha

    _, alpha = estimate_alpha(
        photo_of(drawn.photo), matte, output="alpha", mode="auto", budget=AMPLE
    )

    remaining = np.abs(alpha - true).sum() / np.abs(enlarged(drawn, matte) - true).sum()
    assert remaining < OF_A_MATTE[subject]


@pytest.mark.parametrize("subject", ["hair", "fur", "mesh", "plain", "disguised"])
def test_more_memory_never_gives_a_larger_error(subject: str) -> None:
    drawn = scene(subject)
    budgets = {"quarter": Budget(250), "half": Budget(280), "full": AMPLE}

    results = {
        resolution: estimate_alpha(
            photo_of(drawn.photo), drawn.masks[320], mode="auto", budget=each
        )
        for resolution, each in budgets.items()
    }

    errors = [float(np.abs(alpha - drawn.truth.alpha).sum()) for _, alpha in results.values()]
    kept = float(np.abs(enlarged(drawn, drawn.masks[320]) - drawn.truth.alpha).sum())
    assert [done.resolution for done, _ in results.values()] == list(budgets)
    for less, more in itertools.pairwise([kept, *errors]):
        assert more < less + 0.01 * kept


@pytest.mark.parametrize(
    "photo",
    [
        noisy(composite((190, 110, 90), (90, 140, 150), OUT_OF_FOCUS), 20),
        over(
            fabric(SIDE, (170, 120, 90), cell=5, seed=1),
            fabric(SIDE, (90, 120, 140), cell=10, seed=2),
            OUT_OF_FOCUS,
        ),
    ],
    ids=["noise", "cloth"],
)
@pytest.mark.parametrize("side", sorted(EYES))
def test_a_subject_out_of_focus_adds_at_most_a_tenth_to_the_masks_error(
    photo: Pixels, side: int
) -> None:
    mask = seen_by(EYES[side], OUT_OF_FOCUS, seed=1)
    kept = estimate_alpha(photo_of(photo), mask, mode="none", budget=AMPLE)[1]

    assert remaining_error(photo, mask, OUT_OF_FOCUS, kept, "auto") < 1.1
