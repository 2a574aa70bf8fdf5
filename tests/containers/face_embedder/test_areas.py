"""The table of areas: exact means of rectangles, scaled photos and crops."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from containers.face_embedder.areas import AreaTable, Windows
from containers.face_embedder.spec import Pixels
from pipeline.errors import OutOfMemory


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def whole(photo: Pixels, rows: int, columns: int) -> tuple[Windows, Windows]:
    return Windows.of(0, photo.shape[0], rows), Windows.of(0, photo.shape[1], columns)


def test_neighbouring_windows_share_a_pixel_where_the_length_is_no_multiple() -> None:
    """5 pixels become 2: of 0…2 and 2…4, as PyTorch's interpolation by area does it."""
    windows = Windows.of(0, 5, 2)

    assert windows.start.tolist() == [0, 2]
    assert windows.end.tolist() == [3, 5]


def test_windows_enlarge_a_short_stretch() -> None:
    """2 pixels become 3: the middle one is the mean of both."""
    windows = Windows.of(4, 2, 3)

    assert windows.start.tolist() == [4, 4, 5]
    assert windows.end.tolist() == [5, 6, 6]


def test_a_scaled_photo_has_the_means_of_its_parts() -> None:
    """A photo is scaled to 2 × 2 means; channels come first."""
    photo = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)

    scaled = AreaTable.of(photo).scaled(*whole(photo, 2, 2))

    assert scaled.shape == (1, 3, 2, 2)
    assert scaled[0, 0].tolist() == [[7.5, 13.5], [31.5, 37.5]]
    assert scaled[0, 2].tolist() == [[9.5, 15.5], [33.5, 39.5]]


@pytest.mark.parametrize("side", [16, 17, 33, 300])
def test_means_are_exact_where_sums_wrap_around(side: int) -> None:
    """A colour stays what it is: its sums overflow into the next one's, its means do not."""
    photo = np.tile(np.array([255, 254, 255], np.uint8), (620, 310, 1))

    table = AreaTable.of(photo)
    rows, columns = Windows.of(610 - 2 * side, 2 * side, 2), Windows.of(310 - side, side, 1)
    crop = table.cropped(*(Windows(at.start[None], at.end[None]) for at in (rows, columns)))

    for means in (table.scaled(rows, columns)[0], crop[0]):
        assert means[:, :, 0].tolist() == [[255, 255], [254, 254], [255, 255]]


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (30, 9)])
def test_large_parts_have_the_means_of_slices(size: tuple[int, int]) -> None:
    """Means are those of NumPy, also where a window is taken in parts of uneven sizes."""
    photo = noise(300, 203)
    rows, columns = whole(photo, *size)

    scaled = AreaTable.of(photo).scaled(rows, columns)[0]

    for row, (top, bottom) in enumerate(zip(rows.start, rows.end, strict=True)):
        for column, (left, right) in enumerate(zip(columns.start, columns.end, strict=True)):
            mean = photo[top:bottom, left:right].mean(axis=(0, 1))
            assert scaled[:, row, column] == pytest.approx(mean, abs=1e-4)


def test_crops_have_the_means_of_slices() -> None:
    """Each crop is that part of the photo, scaled on its own."""
    photo = noise(40, 60)
    table = AreaTable.of(photo)
    tops, lefts, sides = np.array([3, 11]), np.array([5, 0]), np.array([24, 29])

    crops = table.cropped(Windows.of(tops, sides, 8), Windows.of(lefts, sides, 8))

    for crop, top, left, side in zip(crops, tops, lefts, sides, strict=True):
        part = photo[top : top + side, left : left + side]
        alone = AreaTable.of(np.ascontiguousarray(part)).scaled(*whole(part, 8, 8))
        assert np.abs(crop - alone[0]).max() < 1e-4


def test_a_table_that_does_not_fit_is_not_made() -> None:
    """Its 8 bytes for each pixel are reserved first."""
    wanted: list[int] = []

    def none(count: int) -> None:
        wanted.append(count)
        raise OutOfMemory("no memory")

    with pytest.raises(OutOfMemory):
        AreaTable.of(noise(9, 19), reserve=none)

    assert wanted == [8 * 10 * 20]


def test_a_photo_is_scaled_without_a_second_table() -> None:
    """Rows of the table are copied a few at a time, however much the photo is scaled down."""
    table = AreaTable.of(np.zeros((200, 40_000, 3), np.uint8))
    rows, columns = Windows.of(0, 200, 12), Windows.of(0, 40_000, 18)

    tracemalloc.start()
    table.scaled(rows, columns)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < table.sums.nbytes / 8
