"""A photo becomes a network's input, and its output a mask, by arithmetic done here by hand."""

from __future__ import annotations

import io
import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidProtobuf
from PIL import Image, ImageCms

from containers.background_remover.network import Network, open_network
from containers.background_remover.saliency import (
    SaliencySpec,
    predict_mask,
    read_picture,
    to_mask,
    to_tensor,
)
from pipeline.errors import OutOfMemory
from pipeline.photo.colour.spaces import from_code_points
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Pixels
from tests.models import SIZE, Shelf

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.fixture
def network(shelf: Shelf) -> Network:
    return open_network(shelf.folder / "brightness.onnx")


def spec(**changes: Any) -> SaliencySpec:
    plain = {"input_size": SIZE, "scale": 255.0, "mean": (0, 0, 0), "std": (1, 1, 1)}
    return SaliencySpec.model_validate(plain | {"activation": "none"} | changes)


def plain(colour: tuple[int, int, int], height: int = 8, width: int = 8) -> Pixels:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def predicted(network: Network, picture: Pixels) -> Pixels:
    return predict_mask(network, spec(), picture, timed=lambda _: nullcontext())


@pytest.mark.parametrize(
    ("colour", "changes", "expected"),
    [
        ((255, 0, 51), {}, (1.0, 0.0, 0.2)),
        ((255, 0, 51), {"scale": 51.0}, (5.0, 0.0, 1.0)),
        ((100, 50, 25), {"scale": "max"}, (1.0, 0.5, 0.25)),
        ((100, 50, 25), {"scale": "max", "mean": (0.5, 0.5, 0.5)}, (0.5, 0.0, -0.25)),
        ((100, 50, 25), {"scale": "max", "std": (0.5, 0.25, 0.125)}, (2.0, 2.0, 2.0)),
        ((0, 0, 0), {"scale": "max"}, (0.0, 0.0, 0.0)),
        ((255, 255, 255), IMAGENET, (0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225)),
        ((0, 0, 0), IMAGENET, (-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225)),
    ],
)
def test_a_colour_is_scaled_and_then_normalised(
    colour: tuple[int, int, int], changes: dict[str, Any], expected: tuple[float, float, float]
) -> None:
    tensor = to_tensor(plain(colour), spec(**changes))

    channels = np.array(expected, dtype=np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(tensor, np.broadcast_to(channels, tensor.shape), rtol=1e-6)


def test_a_tensor_is_red_green_blue_then_rows_then_columns() -> None:
    picture = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    picture[:, :16, 0] = 255
    picture[48:, :, 2] = 255

    red, green, blue = to_tensor(picture, spec())[0]

    assert (red[:, :16] == 1).all()
    assert red.sum() == SIZE * 16
    assert green.sum() == 0
    assert (blue[48:] == 1).all()
    assert blue.sum() == 16 * SIZE


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 2), (640, 480)])
def test_a_photo_of_any_size_fills_the_input(shape: tuple[int, int]) -> None:
    tensor = to_tensor(plain((255, 255, 255), *shape), spec())

    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    np.testing.assert_array_equal(tensor, np.ones((1, 3, SIZE, SIZE), dtype=np.float32))


@pytest.mark.parametrize(
    ("value", "activation", "expected"),
    [
        (-1.0, "none", 0),
        (0.0, "none", 0),
        (0.001, "none", 0),
        (0.25, "none", 64),
        (0.5, "none", 128),
        (1.0, "none", 255),
        (7.0, "none", 255),
        (-1000.0, "sigmoid", 0),
        (0.0, "sigmoid", 128),
        (np.log(3), "sigmoid", 191),
        (-np.log(3), "sigmoid", 64),
        (1000.0, "sigmoid", 255),
    ],
)
def test_a_constant_map_stays_constant(value: float, activation: str, expected: int) -> None:
    output = np.full((1, 1, 3, 5), value, dtype=np.float32)

    mask = to_mask(output, spec(activation=activation))

    np.testing.assert_array_equal(mask, np.full((3, 5), expected, dtype=np.uint8), strict=True)


@pytest.mark.parametrize("leading", [(), (1,), (1, 1), (1, 4), (2, 3)])
def test_the_mask_is_the_first_plane_whatever_the_leading_axes(leading: tuple[int, ...]) -> None:
    output = np.ones((*leading, 2, 3), dtype=np.float32)
    output[(0,) * len(leading)] = [[0.0, 0.2, 0.4], [0.6, 0.8, 1.0]]

    mask = to_mask(output, spec())

    assert mask.tolist() == [[0, 51, 102], [153, 204, 255]]


def test_a_faint_map_is_not_stretched_to_its_full_range() -> None:
    output = np.array([[0.0, 0.04]], dtype=np.float32)

    assert to_mask(output, spec()).tolist() == [[0, 10]]


