"""Convolutions and resizing stay in onnxruntime's blocks of channels, and answer as before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from containers.model_downloader.optimisation.blocks import scale_resize, split_parts, split_taps
from containers.model_downloader.optimisation.graph import Graph
from tests.bench.standins.layers import add, concat, conv, relu, resize
from tests.bench.standins.net import Net, Value
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    network,
    operators,
    passed,
)

Made = Callable[[Net, Value], Value]


def resized(alignment: str, size: tuple[int, int], **changes: str) -> onnx.ModelProto:
    """A network that resizes 1×3×5×4 to a size, with the exporter's name for the alignment."""
    model = network(1, 3, 5, 4, made=lambda net, x: resize(net, x, size, alignment="half_pixel"))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "coordinate_transformation_mode":
                attribute.s = alignment.encode()
            elif attribute.name in changes:
                attribute.s = changes[attribute.name].encode()
    return model


@pytest.mark.parametrize("mode", ["half_pixel", "pytorch_half_pixel", "align_corners"])
@pytest.mark.parametrize("size", [(10, 8), (20, 4), (5, 4)], ids=str)
def test_enlarging_by_a_whole_factor_is_written_as_a_factor(
    mode: str, size: tuple[int, int]
) -> None:
    model = resized(mode, size)
    lean, found = passed(model, scale_resize)

    assert found == [1]
    (node,) = (node for node in lean.graph.node if node.op_type == "Resize")
    assert len(node.input) == 3
    onnx.checker.check_model(lean)
    assert_same_answers(model, lean)


@pytest.mark.parametrize(
    "model",
    [
        resized("half_pixel", (7, 8)),
        resized("half_pixel", (1, 2)),
        resized("asymmetric", (10, 8)),
        resized("half_pixel", (10, 8), mode="nearest"),
        resized("half_pixel", (10, 8), mode="cubic"),
    ],
    ids=["not whole", "smaller", "another alignment", "nearest", "cubic"],
)
def test_any_other_resizing_is_left_alone(model: onnx.ModelProto) -> None:
    assert passed(model, scale_resize)[1] == [0]


def test_one_pixel_is_left_alone_where_pytorchs_half_pixels_differ() -> None:
    model = network(1, 3, 1, 4, made=lambda net, x: resize(net, x, (1, 8), alignment="half_pixel"))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "coordinate_transformation_mode":
                attribute.s = b"pytorch_half_pixel"

    assert passed(model, scale_resize)[1] == [0]


def parts(net: Net, photo: Value, *channels: int) -> list[Value]:
    return [
        relu(net, conv(net, photo, f"part{index}", count, 3))
        for index, count in enumerate(channels)
    ]


@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"stride": 2}, {"bias": False}], ids=str)
def test_a_convolution_of_whole_blocks_is_the_sum_of_their_own(options: dict[str, Any]) -> None:
    def made(net: Net, photo: Value) -> Value:
        return conv(net, concat(net, *parts(net, photo, 16, 32, 16)), "mix", 16, 3, **options)

    model = network(1, 3, 8, 8, made=made)
    lean, found = passed(model, split_parts)

    assert found == [1]
    assert "Concat" not in operators(lean)
    assert_same_answers(model, lean)


def half_a_block(net: Net, photo: Value) -> Value:
    return conv(net, concat(net, *parts(net, photo, 8, 24)), "mix", 16, 3)


def narrow(net: Net, photo: Value) -> Value:
    return conv(net, concat(net, *parts(net, photo, 16, 16)), "mix", 8, 3)


def read_twice(net: Net, photo: Value) -> Value:
    joined = concat(net, *parts(net, photo, 16, 16))
    return add(net, conv(net, joined, "mix", 16, 3), conv(net, joined, "other", 16, 3))


def below_each_other(net: Net, photo: Value) -> Value:
    return conv(net, concat(net, *parts(net, photo, 16, 16), axis=2), "mix", 16, 3)


@pytest.mark.parametrize("made", [half_a_block, narrow, read_twice, below_each_other])
def test_parts_that_do_not_fill_blocks_are_left_alone(made: Made) -> None:
    assert passed(network(1, 3, 8, 8, made=made), split_parts)[1] == [0]


@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"pad": 0}, {"bias": False}], ids=str)
def test_a_convolution_to_one_channel_reads_many_channels_once(options: dict[str, Any]) -> None:
    def made(net: Net, photo: Value) -> Value:
        (many,) = parts(net, photo, 32)
        return conv(net, many, "side", 1, 3, **options)

    model = network(1, 3, 8, 8, made=made)
    lean, found = passed(model, split_taps)

    assert found == [1]
    weights = {tensor.name: list(tensor.dims) for tensor in lean.graph.initializer}
    assert [16, 32, 1, 1] in weights.values()
    assert_same_answers(model, lean)


@pytest.mark.parametrize(
    ("channels", "out", "kernel", "stride"),
    [(32, 2, 3, 1), (32, 1, 1, 1), (32, 1, 5, 1), (16, 1, 3, 1), (32, 1, 3, 2)],
    ids=["two channels", "one tap", "too many taps", "few channels", "not every pixel"],
)
def test_any_other_convolution_keeps_its_taps(
    channels: int, out: int, kernel: int, stride: int
) -> None:
    def made(net: Net, photo: Value) -> Value:
        (many,) = parts(net, photo, channels)
        return conv(net, many, "side", out, kernel, stride=stride)

    assert passed(network(1, 3, 8, 8, made=made), split_taps)[1] == [0]


def test_a_grouped_convolution_is_left_alone() -> None:
    weight = numpy_helper.from_array(np.ones((32, 1, 3, 3), np.float32), "w")
    nodes = [
        helper.make_node("Concat", ["photo", "photo"], ["joined"], axis=1),
        helper.make_node("Conv", ["joined", "w"], ["out"], group=32, pads=[1] * 4),
    ]
    taken = helper.make_tensor_value_info("photo", 1, [1, 16, 8, 8])
    given = helper.make_tensor_value_info("out", 1, [1, 32, 8, 8])
    graph = helper.make_graph(nodes, "grouped", [taken], [given], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    assert passed(model, split_parts, split_taps)[1] == [0, 0]


def test_only_the_wanted_outputs_are_computed() -> None:
    net = Net()
    photo = net.input("photo", 1, 3, 8, 8)
    model = net.model(conv(net, photo, "used", 2, 3), conv(net, photo, "unused", 2, 3))

    kept = Graph.read(model).first_outputs(1).write()

    assert [output.name for output in kept.graph.output] == ["output0"]
    assert operators(kept) == ["Conv", "Identity"]
    assert {tensor.name for tensor in kept.graph.initializer} == {"used.weight", "used.bias"}
    assert_same_answers(model, kept)
