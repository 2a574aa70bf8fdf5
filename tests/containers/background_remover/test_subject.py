"""A photo has a subject when the model is sure of enough of it."""

from __future__ import annotations

import numpy as np
import pytest

from containers.background_remover.subject import require_subject
from pipeline.errors import NoSubject
from pipeline.photo.pixels import Pixels


def mask_of(*shares: tuple[int, int]) -> Pixels:
    """A mask of 1,000 pixels, black but for `count` pixels of each `level`."""
    pixels = np.zeros(1000, dtype=np.uint8)
    counts, levels = np.array(shares).T
    pixels[: counts.sum()] = np.repeat(levels, counts)
    return pixels.reshape(25, 40)


@pytest.mark.parametrize("mask", [mask_of((2, 255)), mask_of((2, 230)), mask_of((1000, 230))])
def test_0_2_percent_of_confident_pixels_are_a_subject(mask: Pixels) -> None:
    assert require_subject(mask)["subject_coverage"] >= 0.002


@pytest.mark.parametrize("mask", [mask_of((1, 255)), mask_of((1000, 229)), mask_of((1000, 0))])
def test_too_few_confident_pixels_raise_no_subject(mask: Pixels) -> None:
    with pytest.raises(NoSubject, match=r"at least 0\.2% is required"):
        require_subject(mask)


def test_the_error_states_the_confident_share() -> None:
    with pytest.raises(NoSubject, match=r"^the model is confident about 0\.10% of the photo"):
        require_subject(mask_of((1, 255)))


def test_the_figures_are_those_of_the_mask() -> None:
    figures = require_subject(mask_of((200, 255), (100, 153), (100, 51)))

    assert figures == {
        "subject_coverage": 0.3,
        "mask_softness": 0.2,
        "mask_confidence": pytest.approx((2 * 1.0 + 0.6) / 3, abs=1e-5),
        "subject_x": pytest.approx((280 * 0.5 + 20 * 0.25) / 300, abs=1e-5),
        "subject_y": pytest.approx((280 * 3.5 + 20 * 7.5) / 300 / 25, abs=1e-5),
    }


@pytest.mark.parametrize(
    ("level", "softness"), [(0, 0.0), (25, 0.0), (26, 0.5), (229, 0.5), (230, 0.0), (255, 0.0)]
)
def test_softness_counts_what_is_neither_a_tenth_nor_nine(level: int, softness: float) -> None:
    figures = require_subject(mask_of((500, 255), (500, level)))

    assert figures["mask_softness"] == softness
