"""The chosen candidate is the one the model was trained to give, or that agrees with the marks."""

from __future__ import annotations

import numpy as np
import pytest

from containers.background_remover.choosing import Answer, choose
from containers.background_remover.network import Tensor
from containers.background_remover.sam_contracts import Mark

LONG = 64  # of the canvas; a mask has half as many pixels
ON: Mark = (20, 20, 1)
OFF: Mark = (50, 50, 0)
BOX: list[Mark] = [(8, 16, 2), (40, 48, 3)]


def block(x0: int, y0: int, x1: int, y1: int) -> Tensor:
    """Logits of a rectangle, given in pixels of the canvas."""
    plane = np.full((LONG // 2, LONG // 2), -9, np.float32)
    plane[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = 9
    return plane


WHOLE = block(0, 0, 64, 64)
BOXED = block(8, 16, 40, 48)
CORNER = block(0, 0, 30, 30)
NONE = block(0, 0, 0, 0)


def shaky(plane: Tensor) -> Tensor:
    """The same mask with a seam that a slightly higher level loses."""
    seam = plane.copy()
    seam[4:8, 4:28] = 0.04
    return seam


def chosen(planes: list[Tensor], scores: list[float], *marks: Mark) -> int:
    return choose(Answer(np.stack(planes), np.array(scores, np.float32), marks, LONG))


@pytest.mark.parametrize(
    ("scores", "marks", "best"),
    [
        ([0.9, 0.1, 0.2, 0.3], [ON], 3),
        ([0.1, 0.9, 0.2, 0.3], [ON, OFF], 0),
        ([0.1, 0.9, 0.2], [ON], 1),
        ([0.4], [ON], 0),
        ([0.4], [ON, OFF], 0),
    ],
)
def test_a_candidate_is_chosen_as_the_model_was_trained(
    scores: list[float], marks: list[Mark], best: int
) -> None:
    assert chosen([WHOLE] * len(scores), scores, *marks) == best


def test_of_three_the_one_that_agrees_with_most_points_is_chosen() -> None:
    scores = [0.9, 0.5, 0.7]

    assert chosen([WHOLE, CORNER, NONE], scores, ON, OFF) == 1
    assert chosen([WHOLE, CORNER, NONE], scores, ON, (55, 10, 1)) == 0
    assert chosen([CORNER, NONE, WHOLE], scores, ON, OFF) == 0


def test_of_three_the_one_that_fills_the_box_is_chosen() -> None:
    assert chosen([WHOLE, CORNER, BOXED], [0.9, 0.8, 0.1], *BOX) == 2
    assert chosen([NONE, BOXED, CORNER], [0.9, 0.1, 0.8], *BOX) == 1
    assert chosen([WHOLE, CORNER, BOXED], [0.9, 0.8, 0.1], (12, 20, 0), *BOX) == 2


def test_of_masks_that_do_not_fill_the_box_the_nearest_is_chosen() -> None:
    half = block(8, 16, 24, 48)

    assert chosen([NONE, half, WHOLE], [0.9, 0.1, 0.8], *BOX) == 1


def test_a_speck_is_no_part_of_the_extent() -> None:
    specked = BOXED.copy()
    specked[0, 31] = 9

    assert chosen([WHOLE, specked, CORNER], [0.9, 0.1, 0.8], *BOX) == 1


def test_of_those_that_agree_a_stable_one_is_chosen_and_then_the_best_score() -> None:
    marks: list[Mark] = [ON, (22, 22, 1)]

    assert chosen([shaky(WHOLE), CORNER, NONE], [0.9, 0.5, 0.7], *marks) == 1
    assert chosen([CORNER, WHOLE, NONE], [0.5, 0.6, 0.7], *marks) == 1
    assert chosen([shaky(CORNER), shaky(WHOLE), NONE], [0.6, 0.5, 0.7], *marks) == 0


def test_agreement_counts_more_than_stability_and_stability_more_than_score() -> None:
    assert chosen([shaky(CORNER), WHOLE, WHOLE], [0.1, 0.9, 0.9], ON, OFF) == 0


def test_a_mark_at_the_edge_of_the_photo_is_on_the_mask() -> None:
    assert chosen([NONE, WHOLE, NONE], [0.9, 0.1, 0.8], (64, 64, 1), (63.9, 0, 1)) == 1


def test_marks_lie_on_the_canvas_also_where_the_masks_are_its_upper_part() -> None:
    lower = np.full((24, 32), -9, np.float32)
    lower[16:] = 9
    upper = -lower

    assert chosen([upper, lower, upper], [0.9, 0.1, 0.8], (10, 40, 1), (50, 36, 1)) == 1
