"""Where heads point: the general head, turned, is found as it was turned."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from containers.face_analyzer.pose import HEAD, USED, pose_of

Matrix = npt.NDArray[np.float64]


def turned(roll: float, pitch: float, yaw: float, *, scale: float = 12) -> Matrix:
    """Landmarks of a head that points down by `pitch`, right by `yaw`, and is then rolled."""
    r, p, y = (math.radians(angle) for angle in (roll, pitch, yaw))
    own = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    down = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    right = np.array([[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]])
    points = np.zeros((68, 2))
    points[list(USED)] = (HEAD @ (right @ down @ own).T)[:, :2] * scale + (300, 200)
    return points


def angles(points: Matrix) -> tuple[float, float, float]:
    pose = pose_of(points)
    assert pose is not None
    return pose.roll, pose.pitch, pose.yaw


@pytest.mark.parametrize(
    "expected",
    [(0, 0, 0), (20, 0, 0), (0, 25, 0), (0, 0, 40), (-15, 10, -30), (90, 0, 0), (170, -20, 35)],
)
def test_a_turned_head_is_found(expected: tuple[float, float, float]) -> None:
    assert angles(turned(*expected)) == pytest.approx(expected, abs=0.02)


def test_the_size_of_a_face_changes_nothing() -> None:
    assert angles(turned(5, 6, 7, scale=0.5)) == pytest.approx((5, 6, 7), abs=0.02)


def test_a_nose_to_the_right_is_a_head_to_the_right() -> None:
    points = turned(0, 0, 0)
    points[[31, 35], 0] += 20

    assert angles(points)[2] > 8


def test_a_nose_further_down_is_a_head_that_looks_down() -> None:
    points = turned(0, 0, 0)
    points[[31, 35], 1] += 20

    assert angles(points)[1] > 8


def test_a_head_tilted_to_the_right_of_the_picture_is_clockwise() -> None:
    points = turned(0, 0, 0)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])  # x to y, which is downwards

    assert angles(points @ turn.T)[0] == pytest.approx(math.degrees(math.atan2(0.6, 0.8)), abs=0.1)


def test_landmarks_on_a_line_have_no_pose() -> None:
    points = np.zeros((68, 2))
    points[:, 0] = np.arange(68)

    assert pose_of(points) is None
    assert pose_of(np.full((68, 2), 7.0)) is None
