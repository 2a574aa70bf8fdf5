"""Compute the shapes that exporters leave to be computed on every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from onnx import helper, numpy_helper

from containers.model_downloader.optimisation.graph import Array, Graph, Node, NoMatch, require

_LARGEST: Final = 64  # numbers; a shape has fewer


def fold_shapes(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with constants for values computed from fixed shapes, and their count."""
    values: dict[str, Array] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        try:
            values[node.outputs[0]] = _value(graph, node, values)
        except NoMatch:
            nodes.append(node)
    if not values:
        return graph, 0
    constants = dict(graph.constants)
    for name, value in values.items():
        constants[name] = numpy_helper.from_array(value, name)
    return replace(graph, nodes=tuple(nodes), constants=constants).swept(), len(values)


def _value(graph: Graph, node: Node, values: Mapping[str, Array]) -> Array:
    """Return the value of a node that reads shapes and constants. Raises NoMatch for others."""
    require(not node.domain, "not ONNX's own operator")
    if node.op == "Shape":
        require(not node.attributes, "not the whole shape")
        return np.array(graph.shape(node.inputs[0]), np.int64)
    require(node.op in _ARITHMETIC, "no arithmetic of shapes")
    require(not values.keys().isdisjoint(node.inputs), "it reads no shape")
    given = [_known(graph, name, values) for name in node.inputs]
    return np.asarray(_ARITHMETIC[node.op](node, *given))


def _known(graph: Graph, name: str, values: Mapping[str, Array]) -> Array:
    if name in values:
        return values[name]
    array = graph.array(name)
    require(array.size <= _LARGEST, "not a shape")
    return array


def _cast(node: Node, value: Array) -> Array:
    return value.astype(helper.tensor_dtype_to_np_dtype(node.attribute("to")))


def _concatenated(node: Node, *parts: Array) -> Array:
    return np.concatenate(parts, axis=node.attribute("axis"))


def _gathered(node: Node, value: Array, index: Array) -> Array:
    return np.take(value, index, axis=node.attribute("axis", 0))


def _sliced(_node: Node, value: Array, *bounds: Array) -> Array:
    """Return a part of a one-dimensional value; before operator set 10 bounds were attributes."""
    require(value.ndim == 1 and len(bounds) > 1, "not a part of a shape")
    require(all(bound.size == 1 for bound in bounds), "not one part")
    start, stop, *more = (int(bound.item()) for bound in bounds)
    step = more[1] if len(more) > 1 else 1  # the first of them is the axis, of which there is one
    return value[start:stop:step]


def _with_axes(node: Node, value: Array, *axes: Array) -> Array:
    """Return the value with more axes; before operator set 13 they were an attribute."""
    new = axes[0].ravel().tolist() if axes else node.attribute("axes")
    return np.expand_dims(value, tuple(new))


# What exporters write between a `Shape` and the sizes of a `Resize`.
_ARITHMETIC: Final[Mapping[str, Callable[..., Array]]] = {
    "Cast": _cast,
    "Concat": _concatenated,
    "Gather": _gathered,
    "Slice": _sliced,
    "Unsqueeze": _with_axes,
}
