"""The metrics of an output image have its opacity, centre and brightness."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.figures import measure
from pipeline.photo.pixels import Pixels

SIDES = (40, 80)


def opacity(top: int, left: int, *, level: int = 255) -> Pixels:
    """Draw a rectangle of 10 × 20 visible pixels in 40 × 80 transparent ones."""
    image = np.zeros(SIDES, np.uint8)
    image[top : top + 10, left : left + 20] = level
    return image


def test_a_cutout_is_measured_by_its_alpha_and_its_visible_colour() -> None:
    cutout = np.zeros((*SIDES, 4), np.uint8)
    cutout[..., :3] = 50
    cutout[..., 3] = opacity(10, 40)

    assert measure(cutout) == {
        "opaque_share": 0.0625,
        "transparent_share": 0.9375,
        "subject_x": 0.625,
        "subject_y": 0.375,
        "subject_brightness": round(50 / 255, 5),
    }


def test_brightness_weights_colours_as_luma_does() -> None:
    image = np.zeros((*SIDES, 3), np.uint8)
    image[..., 1] = 255

    assert measure(image)["subject_brightness"] == 0.587


def test_a_mask_has_no_brightness() -> None:
    assert measure(opacity(0, 0, level=128)) == {
        "opaque_share": 0.0,
        "transparent_share": 0.9375,
        "subject_x": 0.125,
        "subject_y": 0.125,
    }


def test_an_image_without_alpha_is_opaque() -> None:
    assert measure(np.full((*SIDES, 3), 255, np.uint8)) == {
        "opaque_share": 1.0,
        "transparent_share": 0.0,
        "subject_x": 0.5,
        "subject_y": 0.5,
        "subject_brightness": 1.0,
    }


def test_an_invisible_image_has_no_centre_and_no_brightness() -> None:
    nothing = np.zeros((*SIDES, 4), np.uint8)

    assert measure(nothing) == {"opaque_share": 0.0, "transparent_share": 1.0}


@pytest.mark.parametrize("factor", [13, 40])
def test_a_large_image_has_the_figures_of_a_small_one(factor: int) -> None:
    large = np.kron(opacity(10, 40), np.ones((factor, factor), np.uint8))

    assert measure(large) == pytest.approx(measure(opacity(10, 40)), abs=0.005)
