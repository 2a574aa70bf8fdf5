"""Define the result of every engine: a mask, and the candidates of prompts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from containers.background_remover.network import Tensor
from containers.background_remover.subject import LEAST_COVERAGE
from pipeline.photo.pixels import Pixels


@dataclass(frozen=True, eq=False)
class CandidateMask:
    """A candidate mask for a prompt, with the model's score."""

    mask: Pixels
    score: float
    chosen: bool


@dataclass(frozen=True, eq=False)
class Prediction:
    """A mask of all chosen subjects; `subjects` has each prompt's candidates.

    A mask that covers less than `least_coverage` of the photo shows no subject.
    """

    mask: Pixels
    subjects: tuple[tuple[CandidateMask, ...], ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    least_coverage: float = LEAST_COVERAGE


def probability(logits: Tensor) -> Tensor:
    """Return the sigmoid, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def to_levels(probabilities: Tensor) -> Pixels:
    """Convert 0…1 (clipped) to 0…255."""
    levels: Pixels = (np.clip(probabilities, 0, 1) * 255 + 0.5).astype(np.uint8)
    return levels
