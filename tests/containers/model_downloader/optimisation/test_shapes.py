"""Sizes that an exporter leaves to be computed from shapes are constants, and the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.optimisation.blocks import scale_resize
from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.rewriting import rewrite
from containers.model_downloader.optimisation.shapes import fold_shapes
from tests.containers.model_downloader.optimisation.networks import assert_same_answers, operators


def enlarged(*, opset: int, side: int | str = 8) -> onnx.ModelProto:
    """Shrink a photo and enlarge it to its own size, as PyTorch exports it."""
    constants = {
        "first": np.array([0]), "second": np.array([2]), "axis": np.array([0]),
        "rows": np.array(2), "columns": np.array(3), "none": np.zeros(0, np.float32),
        "zero": np.array([0]),
    }  # fmt: skip
    axes = ["zero"] if opset >= 13 else []
    attributes: dict[str, Any] = {} if axes else {"axes": [0]}
    nodes = [
        helper.make_node("MaxPool", ["photo"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Shape", ["small"], ["shape"]),
        helper.make_node("Slice", ["shape", "first", "second", "axis"], ["outer"]),
        helper.make_node("Shape", ["photo"], ["whole"]),
        helper.make_node("Gather", ["whole", "rows"], ["height"], axis=0),
        helper.make_node("Gather", ["whole", "columns"], ["width"], axis=0),
        helper.make_node("Unsqueeze", ["height", *axes], ["height1"], **attributes),
        helper.make_node("Unsqueeze", ["width", *axes], ["width1"], **attributes),
        helper.make_node("Concat", ["height1", "width1"], ["inner"], axis=0),
        helper.make_node("Cast", ["inner"], ["inner64"], to=TensorProto.INT64),
        helper.make_node("Concat", ["outer", "inner64"], ["sizes"], axis=0),
        helper.make_node(
            "Resize", ["small", "none", "none", "sizes"], ["large"], mode="linear",
            coordinate_transformation_mode="pytorch_half_pixel",
        ),
    ]  # fmt: skip
    taken = helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, side, side])
    given = helper.make_tensor_value_info("large", TensorProto.FLOAT, [1, 3, side, side])
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "enlarged", [taken], [given], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize("opset", [11, 17])
def test_a_size_computed_from_fixed_shapes_is_a_constant(opset: int) -> None:
    model = enlarged(opset=opset)

    graph, found = fold_shapes(Graph.read(model))

    assert found == 10
    lean = graph.write()
    assert operators(lean) == ["MaxPool", "Resize"]
    assert graph.array(graph.nodes[-1].inputs[3]).tolist() == [1, 3, 8, 8]
    assert_same_answers(model, lean)


def test_a_size_that_was_folded_can_be_a_factor() -> None:
    model = enlarged(opset=11)
    graph, _ = fold_shapes(Graph.read(model))

    graph, found = rewrite(graph, scale_resize)

    assert found == 1
    assert_same_answers(model, graph.write())


def test_a_shape_that_is_not_fixed_is_left_alone() -> None:
    before = Graph.read(enlarged(opset=17, side="side"))

    after, found = fold_shapes(before)

    assert found == 0
    assert after is before
