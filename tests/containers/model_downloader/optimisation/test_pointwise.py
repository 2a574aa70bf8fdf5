"""1×1 convolutions move to where their input is small, and answer as before."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from containers.model_downloader.optimisation.pointwise import (
    merge_into_convolution,
    move_above_resize,
    split_concatenation,
)
from tests.bench.standins.layers import add, concat, conv, relu, resize
from tests.bench.standins.net import Array, Net, Value
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    network,
    operators,
    passed,
)


def branches(net: Net, photo: Value) -> tuple[Value, Value, Value]:
    return tuple(relu(net, conv(net, photo, f"branch{index}", 4 + index, 3)) for index in range(3))  # type: ignore[return-value]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_a_convolution_of_parts_is_the_sum_of_their_own(*, bias: bool) -> None:
    def made(net: Net, photo: Value) -> Value:
        return conv(net, concat(net, *branches(net, photo)), "mix", 2, 1, bias=bias)

    model = network(1, 3, 6, 6, made=made)
    lean, found = passed(model, split_concatenation)

    assert found == [1]
    assert "Concat" not in operators(lean)
    assert operators(lean).count("Conv") == 6
    assert_same_answers(model, lean)


def wide(net: Net, joined: Value) -> Value:
    return conv(net, joined, "mix", 5, 1)


def three_by_three(net: Net, joined: Value) -> Value:
    return conv(net, joined, "mix", 2, 3)


def strided(net: Net, joined: Value) -> Value:
    return conv(net, joined, "mix", 2, 1, stride=2)


def read_twice(net: Net, joined: Value) -> Value:
    return add(net, conv(net, joined, "mix", 2, 1), conv(net, joined, "other", 2, 3))


@pytest.mark.parametrize("made", [wide, three_by_three, strided, read_twice])
def test_a_concatenation_that_would_not_get_smaller_is_left_alone(made: object) -> None:
    model = network(
        1, 3, 6, 6,
        made=lambda net, photo: made(net, concat(net, *branches(net, photo))),  # type: ignore[operator]
    )  # fmt: skip

    assert passed(model, split_concatenation)[1] == [0]


def test_rows_that_are_put_below_each_other_are_left_alone() -> None:
    def made(net: Net, photo: Value) -> Value:
        first, *_ = branches(net, photo)
        return conv(net, concat(net, first, first, axis=2), "mix", 1, 1)

    assert passed(network(1, 3, 6, 6, made=made), split_concatenation)[1] == [0]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("alignment", ["align_corners", "half_pixel"])
@pytest.mark.parametrize("size", [(12, 12), (7, 20), (3, 3)], ids=str)
def test_a_convolution_is_done_before_its_input_is_resized(
    size: tuple[int, int], alignment: str, *, bias: bool
) -> None:
    def made(net: Net, photo: Value) -> Value:
        grown = resize(net, photo, size, alignment=alignment)  # type: ignore[arg-type]
        return conv(net, grown, "out", 2, 1, bias=bias)

    model = network(1, 5, 6, 6, made=made)
    lean, found = passed(model, move_above_resize)

    assert found == [1]
    assert operators(lean)[:2] == ["Conv", "Resize"]
    assert_same_answers(model, lean)


def scaled(net: Net, photo: Value, factors: Array) -> Value:
    size = [round(side * factor) for side, factor in zip(photo.shape, factors, strict=True)]
    return net.node("Resize", photo, None, factors, shape=size, mode="linear")


def test_a_resize_by_factors_keeps_them() -> None:
    def made(net: Net, photo: Value) -> Value:
        factors = np.array([1, 1, 1.7, 2.3], np.float32)
        return conv(net, scaled(net, photo, factors), "out", 2, 1)

    model = network(1, 5, 6, 6, made=made)
    lean, found = passed(model, move_above_resize)

    assert found == [1]
    assert_same_answers(model, lean)


def test_channels_that_are_resized_too_are_left_alone() -> None:
    def made(net: Net, photo: Value) -> Value:
        factors = np.array([1, 2, 1, 1], np.float32)
        return conv(net, scaled(net, photo, factors), "out", 2, 1)

    assert passed(network(1, 5, 6, 6, made=made), move_above_resize)[1] == [0]


def test_a_resize_that_puts_a_colour_outside_is_left_alone() -> None:
    def made(net: Net, photo: Value) -> Value:
        return conv(net, resize(net, photo, (12, 12), alignment="half_pixel"), "out", 2, 1)

    model = network(1, 5, 6, 6, made=made)
    resized = model.graph.node[0]
    name = "coordinate_transformation_mode"
    (mode,) = (each for each in resized.attribute if each.name == name)
    mode.CopyFrom(helper.make_attribute(name, "tf_crop_and_resize"))

    assert passed(model, move_above_resize)[1] == [0]


def test_more_channels_are_not_resized_instead_of_fewer() -> None:
    def made(net: Net, photo: Value) -> Value:
        return conv(net, resize(net, photo, (12, 12), alignment="half_pixel"), "out", 5, 1)

    assert passed(network(1, 5, 6, 6, made=made), move_above_resize)[1] == [0]


@pytest.mark.parametrize("inner", [True, False], ids=["inner bias", "none"])
@pytest.mark.parametrize("outer", [True, False], ids=["outer bias", "none"])
def test_two_convolutions_become_one(*, inner: bool, outer: bool) -> None:
    def made(net: Net, photo: Value) -> Value:
        middle = conv(net, photo, "inner", 7, 3, stride=2, bias=inner)
        return conv(net, middle, "outer", 2, 1, bias=outer)

    model = network(1, 3, 9, 9, made=made)
    lean, found = passed(model, merge_into_convolution)

    assert found == [1]
    assert operators(lean) == ["Conv", "Identity"]
    assert_same_answers(model, lean)


@pytest.mark.parametrize(
    "made",
    [
        lambda net, photo: conv(net, conv(net, photo, "inner", 4, 3), "outer", 4, 1),
        lambda net, photo: conv(net, relu(net, conv(net, photo, "inner", 7, 3)), "outer", 2, 1),
        lambda net, photo: conv(net, conv(net, photo, "inner", 7, 3), "outer", 2, 3),
    ],
    ids=["as-wide", "rectified-between", "not-pointwise"],
)
def test_two_that_cannot_be_one_or_should_not_be_are_left_alone(made: object) -> None:
    model = network(1, 3, 9, 9, made=made)  # type: ignore[arg-type]

    assert passed(model, merge_into_convolution)[1] == [0]


def tail(net: Net, photo: Value) -> Value:
    """How BiRefNet ends: one channel of many, some of them brought up to the photo's size."""
    small = relu(net, conv(net, photo, "deep", 24, 3, stride=2))
    detail = conv(net, conv(net, photo, "first", 8, 3), "second", 6, 3)
    grown = resize(net, small, photo.size, alignment="align_corners")
    return conv(net, concat(net, grown, detail), "out", 1, 1)


def test_the_end_of_birefnet_never_makes_its_many_channels_large() -> None:
    model = network(1, 3, 16, 16, made=tail)
    lean, found = passed(model, split_concatenation, move_above_resize, merge_into_convolution)

    assert found == [1, 1, 1]
    assert_same_answers(model, lean)
    shapes = onnx.shape_inference.infer_shapes(lean).graph.value_info
    sizes = [[axis.dim_value for axis in each.type.tensor_type.shape.dim] for each in shapes]
    assert max(channels for _, channels, rows, _ in sizes if rows == 16) == 8
