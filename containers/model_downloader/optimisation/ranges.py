"""Find which rows of its inputs a node needs for some rows of its output.

A row is an index along any axis, together with all numbers at that index. Reshapes put rows inside
longer axes, so a range of rows knows what lies around and within each row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, NoMatch, require

Shape = Sequence[int]


@dataclass(frozen=True)
class Range:
    """Rows `start` to `stop` of an axis whose length is outer × rows × inner."""

    axis: int
    start: int
    stop: int
    inner: int = 1
    outer: int = 1

    def rows(self, shape: Shape) -> int:
        """Return how many rows a whole value of this shape has."""
        return shape[self.axis] // (self.inner * self.outer)

    def shape(self, whole: Shape) -> tuple[int, ...]:
        """Return the shape of these rows alone."""
        length = self.outer * (self.stop - self.start) * self.inner
        return (*whole[: self.axis], length, *whole[self.axis + 1 :])

    def bounds(self) -> tuple[int, int]:
        """Return the first index of these rows on their axis, and the one after the last."""
        require(self.outer == 1, "the rows lie apart")
        return self.start * self.inner, self.stop * self.inner


class Need(NamedTuple):
    """The rows that a node needs of each input (None: all), and the node that computes them.

    `shape` replaces the second input of a reshape. `overlaps` if rows of neighbouring ranges are
    needed by both.
    """

    ranges: tuple[Range | None, ...]
    node: Node
    shape: Array | None = None
    overlaps: bool = False


def needed(graph: Graph, node: Node, wanted: Range) -> Need:
    """Return what a node needs to compute these rows. Raises NoMatch if it needs all of them."""
    rule = _RULES.get(node.op)
    if rule is None or node.domain:
        raise NoMatch(f"{node.op} is not computed in rows")
    return rule(graph, node, wanted)


def _alike(graph: Graph, node: Node, wanted: Range) -> Need:
    whole = graph.shape(node.outputs[0])
    return Need(tuple(_broadcast(graph, name, wanted, whole) for name in node.inputs), node)


def _broadcast(graph: Graph, name: str, wanted: Range, whole: Shape) -> Range | None:
    """Return the rows of a value that is broadcast to the shape `whole`."""
    shape = graph.shape(name) if name else ()
    axis = wanted.axis - (len(whole) - len(shape))
    if axis < 0 or (shape[axis] == 1 and whole[wanted.axis] != 1):
        return None
    require(shape[axis] == whole[wanted.axis], "another number of rows")
    return replace(wanted, axis=axis)


def _matmul(graph: Graph, node: Node, wanted: Range) -> Need:
    first, second = (graph.shape(name) for name in node.inputs)
    whole = graph.shape(node.outputs[0])
    require(min(len(first), len(second)) > 1, "a vector")
    row = len(whole) - 2
    require(wanted.axis <= row, "the columns of a product")
    if wanted.axis == row:
        return Need((replace(wanted, axis=len(first) - 2), None), node)
    return _alike(graph, node, wanted)


def _along(default: int, *, beyond: bool) -> Rule:
    """Return the rule of an operator that mixes the numbers of one axis, or of all `beyond` it."""

    def rule(graph: Graph, node: Node, wanted: Range) -> Need:
        rank = len(graph.shape(node.outputs[0]))
        axis = node.attribute("axis", default) % rank
        require(wanted.axis < axis if beyond else wanted.axis != axis, "the axis is mixed")
        return _first(node, wanted)

    return rule


def _softmax(graph: Graph, node: Node, wanted: Range) -> Need:
    require(graph.opsets.get("", 0) >= 13, "mixes all axes beyond one")
    return _along(-1, beyond=False)(graph, node, wanted)


def _normalisation(_: Graph, node: Node, wanted: Range) -> Need:
    require(wanted.axis != 1, "each channel has its own numbers")
    require(len(node.outputs) == 1, "not in inference mode")
    return _first(node, wanted)


def _transpose(graph: Graph, node: Node, wanted: Range) -> Need:
    rank = len(graph.shape(node.outputs[0]))
    order = node.attribute("perm", list(reversed(range(rank))))
    return _first(node, replace(wanted, axis=order[wanted.axis]))


def _reshape(graph: Graph, node: Node, wanted: Range) -> Need:
    source, target = graph.shape(node.input(0)), graph.shape(node.outputs[0])
    rows, below = wanted.rows(target), wanted.inner * math.prod(target[wanted.axis + 1 :])
    for axis, length in enumerate(source):
        under = math.prod(source[axis + 1 :])
        inner = below // under if under else 0
        if inner and below % under == 0 and length % (inner * rows) == 0:
            found = replace(wanted, axis=axis, inner=inner, outer=length // (inner * rows))
            return _first(node, found)._replace(shape=np.array(wanted.shape(target), np.int64))
    raise NoMatch("rows of the result are no rows of the input")


def _gather(graph: Graph, node: Node, wanted: Range) -> Need:
    source, places = graph.shape(node.input(0)), graph.shape(node.input(1))
    axis = node.attribute("axis", 0) % len(source)
    if wanted.axis < axis:
        return _first(node, wanted)
    behind = wanted.axis - len(places) + 1
    require(behind > axis, "the rows are gathered")
    return _first(node, replace(wanted, axis=behind))


def _gather_nd(graph: Graph, node: Node, wanted: Range) -> Need:
    places, batch = graph.shape(node.input(1)), node.attribute("batch_dims", 0)
    require(wanted.axis < len(places) - 1, "a part of what is gathered")
    return Need((wanted if wanted.axis < batch else None, wanted), node)


def _slice(graph: Graph, node: Node, wanted: Range) -> Need:
    rank, starts = len(graph.shape(node.outputs[0])), graph.array(node.input(1))
    axes = graph.array(node.input(3)) if node.input(3) else np.arange(len(starts))
    require(wanted.axis not in {int(axis) % rank for axis in axes}, "the rows are cut")
    return _first(node, wanted)


def _concat(graph: Graph, node: Node, wanted: Range) -> Need:
    rank = len(graph.shape(node.outputs[0]))
    require(node.attribute("axis") % rank != wanted.axis, "the rows are joined")
    return Need((wanted,) * len(node.inputs), node)


def _conv(graph: Graph, node: Node, wanted: Range) -> Need:
    source, axis = graph.shape(node.input(0)), wanted.axis
    require(axis != 1, "a part of the channels")
    if axis == 0:
        return _first(node, wanted)
    require(node.attribute("auto_pad", "NOTSET") == "NOTSET", "unknown padding")
    spatial, place = len(source) - 2, axis - 2
    kernel = graph.shape(node.input(1))[axis]
    stride = node.attribute("strides", [1] * spatial)[place]
    pads = node.attribute("pads", [0] * spatial * 2)
    reach = node.attribute("dilations", [1] * spatial)[place] * (kernel - 1) + 1
    before, after = pads[place], pads[place + spatial]
    if (
        reach == stride
        and not before
        and source[axis] == wanted.rows(graph.shape(node.outputs[0])) * stride
        and wanted.inner == wanted.outer == 1
    ):
        return _first(node, replace(wanted, inner=stride))
    require(wanted.inner == wanted.outer == 1, "rows of several pixels")
    first, last = wanted.start * stride - before, (wanted.stop - 1) * stride - before + reach
    pads = [*pads]
    pads[place], pads[place + spatial] = max(0, -first), max(0, last - source[axis])
    require(pads[place + spatial] <= after, "no rows at the end")
    found = Range(axis, max(0, first), min(source[axis], last))
    changed = node.changed(inputs=node.inputs, output=node.outputs[0], pads=pads)
    return _first(changed, found)._replace(overlaps=reach > stride)


def _first(node: Node, wanted: Range) -> Need:
    return Need((wanted, *(None,) * (len(node.inputs) - 1)), node)


Rule = Callable[[Graph, Node, Range], Need]

_ALIKE: Final = (
    "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Cos", "Div", "Equal", "Erf", "Exp", "Floor",
    "Gelu", "Greater", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less", "Log", "Max",
    "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal", "Relu", "Round", "Sigmoid",
    "Sign", "Sin", "Softplus", "Sqrt", "Sub", "Sum", "Tanh", "Where",
)  # fmt: skip
_RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(_ALIKE, _alike),
    "BatchNormalization": _normalisation,
    "Concat": _concat,
    "Conv": _conv,
    "Gather": _gather,
    "GatherND": _gather_nd,
    "LayerNormalization": _along(-1, beyond=True),
    "MatMul": _matmul,
    "Reshape": _reshape,
    "Slice": _slice,
    "Softmax": _softmax,
    "Transpose": _transpose,
}
