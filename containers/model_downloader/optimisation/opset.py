"""Raise a graph to the operator set that `DeformConv` needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from onnx import helper, numpy_helper

from containers.model_downloader.optimisation.graph import Array, Graph, Node

OLDEST: Final = 13
DEFORM_CONV: Final = 19
_AXES_BECAME_INPUT: Final = {
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSumSquare",
}  # fmt: skip


def can_have_deform_conv(graph: Graph) -> bool:
    """Return True if the graph's operator set can be raised to one with `DeformConv`."""
    return graph.opsets.get("", 0) >= OLDEST


def with_deform_conv(graph: Graph) -> Graph:
    """Return the graph at operator set 19. From 13 on, only `Reduce*` and `Split` differ."""
    if graph.opsets[""] >= DEFORM_CONV:
        return graph
    nodes = []
    constants = dict(graph.constants)
    for node in graph.nodes:
        raised, values = _raised(node, graph.opsets[""])
        nodes.append(raised)
        constants |= {name: numpy_helper.from_array(value, name) for name, value in values.items()}
    opsets = {**graph.opsets, "": DEFORM_CONV}
    return replace(graph, nodes=tuple(nodes), constants=constants, opsets=opsets)


def _raised(node: Node, opset: int) -> tuple[Node, Mapping[str, Array]]:
    if opset >= 18 or node.domain:
        return node, {}
    if node.op in _AXES_BECAME_INPUT and "axes" in node.attributes:
        name = f"{node.outputs[0]}/axes"
        attributes = {key: value for key, value in node.attributes.items() if key != "axes"}
        inputs = (*node.inputs, name)
        axes = np.array(node.attribute("axes"), np.int64)
        return replace(node, inputs=inputs, attributes=attributes), {name: axes}
    if node.op == "Split" and not node.input(1):
        count = helper.make_attribute("num_outputs", len(node.outputs))
        return replace(node, attributes={**node.attributes, "num_outputs": count}), {}
    return node, {}