@pytest.mark.parametrize("activation", ["none", "sigmoid"])
def test_an_answer_that_is_not_a_number_is_no_mask(activation: str) -> None:
    output = np.zeros((1, 1, 3, 5), dtype=np.float32)
    output[0, 0, 2, 4] = np.nan

    with pytest.raises(ValueError, match="returned NaN"):
        to_mask(output, spec(activation=activation))


def test_only_the_plane_that_is_the_mask_has_to_be_numbers() -> None:
    output = np.stack([np.ones((2, 3)), np.full((2, 3), np.nan)])[None]

    assert (to_mask(output, spec()) == 255).all()


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 0), 0), ((255, 255, 255), 255), ((30, 60, 90), 60), ((255, 0, 0), 85)],
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (97, 31)])
def test_the_predicted_mask_is_the_networks_answer(
    network: Network, colour: tuple[int, int, int], expected: int, shape: tuple[int, int]
) -> None:
    mask = predicted(network, plain(colour, *shape))

    answer = np.full((SIZE, SIZE), expected, dtype=np.uint8)
    np.testing.assert_array_equal(mask, answer, strict=True)


def test_every_pixel_of_the_mask_stays_where_it_is_in_the_photo(network: Network) -> None:
    greys = (np.arange(SIZE * SIZE) % 256).astype(np.uint8).reshape(SIZE, SIZE)

    np.testing.assert_array_equal(predicted(network, np.dstack([greys] * 3)), greys)


def test_preparing_and_inferring_are_timed_apart(network: Network) -> None:
    stages: list[str] = []

    def timed(stage: str) -> nullcontext[None]:
        stages.append(stage)
        return nullcontext()

    predict_mask(network, spec(), plain((0, 0, 0)), timed=timed)

    assert stages == ["prepare", "infer"]


def test_a_failed_allocation_is_out_of_memory(shelf: Shelf) -> None:
    hungry = open_network(shelf.folder / "hungry.onnx")

    with pytest.raises(OutOfMemory, match=r"bad_alloc|allocate"):
        predicted(hungry, plain((9, 9, 9)))


def test_any_other_failure_keeps_its_own_name(shelf: Shelf) -> None:
    with pytest.raises(InvalidProtobuf):
        open_network(shelf.catalogue)


def test_a_process_holds_the_networks_of_one_model(shelf: Shelf) -> None:
    first = open_network(shelf.folder / "brightness.onnx")
    assert open_network(shelf.folder / "brightness.onnx") is first

    for name in ("hungry", "slow", "buggy"):
        open_network(shelf.folder / f"{name}.onnx")

    assert open_network.cache_info().currsize == 3
    assert open_network(shelf.folder / "brightness.onnx") is not first


def test_a_network_runs_one_photo_at_a_time(network: Network) -> None:
    second = threading.Thread(target=predicted, args=(network, plain((0, 0, 0))))

    with network.one_run:
        second.start()
        second.join(timeout=0.2)
        assert second.is_alive()

    second.join(timeout=10)
    assert not second.is_alive()


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [
        pytest.param(1600, 1200, (300, 400), id="four times too fine"),
        pytest.param(1600, 383, (383, 1600), id="one side is short"),
        pytest.param(40, 30, (30, 40), id="small"),
    ],
)
def test_a_large_jpeg_is_decoded_no_finer_than_the_network_can_see(
    width: int, height: int, seen: tuple[int, int]
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#c08040").save(buffer, "JPEG", quality=95)

    picture = read_picture(buffer.getvalue(), spec())

    assert picture.shape == (*seen, 3)
    np.testing.assert_allclose(picture.mean(axis=(0, 1)), (0xC0, 0x80, 0x40), atol=2)


@pytest.mark.parametrize("code_points", [(12, 13), (9, 13), (1, 8)], ids=str)
def test_a_network_sees_the_same_picture_in_every_colour_space(
    code_points: tuple[int, int],
) -> None:
    colours = np.random.default_rng(4).integers(60, 200, (40, 40, 3), dtype=np.uint8)
    space = from_code_points(*code_points)
    assert space is not None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(space.profile() or b""))
    stored = ImageCms.profileToProfile(
        Image.fromarray(colours), ImageCms.createProfile("sRGB"), profile
    )
    content = encode(np.asarray(stored), picture_format="png", icc_profile=profile.tobytes())

    difference = np.abs(read_picture(content, spec()).astype(int) - colours)
    assert difference.max() <= 4  # levels between those that are stored


def test_a_network_sees_the_numbers_of_a_photo_in_srgb() -> None:
    colours = np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (None, srgb):
        content = encode(colours, picture_format="png", icc_profile=profile)
        np.testing.assert_array_equal(read_picture(content, spec()), colours)
