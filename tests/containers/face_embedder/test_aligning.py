"""Faces as the embedding networks expect them, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from containers.face_embedder.aligning import (
    Rectangle,
    similarity,
    square_of,
    squeezed,
    straightened,
    stretched,
)
from containers.face_embedder.spec import Pixels, Points
from pipeline.contracts.faces import Box
from tests.embedding_models import Square, draw, landmarks

# Where OpenCV expects the five points on 112 pixels.
OPENCV = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def turned(points: Points, *, degrees: float, scale: float, move: tuple[float, float]) -> Points:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved: Points = scale * points @ turn.T + move
    return moved


def dlib_points(eyes: float, mouth: float, *, left: float = 40, right: float = 60) -> Points:
    """68 points whose eyes and mouth are at these heights and columns; the mouth is between."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48] = (left, eyes), (right, eyes)
    points[48:] = (left + right) / 2, mouth
    return points


class TestStretched:
    def test_is_what_pillow_makes_of_the_box(self) -> None:
        """Edges of a box are cut to whole pixels, towards the top left."""
        photo = noise(80, 90)

        face = stretched(photo, Box(x=10.9, y=20.9, width=30.2, height=40), 16)

        cut = Image.fromarray(photo).crop((10, 20, 41, 60))
        expected = np.asarray(cut.resize((16, 16), Image.Resampling.BILINEAR))
        assert face is not None
        assert (face == expected).all()

    def test_is_the_part_inside_the_photo(self) -> None:
        """A box may reach outside; what is inside is stretched."""
        photo = noise(50, 50)

        outside = stretched(photo, Box(x=-10, y=-5, width=100, height=25), 16)
        inside = stretched(photo, Box(x=0, y=0, width=50, height=20), 16)

        assert outside is not None
        assert inside is not None
        assert (outside == inside).all()

    @pytest.mark.parametrize("x", [-40, 50, 49.5, 1e9, -1e9])
    def test_is_nothing_outside(self, x: float) -> None:
        """Without a pixel in the box, there is no face."""
        assert stretched(noise(50, 50), Box(x=x, y=10, width=0.4, height=20), 16) is None


class TestSimilarity:
    def test_turns_scales_and_moves(self) -> None:
        """Four points, turned by 90°, doubled, and moved by (5, 7): x becomes y."""
        square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])

        matrix = similarity(square, turned(square, degrees=90, scale=2, move=(5, 7)))

        assert matrix == pytest.approx(np.array([[0, -2, 5], [2, 0, 7]]), abs=1e-12)

    @pytest.mark.parametrize("degrees", [0, 10, -35, 179, 90])
    def test_finds_any_similarity_again(self, degrees: float) -> None:
        """What one moved, it moves, too."""
        moved = turned(OPENCV, degrees=degrees, scale=0.7, move=(3, -8))

        matrix = similarity(OPENCV, moved)

        assert OPENCV @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(moved)

    def test_never_mirrors(self) -> None:
        """Mirrored points are met as well as turning can."""
        matrix = similarity(OPENCV, OPENCV * [-1, 1])

        assert np.linalg.det(matrix[:, :2]) > 0

    def test_is_the_best_of_all(self) -> None:
        """No other small change of it has a smaller squared distance."""
        target = OPENCV + np.array([[3, -2], [0, 4], [-5, 1], [2, 2], [0, -3.0]])
        matrix = similarity(OPENCV, target)

        def error(angle: float, scale: float) -> float:
            turn = turned(np.eye(2), degrees=angle, scale=1 + scale, move=(0, 0)).T
            moved = OPENCV @ (turn @ matrix[:, :2]).T
            moved += target.mean(axis=0) - moved.mean(axis=0)
            return float(((moved - target) ** 2).sum())

        best = error(0, 0)
        assert all(error(a, s) > best for a, s in [(0.5, 0), (-0.5, 0), (0, 0.01), (0, -0.01)])


