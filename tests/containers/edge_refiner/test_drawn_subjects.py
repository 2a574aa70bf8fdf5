"""What `auto` is for: better on hair, fur and nets, and no worse on hard edges, of any colours."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from containers.edge_refiner.alpha import estimate_alpha
from tests.bench.edges.masks import EYES
from tests.bench.edges.scenes import Scene, drawn_scene
from tests.bench.edges.scoring import enlarged
from tests.containers.edge_refiner import AMPLE, Alpha, photo_of

MOST = {
    "hair": 0.5, "fur": 0.5, "mesh": 0.5, "glass": 1.02,
    "plain": 0.7, "patterned": 1.02, "disguised": 1.02,
}  # fmt: skip


@cache
def scene(subject: str) -> Scene:
    return drawn_scene(subject, seed=3)


def remaining_error(of: Scene, side: int) -> float:
    """The alpha error as a multiple of the mask's."""
    true: Alpha = of.truth.alpha
    _, alpha = estimate_alpha(photo_of(of.photo), of.masks[side], mode="auto", budget=AMPLE)
    return float(np.abs(alpha - true).sum() / np.abs(enlarged(of, side) - true).sum())


@pytest.mark.parametrize("side", sorted(EYES))
@pytest.mark.parametrize("subject", MOST)
def test_at_most_that_much_of_the_masks_error_is_left(subject: str, side: int) -> None:
    assert remaining_error(scene(subject), side) < MOST[subject]
