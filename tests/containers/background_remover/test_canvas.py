"""A photo on a canvas of fixed size: nothing of it lost, and every place found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.background_remover.canvas import Placement, place

CANVAS = (48, 64)


@pytest.mark.parametrize(
    ("photo", "used", "turned"),
    [
        ((48, 64), (48, 64), False),
        ((480, 640), (48, 64), False),
        ((12, 16), (48, 64), False),
        ((100, 1000), (6, 64), False),
        ((500, 500), (48, 48), False),
        ((550, 500), (48, 44), False),
        ((640, 480), (48, 64), True),
        ((1000, 100), (6, 64), True),
        ((1, 1), (48, 48), False),
        ((1, 9000), (1, 64), False),
    ],
)
def test_a_photo_fills_the_canvas_and_lies_down_if_that_shows_more(
    photo: tuple[int, int], used: tuple[int, int], *, turned: bool
) -> None:
    placement = place(photo, CANVAS)

    assert ((placement.height, placement.width), placement.turned) == (used, turned)


def test_a_photo_lies_in_the_top_left_and_the_rest_is_black() -> None:
    painted = place((50, 50), CANVAS).paint(np.full((50, 50, 3), 200, np.uint8))

    assert painted.shape == (48, 64, 3)
    assert painted.dtype == np.float32
    assert (painted[:, :48] == 200).all()
    assert not painted[:, 48:].any()


def test_a_photo_of_the_canvas_s_size_is_painted_as_it_is() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)

    np.testing.assert_array_equal(place((48, 64), CANVAS).paint(picture), picture)


def test_shrinking_averages_over_every_pixel() -> None:
    checks = np.zeros((480, 640, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255

    painted = place((480, 640), CANVAS).paint(checks)

    assert painted.min() > 120
    assert painted.max() < 135


def test_the_right_edge_of_a_photo_on_its_side_is_at_the_top() -> None:
    picture = np.zeros((64, 48, 3), np.uint8)
    picture[:, 47] = 255

    painted = place((64, 48), CANVAS).paint(picture)

    assert (painted[0] == 255).all()
    assert not painted[1:].any()


@given(tall=st.integers(1, 300), wide=st.integers(1, 300))
def test_the_corners_of_a_photo_are_the_corners_of_its_part_of_the_canvas(
    tall: int, wide: int
) -> None:
    placement = place((tall, wide), CANVAS)
    corners = {(0, 0), (placement.width, 0), (0, placement.height)}

    found = {
        tuple(round(value, 6) for value in placement.locate(x, y))
        for x in (0, wide)
        for y in (0, tall)
    }

    assert found == corners | {(placement.width, placement.height)}


@pytest.mark.parametrize("photo", [(96, 128), (128, 96)])
def test_what_is_painted_at_a_place_is_found_there_and_lifted_back(photo: tuple[int, int]) -> None:
    placement = place(photo, CANVAS)
    picture = np.zeros((*photo, 3), np.uint8)
    picture[20:24, 70:74] = 255

    painted = placement.paint(picture)[..., 0]

    x, y = placement.locate(72, 22)
    assert painted[int(y), int(x)] > 100
    rows, columns = np.nonzero(placement.lift(painted) > 100)
    assert {rows.min(), rows.max()} <= {10, 11}
    assert {columns.min(), columns.max()} <= {35, 36}


def test_a_lifted_plane_has_the_shape_of_the_photo() -> None:
    plane = np.zeros(CANVAS, np.float32)

    assert place((300, 200), CANVAS).lift(plane).shape == (64, 43)
    assert place((200, 300), CANVAS).lift(plane).shape == (43, 64)


def test_a_placement_is_a_value() -> None:
    expected = Placement(photo=(4, 8), canvas=CANVAS, height=32, width=64, turned=False)

    assert place((4, 8), CANVAS) == expected
