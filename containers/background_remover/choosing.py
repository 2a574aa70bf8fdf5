"""Choose one of a decoder's candidate masks for a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.background_remover.network import Tensor
from containers.background_remover.sam_contracts import BOTTOM_RIGHT, TOP_LEFT, Mark

ANSWERS_OF_ALL: Final = 4
_SUBJECT: Final = 1

# SAM 2.1's own bounds: a mask is stable if at a level so much higher, it has nearly the same area.
_LEVEL_STEP: Final = 0.05
_LEAST_STABILITY: Final = 0.98

# A mask fills a box if its extent and the box have so much of their union in common. Its outermost
# pixels on each side do not count: decoders leave specks.
_LEAST_OVERLAP: Final = 0.75
_OUTERMOST: Final = 0.01


class Answer(NamedTuple):
    """A decoder's N×H×W logits and N scores for a prompt's marks.

    The marks are on a canvas of which H×W is the top left part, or all; its longer side has `long`
    pixels, and the logits' longer side shows all of it.
    """

    logits: Tensor
    scores: Tensor
    marks: Sequence[Mark]
    long: int


def choose(answer: Answer) -> int:
    """Choose the candidate, by the rule the model was trained with where the file allows it.

    A single point may mean a part, an object or a group, so the best score is chosen. Of four
    candidates, the first is for prompts of several marks, and is chosen for these only. Files with
    three candidates lack that one. For several marks, the mask that contradicts them least is
    chosen; of several, a stable one, and then the one with the best score.
    """
    several = len(answer.marks) > 1
    if len(answer.scores) == ANSWERS_OF_ALL:
        return 0 if several else 1 + int(np.argmax(answer.scores[1:]))
    if not several:
        return int(np.argmax(answer.scores))
    ranks = [
        (-_contradiction(plane, answer), _is_stable(plane), float(score))
        for plane, score in zip(answer.logits, answer.scores, strict=True)
    ]
    return max(range(len(ranks)), key=ranks.__getitem__)


def _contradiction(plane: Tensor, answer: Answer) -> float:
    """Count the points on the wrong side of a mask's outline; add the unfilled share of a box.

    A box counts as filled if it nearly is.
    """
    height, width = plane.shape
    scale = max(height, width) / answer.long
    wrong, box = 0, []
    for x, y, label in answer.marks:
        if label in {TOP_LEFT, BOTTOM_RIGHT}:
            box += [x * scale, y * scale]
            continue
        row, column = min(int(y * scale), height - 1), min(int(x * scale), width - 1)
        wrong += bool(plane[row, column] > 0) is not (label == _SUBJECT)
    overlap = _overlap(plane > 0, *box) if box else 1.0
    return wrong + (0.0 if overlap >= _LEAST_OVERLAP else 1 - overlap)


def _is_stable(plane: Tensor) -> bool:
    inner, outer = ((plane > level).sum() for level in (_LEVEL_STEP, -_LEVEL_STEP))
    return bool(inner >= _LEAST_STABILITY * outer)


def _overlap(
    mask: npt.NDArray[np.bool_], left: float, top: float, right: float, bottom: float
) -> float:
    """Return intersection over union of a mask's extent and a box."""
    if not mask.any():
        return 0.0
    first_row, last_row = _extent(mask.sum(axis=1))
    first_column, last_column = _extent(mask.sum(axis=0))
    width = max(0.0, min(right, last_column) - max(left, first_column))
    height = max(0.0, min(bottom, last_row) - max(top, first_row))
    areas = (right - left) * (bottom - top) + (last_row - first_row) * (last_column - first_column)
    return width * height / (areas - width * height)


def _extent(counts: npt.NDArray[np.int_]) -> tuple[int, int]:
    """Return where a mask begins and ends on one axis, without its outermost pixels."""
    share = np.cumsum(counts) / counts.sum()
    first = int(np.searchsorted(share, _OUTERMOST, side="right"))
    last = int(np.searchsorted(share, 1 - _OUTERMOST, side="left"))
    return first, last + 1
