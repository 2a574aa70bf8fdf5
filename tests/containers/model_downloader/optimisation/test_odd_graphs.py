"""No pass fails on a graph that it does not expect, and none changes what such a graph computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.optimisation.channels import split_channels
from containers.model_downloader.optimisation.constants import fold_bias, fold_normalisation
from containers.model_downloader.optimisation.deform_conv import fuse
from containers.model_downloader.optimisation.graph import Graph, Node
from containers.model_downloader.optimisation.opset import can_have_deform_conv, with_deform_conv
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.pointwise import (
    merge_into_convolution,
    move_above_resize,
    split_concatenation,
)
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import Match, Replacement, rewrite
from tests.bench.standins.layers import add, batch_norm, concat, conv, linear, relu, resize
from tests.bench.standins.net import Net, Value
from tests.containers.model_downloader.optimisation.networks import (
    answer,
    assert_same_answers,
    network,
    operators,
    passed,
)
from tests.containers.model_downloader.optimisation.test_channels import deformable
from tests.containers.model_downloader.optimisation.test_deform_conv import GEOMETRIES, spelt


def folded(net: Net, photo: Value) -> Value:
    raised = add(
        net, conv(net, photo, "plain", 4, 3), np.arange(4, dtype=np.float32)[:, None, None]
    )
    return relu(net, batch_norm(net, raised, "norm"))


def mixed(net: Net, photo: Value) -> Value:
    branches = [relu(net, conv(net, photo, f"branch{index}", 4, 3)) for index in range(2)]
    return conv(net, concat(net, *branches), "mix", 2, 1)


def resized(net: Net, photo: Value) -> Value:
    return conv(net, resize(net, photo, (9, 9), alignment="half_pixel"), "out", 2, 1)


def chained(net: Net, photo: Value) -> Value:
    return conv(net, conv(net, photo, "inner", 7, 3), "outer", 2, 1)


def product(net: Net, photo: Value) -> Value:
    return linear(net, photo, "first", 5)


# Each pass with a network that it rewrites.
PASSES: Final[Mapping[str, tuple[Match, onnx.ModelProto]]] = {
    "bias": (fold_bias, network(1, 3, 6, 6, made=folded)),
    "normalisation": (fold_normalisation, rewrite(
        Graph.read(network(1, 3, 6, 6, made=folded)), fold_bias)[0].write()),
    "concatenation": (split_concatenation, network(1, 3, 6, 6, made=mixed)),
    "resize": (move_above_resize, network(1, 3, 6, 6, made=resized)),
    "chain": (merge_into_convolution, network(1, 3, 6, 6, made=chained)),
    "deform_conv": (fuse, spelt(GEOMETRIES["3x3"], size=(5, 4))),
    "channels": (split_channels, deformable()),
    "int8": (quantise, network(1, 3, 6, 6, made=product)),
}  # fmt: skip
EXACT: Final = [name for name in PASSES if name != "int8"]
EACH = pytest.mark.parametrize("name", PASSES)


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def with_fewer_inputs(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for index, node in enumerate(model.graph.node):
        for count in range(len(node.input)):
            odd = copied(model)
            del odd.graph.node[index].input[count:]
            yield odd


def with_an_empty_input(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for index, node in enumerate(model.graph.node):
        for place in range(len(node.input)):
            odd = copied(model)
            odd.graph.node[index].input[place] = ""
            yield odd


def without_an_attribute(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for index, node in enumerate(model.graph.node):
        for place in range(len(node.attribute)):
            odd = copied(model)
            del odd.graph.node[index].attribute[place]
            yield odd


def with_odd_attributes(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    odd_ones = {
        "auto_pad": "SAME_UPPER", "training_mode": 1, "axis": -1, "group": 2,
        "keep_aspect_ratio_policy": "not_larger", "to": TensorProto.INT32,
    }  # fmt: skip
    for index in range(len(model.graph.node)):
        for key, value in odd_ones.items():
            odd = copied(model)
            attributes = odd.graph.node[index].attribute
            for place, each in reversed(list(enumerate(attributes))):
                if each.name == key:
                    del attributes[place]
            attributes.append(helper.make_attribute(key, value))
            yield odd


def of_another_domain(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for index in range(len(model.graph.node)):
        odd = copied(model)
        odd.graph.node[index].domain = "com.example"
        yield odd


def at_another_opset(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for domain, version in (("", 7), ("", 10), ("", 13), ("", 19), ("ai.onnx", 17), ("other", 1)):
        odd = copied(model)
        odd.opset_import[0].domain, odd.opset_import[0].version = domain, version
        yield odd


def of_unknown_sizes(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for place in range(len(model.graph.input)):
        odd = copied(model)
        for axis in odd.graph.input[place].type.tensor_type.shape.dim:
            axis.ClearField("dim_value")
        yield odd
    odd = copied(model)
    for value in (*odd.graph.input, *odd.graph.output):
        value.type.tensor_type.ClearField("shape")
    yield odd


def with_a_constant_that_is_an_input(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for place, tensor in enumerate(model.graph.initializer):
        odd = copied(model)
        del odd.graph.initializer[place]
        odd.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
        yield odd


def with_an_odd_constant(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    """Flat, a single number, empty, or in half precision."""
    for place, tensor in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        for other in (
            values.ravel(),
            values.ravel()[:1],
            values.ravel()[:0],
            values.astype(np.float16),
        ):
            odd = copied(model)
            odd.graph.initializer[place].CopyFrom(numpy_helper.from_array(other, tensor.name))
            yield odd


def with_a_value_read_twice(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    """Each value is an output of the network too."""
    for node in model.graph.node:
        for name in node.output:
            odd = copied(model)
            odd.graph.output.append(onnx.ValueInfoProto(name=name))
            yield odd


def with_the_same_input_twice(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    for index, node in enumerate(model.graph.node):
        for place in range(1, len(node.input)):
            odd = copied(model)
            odd.graph.node[index].input[place] = node.input[0]
            yield odd


ODD: Final = (
    with_fewer_inputs, with_an_empty_input, without_an_attribute, with_odd_attributes,
    of_another_domain, at_another_opset, of_unknown_sizes, with_a_constant_that_is_an_input,
    with_an_odd_constant, with_a_value_read_twice, with_the_same_input_twice,
)  # fmt: skip


def runs(model: onnx.ModelProto) -> bool:
    """Return True if onnxruntime runs the network and the result can be compared."""
    try:
        return bool(np.ptp(answer(model)) > 0)
    except Exception:  # noqa: BLE001 - onnxruntime's exceptions share no other base
        return False


@EACH
def test_each_pass_rewrites_its_network(name: str) -> None:
    match, model = PASSES[name]

    assert passed(model, match)[1] == [1]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@EACH
def test_a_pass_raises_nothing_but_no_match_on_an_odd_graph(name: str, odd: object) -> None:
    match, model = PASSES[name]
    for each in odd(model):  # type: ignore[operator]
        graph = Graph.read(each)
        rewritten(graph)

        after, found = rewrite(graph, match)
        if not found:
            assert after is graph
            continue
        if name == "deform_conv":
            if not can_have_deform_conv(after):
                continue
            after = with_deform_conv(after)
        if name in EXACT and runs(each):
            assert_same_answers(each, after.write())


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_deformable_convolution_may_leave_out_its_optional_inputs(count: int) -> None:
    model = deformable()
    del model.graph.node[0].input[count:]
    while len(model.graph.input) > min(count - 1, 3):
        del model.graph.input[-1]

    lean, found = passed(model, split_channels)

    assert found == [1]
    assert operators(lean).count("DeformConv") == 4
    assert_same_answers(model, lean)


@pytest.mark.parametrize("error", [IndexError, KeyError, TypeError, ValueError])
def test_a_pass_that_stumbles_leaves_its_node_and_the_others_go_on(error: type[Exception]) -> None:
    def stumbles(graph: Graph, node: Node) -> Replacement:
        if node.op == "Conv" and node.input(0) == "photo":
            raise error("nobody foresaw this")
        return split_concatenation(graph, node)

    assert passed(network(1, 3, 6, 6, made=mixed), stumbles)[1] == [1]


def test_a_concatenation_of_one_value_is_left_alone() -> None:
    def made(net: Net, photo: Value) -> Value:
        return conv(net, concat(net, relu(net, photo)), "mix", 2, 1)

    model = network(1, 3, 6, 6, made=made)

    assert passed(model, split_concatenation)[1] == [0]
