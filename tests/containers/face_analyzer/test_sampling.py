"""Cut out, pad and resize: by values computed by hand, and beside tfjs's rule written plainly."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from containers.face_analyzer.sampling import Part, sampled

Pixels = npt.NDArray[np.uint8]


def grey(rows: list[list[int]]) -> Pixels:
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def whole(photo: Pixels) -> Part:
    return Part(0, 0, photo.shape[1], photo.shape[0])


def plainly(square: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """tfjs's resizeBilinear of a square H×W×3, one pixel at a time."""
    scale, last = len(square) / side, len(square) - 1
    out = np.zeros((side, side, 3))
    for row, column in np.ndindex(side, side):
        y, x = row * scale, column * scale
        top, left = int(y), int(x)
        bottom, right = min(top + 1, last), min(left + 1, last)
        upper = square[top, left] * (left + 1 - x) + square[top, right] * (x - left)
        lower = square[bottom, left] * (left + 1 - x) + square[bottom, right] * (x - left)
        out[row, column] = upper * (top + 1 - y) + lower * (y - top)
    return out


def test_a_square_of_the_right_side_is_only_turned_to_planes() -> None:
    photo = noise(5, 5)

    assert sampled(photo, whole(photo), 5).tolist() == photo.transpose(2, 0, 1).tolist()


def test_samples_lie_at_whole_shares_of_the_side_and_the_last_repeats() -> None:
    photo = grey([[0, 100], [200, 40]])

    plane = sampled(photo, whole(photo), 4)[0]

    assert plane.tolist() == [
        [0, 50, 100, 100],
        [100, 85, 70, 70],
        [200, 120, 40, 40],
        [200, 120, 40, 40],
    ]


def test_a_smaller_picture_takes_pixels_and_averages_none() -> None:
    photo = grey([[10, 99, 20, 99], [99] * 4, [30, 99, 40, 99], [99] * 4])

    assert sampled(photo, whole(photo), 2)[0].tolist() == [[10, 20], [30, 40]]


def test_a_wide_photo_is_padded_with_black_below() -> None:
    photo = grey([[10, 20, 30, 40]])

    assert sampled(photo, whole(photo), 4)[0].tolist() == [[10, 20, 30, 40], *[[0] * 4] * 3]


def test_a_tall_photo_is_padded_with_black_at_the_right() -> None:
    photo = grey([[10], [20]])

    assert sampled(photo, whole(photo), 2)[0].tolist() == [[10, 0], [20, 0]]


def test_a_sample_between_the_photo_and_its_padding_is_darker() -> None:
    photo = grey([[100] * 4, [100] * 4, [100] * 4])

    plane = sampled(photo, whole(photo), 8)[0]

    assert plane[:, 0].tolist() == [100, 100, 100, 100, 100, 50, 0, 0]


@pytest.mark.parametrize(
    ("width", "expected"), [(2, [0, 9, 9, 0]), (1, [0, 9, 0, 0]), (3, [9, 9, 9, 0])]
)
def test_centred_padding_has_the_odd_pixel_behind(width: int, expected: list[int]) -> None:
    photo = grey([[9] * width] * 4)

    assert sampled(photo, whole(photo), 4, centred=True)[0, 0].tolist() == expected


def test_a_part_is_what_it_is_cut_out() -> None:
    photo = noise(40, 60)
    part = Part(13, 7, 21, 30)
    cut = np.ascontiguousarray(photo[7:37, 13:34])

    for centred in (False, True):
        alone = sampled(cut, whole(cut), 16, centred=centred)
        assert np.array_equal(sampled(photo, part, 16, centred=centred), alone)


@pytest.mark.parametrize("size", [(37, 23), (23, 37), (9, 100), (64, 64)])
@pytest.mark.parametrize("side", [16, 48])
@pytest.mark.parametrize("centred", [False, True])
def test_it_is_tfjs_rule(size: tuple[int, int], side: int, *, centred: bool) -> None:
    photo = noise(*size)
    longer = max(size)
    above, before = ((longer - each) // 2 if centred else 0 for each in size)
    square = np.zeros((longer, longer, 3))
    square[above : above + size[0], before : before + size[1]] = photo

    ours = sampled(photo, whole(photo), side, centred=centred)

    assert ours.dtype == np.float32
    assert np.abs(ours - plainly(square, side).transpose(2, 0, 1)).max() < 1e-3


def test_sampling_takes_little_more_memory_than_its_result() -> None:
    photo = noise(1500, 2000)
    tracemalloc.start()

    result = sampled(photo, whole(photo), 512)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1.5 * result.nbytes
