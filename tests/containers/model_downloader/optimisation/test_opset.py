"""A graph is brought up to the operator set of DeformConv, and answers as before."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.opset import can_have_deform_conv, with_deform_conv
from tests.containers.model_downloader.optimisation.networks import assert_same_answers

REDUCTIONS = [
    "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceProd", "ReduceSumSquare",
]  # fmt: skip


def reducing(op: str, opset: int = 17) -> onnx.ModelProto:
    """Two halves of a picture, one of them reduced over its rows, added."""
    nodes = [
        helper.make_node("Split", ["photo"], ["upper", "lower"], axis=2),
        helper.make_node(op, ["upper"], ["reduced"], axes=[2], keepdims=1),
        helper.make_node("Add", ["reduced", "lower"], ["sum"]),
        helper.make_node("ReduceMax", ["sum"], ["all"], keepdims=0),
        helper.make_node("ReduceSum", ["sum", "last"], ["rows"], keepdims=1),
        helper.make_node("Add", ["rows", "all"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes, "reducing",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, (1, 2, 6, 5))],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 3, 1))],
        [numpy_helper.from_array(np.array([3], np.int64), "last")],
    )  # fmt: skip
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
    )
    return model


@pytest.mark.parametrize("op", REDUCTIONS)
def test_what_reads_differently_is_written_differently(op: str) -> None:
    model = reducing(op)

    raised = with_deform_conv(Graph.read(model)).write()

    onnx.checker.check_model(raised, full_check=True)
    assert [entry.version for entry in raised.opset_import] == [19]
    assert_same_answers(model, raised)


def test_a_graph_that_is_recent_enough_stays_as_it_is() -> None:
    graph = with_deform_conv(Graph.read(reducing("ReduceMax")))

    assert with_deform_conv(graph) is graph


@pytest.mark.parametrize(("opset", "can"), [(11, False), (12, False), (13, True), (19, True)])
def test_a_graph_too_old_to_be_raised_line_by_line_is_not(opset: int, *, can: bool) -> None:
    assert can_have_deform_conv(Graph.read(reducing("ReduceMax", opset))) is can