class TestStraightened:
    def test_of_points_where_they_are_expected_is_the_photo(self) -> None:
        """Nothing moves: pixels stay what they are."""
        photo = noise(112, 112)

        assert straightened(photo, OPENCV, 112) == pytest.approx(photo.astype(float), abs=1e-3)

    def test_undoes_a_turn(self) -> None:
        """A face turned by 90° about the corner stands upright again."""
        photo = noise(112, 112)
        flat = np.rot90(photo, -1)  # clockwise: (x, y) becomes (111 - y, x)
        points = np.column_stack([111 - OPENCV[:, 1], OPENCV[:, 0]])

        upright = straightened(np.ascontiguousarray(flat), points, 112)

        assert upright == pytest.approx(photo.astype(float), abs=1e-2)

    def test_mixes_four_pixels(self) -> None:
        """Half a pixel to the right and a quarter down is a mean with these weights."""
        photo = noise(130, 130)

        face = straightened(photo, OPENCV + np.array([0.5, 0.25]), 112)

        whole = photo.astype(float)
        upper = (whole[:112, :112] + whole[:112, 1:113]) / 2
        lower = (whole[1:113, :112] + whole[1:113, 1:113]) / 2
        assert face == pytest.approx(0.75 * upper + 0.25 * lower, abs=1e-2)

    def test_is_black_outside_the_photo(self) -> None:
        """A face at the edge has black where the photo ends."""
        face = straightened(np.full((112, 112, 3), 200, np.uint8), OPENCV + np.array([56, 0]), 112)

        assert face[:, :55] == pytest.approx(200)
        assert (face[:, 57:] == 0).all()


class TestSquareOf:
    def test_is_between_eyes_and_mouth(self) -> None:
        """Eyes at (40, 50) and (60, 50), mouth at (50, 85): by hand.

        The distances are √(10² + 35²) = 36.4, so the side is floor(36.4 / 0.45) = 80. The centre is
        (50, 61.67), so the square begins at floor(50 - 40) and floor(61.67 - 0.43 · 80).
        """
        square = square_of(dlib_points(50, 85), width=500, height=500)

        assert square == Rectangle(10, 27, 90, 107)

    def test_is_moved_into_the_photo_at_the_left(self) -> None:
        """As face-api: what begins outside begins at 0, with the same side."""
        square = square_of(dlib_points(20, 55, left=10, right=30), width=500, height=500)

        assert square == Rectangle(0, 0, 80, 80)

    def test_is_cut_at_the_right(self) -> None:
        """What ends outside ends with the photo."""
        assert square_of(dlib_points(50, 85), width=70, height=90) == Rectangle(10, 27, 70, 90)

    def test_of_one_point_is_empty(self) -> None:
        """Landmarks that are all the same have no distance."""
        assert square_of(np.full((68, 2), 30.0), width=100, height=100).empty

    def test_outside_the_photo_is_empty(self) -> None:
        """A face beside the photo shows nothing."""
        assert square_of(dlib_points(900, 935), width=100, height=100).empty


class TestSqueezed:
    def test_takes_every_pixel_where_the_side_is_a_multiple(self) -> None:
        """300 pixels become 150: every second one, without a mean, as TensorFlow does."""
        photo = noise(500, 500)
        points = dlib_points(100, 234, left=200, right=220)  # √(10² + 134²) / 0.45 = 298.6

        square = square_of(points, width=500, height=500)
        face = squeezed(photo, points)

        assert square.right - square.left == 298
        assert face is not None
        assert face.shape == (150, 150, 3)
        assert (face[0, 0] == photo[square.top, square.left]).all()
        x = 75 * 298 / 150  # 149: whole
        assert face[0, 75] == pytest.approx(photo[square.top, square.left + int(x)])

    def test_is_black_on_both_sides_of_what_is_cut(self) -> None:
        """80 × 50 pixels are left of 80 × 80: 15 black on each side, 28 of 150."""
        photo = np.full((200, 60, 3), 200, np.uint8)

        face = squeezed(photo, dlib_points(50, 85))

        assert square_of(dlib_points(50, 85), width=60, height=200) == Rectangle(10, 27, 60, 107)
        assert face is not None
        assert (face[:, :27] == 0).all()
        assert face[:, 29:121] == pytest.approx(200)
        assert (face[:, 123:] == 0).all()

    def test_the_larger_half_of_the_black_comes_last(self) -> None:
        """One pixel is missing: it is black at the right, and none at the left."""
        photo = np.full((200, 89, 3), 200, np.uint8)

        face = squeezed(photo, dlib_points(50, 85))

        assert face is not None
        assert face[:, 0] == pytest.approx(200)
        assert (face[:, -1] < 100).all()

    def test_enlarges_without_a_dark_edge(self) -> None:
        """80 pixels become 150: the last column is the photo's, not half black."""
        face = squeezed(np.full((200, 200, 3), 200, np.uint8), dlib_points(50, 85))

        assert face is not None
        assert face == pytest.approx(200)

    def test_is_nothing_outside(self) -> None:
        """No pixel, no face."""
        assert squeezed(noise(100, 100), dlib_points(900, 935)) is None

    def test_shows_the_face(self) -> None:
        """A drawn face fills the square."""
        face = Square(50, 40, 100)

        cut = squeezed(draw(300, 300, face), np.array(landmarks(face)))

        assert cut is not None
        assert cut[75, 75].tolist() == [255, 0, 0]
