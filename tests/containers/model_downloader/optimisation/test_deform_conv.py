"""A deformable convolution that was spelt out is found, and nothing that only looks like one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from containers.model_downloader.optimisation.deform_conv import fuse
from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.opset import with_deform_conv
from containers.model_downloader.optimisation.rewriting import rewrite
from tests.bench.standins.deformable import Geometry, spelt_out
from tests.bench.standins.layers import conv
from tests.bench.standins.net import Net
from tests.containers.model_downloader.optimisation.networks import assert_same_answers, operators

GEOMETRIES = {
    "1x1": Geometry((1, 1), (0, 0)),
    "3x3": Geometry((3, 3), (1, 1)),
    "7x7": Geometry((7, 7), (3, 3)),
    "not padded": Geometry((3, 3), (0, 0)),
    "padded on one axis": Geometry((3, 3), (0, 2)),
    "not square": Geometry((3, 5), (1, 2)),
    "strided": Geometry((3, 3), (1, 1), strides=(2, 2)),
    "strides differ": Geometry((3, 3), (1, 1), strides=(2, 1)),
    "dilated": Geometry((3, 3), (2, 2), dilations=(2, 2)),
    "in groups": Geometry((3, 3), (1, 1), offset_groups=2),
}
Change = Callable[[onnx.ModelProto], None]


def spelt(
    geometry: Geometry, *, masked: bool = True, size: tuple[int, int] = (12, 10)
) -> onnx.ModelProto:
    """A spelt-out deformable convolution whose offsets reach well outside the picture."""
    net = Net()
    photo = net.input("photo", 1, 4, *size)
    rows, columns = geometry.out(size)
    count = geometry.offset_groups * geometry.taps
    offset = net.input("offset", 1, 2 * count, rows, columns)
    mask = net.input("mask", 1, count, rows, columns) if masked else None
    wide = net.node("Mul", offset, np.array(4, np.float32), shape=offset.shape)
    bent = spelt_out(net, photo, "bent", 6, geometry, offset=wide, mask=mask)
    return net.model(bent)


def fused(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    graph, found = rewrite(Graph.read(model), fuse)
    return with_deform_conv(graph).write(), found


@pytest.mark.parametrize("masked", [True, False], ids=["masked", "not masked"])
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=list(GEOMETRIES))
def test_what_was_spelt_out_becomes_one_operator_with_the_same_answer(
    geometry: Geometry, *, masked: bool
) -> None:
    model = spelt(geometry, masked=masked)

    lean, found = fused(model)

    assert found == 1
    assert set(operators(lean)) == {"Mul", "DeformConv", "Identity"}
    assert_same_answers(model, lean)


@pytest.mark.parametrize("swapped", ["Add", "Mul"])
def test_the_order_of_what_is_added_or_multiplied_does_not_matter(swapped: str) -> None:
    model = spelt(GEOMETRIES["3x3"])
    for node in model.graph.node:
        if node.op_type == swapped:
            node.input[:] = node.input[::-1]

    lean, found = fused(model)

    assert found == 1
    assert_same_answers(model, lean)


def test_a_bias_inside_the_convolution_is_kept() -> None:
    model = spelt(GEOMETRIES["3x3"])
    (last,) = (node for node in model.graph.node if node.op_type == "Conv")
    bias = np.arange(6, dtype=np.float32)
    model.graph.initializer.append(numpy_helper.from_array(bias, "bias"))
    last.input.append("bias")

    lean, found = fused(model)

    assert found == 1
    assert_same_answers(model, lean)


def nodes(model: onnx.ModelProto, op: str) -> Iterator[onnx.NodeProto]:
    return (node for node in model.graph.node if node.op_type == op)


def rounds_up(model: onnx.ModelProto) -> None:
    next(nodes(model, "Floor")).op_type = "Ceil"


def swaps_two_neighbours(model: onnx.ModelProto) -> None:
    first, second, *_ = nodes(model, "GatherND")
    first.input[1], second.input[1] = second.input[1], first.input[1]


def weighs_by_another_axis(model: onnx.ModelProto) -> None:
    first, second = list(nodes(model, "Sub"))[1:3]
    first.input[1], second.input[1] = second.input[1], first.input[1]


def sums_three(model: onnx.ModelProto) -> None:
    summed = next(nodes(model, "Sum"))
    del summed.input[3]


def lays_tiles_sideways(model: onnx.ModelProto) -> None:
    turned = list(nodes(model, "Transpose"))[-1]
    turned.attribute[0].CopyFrom(helper.make_attribute("perm", [0, 1, 4, 3, 5, 2]))


def pads_by_repeating(model: onnx.ModelProto) -> None:
    mode = next(nodes(model, "Pad")).attribute[0]
    mode.CopyFrom(helper.make_attribute("mode", "edge"))


def convolves_overlapping_tiles(model: onnx.ModelProto) -> None:
    conv_node = next(nodes(model, "Conv"))
    (strides,) = (each for each in conv_node.attribute if each.name == "strides")
    strides.CopyFrom(helper.make_attribute("strides", [1, 1]))


def samples_an_uneven_grid(model: onnx.ModelProto) -> None:
    (grid,) = (each for each in model.graph.initializer if len(each.dims) == 6)
    places = numpy_helper.to_array(grid).copy()
    places[..., 0, 3, 3] += 1
    grid.CopyFrom(numpy_helper.from_array(places, grid.name))


def clips_one_row_early(model: onnx.ModelProto) -> None:
    bound = next(nodes(model, "Clip")).input[2]
    (constant,) = (each for each in model.graph.initializer if each.name == bound)
    less = numpy_helper.to_array(constant) - 1
    constant.CopyFrom(numpy_helper.from_array(less, bound))


@pytest.mark.parametrize(
    "change",
    [
        rounds_up, swaps_two_neighbours, weighs_by_another_axis, sums_three, lays_tiles_sideways,
        pads_by_repeating, convolves_overlapping_tiles, samples_an_uneven_grid,
        clips_one_row_early,
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_left_alone(change: Change) -> None:
    model = spelt(GEOMETRIES["3x3"])
    change(model)
    before = Graph.read(model)

    after, found = rewrite(before, fuse)

    assert found == 0
    assert after is before


def test_an_ordinary_convolution_is_left_alone() -> None:
    net = Net()
    model = net.model(conv(net, net.input("photo", 1, 3, 8, 8), "plain", 4, 2, stride=2, pad=0))

    assert fused(model)[1] == 0
