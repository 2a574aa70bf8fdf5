"""Where landmarks are, and the crops they are found in: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from containers.face_analyzer.landmarks import box_around, crop_of, placed
from containers.face_analyzer.sampling import Part

PHOTO = np.zeros((100, 200, 3), np.uint8)


def share(x: float, y: float) -> np.ndarray:
    return np.tile([x, y], (1, 68, 1)).astype(float)


@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        (Part(10, 20, 40, 40), (20, 40)),
        (Part(10, 20, 20, 40), (10, 40)),  # ten pixels of padding on the left
        (Part(10, 20, 40, 20), (20, 30)),
        (Part(10, 20, 39, 40), (19.5, 40)),
    ],
)
def test_shares_of_the_padded_crop_become_pixels(crop: Part, expected: tuple[float, float]) -> None:
    assert placed(share(0.25, 0.5), [crop])[0, 0] == pytest.approx(expected)


def test_each_face_has_its_own_crop() -> None:
    both = placed(np.concatenate([share(0, 0)] * 2), [Part(5, 6, 9, 9), Part(50, 60, 9, 9)])

    assert both[:, 0].tolist() == [[5, 6], [50, 60]]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10.9, 20.2, 50.1, 60.9), Part(10, 20, 39, 40)),
        ((-30.5, -7.0, 20.6, 30.0), Part(0, 0, 20, 30)),
        ((150.5, 80.0, 260.0, 130.0), Part(150, 80, 49, 20)),
        ((10, 110, 50, 150), None),
        ((10, 20, 10.9, 60), None),
        ((-50, 20, 0, 60), None),
    ],
)
def test_crops_are_cut_off_and_then_rounded_down(
    box: tuple[float, ...], expected: Part | None
) -> None:
    assert crop_of(np.array(box), PHOTO) == expected


def test_the_crop_of_attributes_is_a_fifth_larger_than_the_landmarks() -> None:
    points = np.array([[10, 20], [30, 60], [20, 40]], float)

    assert box_around(points).tolist() == [8, 16, 32, 64]
