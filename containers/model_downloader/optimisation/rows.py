"""Split deformable convolutions of large maps into strips of rows."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, NoMatch, require
from containers.model_downloader.optimisation.rewriting import Replacement

_LARGE_PIXELS: Final = 2**16  # larger than any map of a network of 1024²
_SAMPLE_BYTES: Final = 206 * 10**6  # what a quarter of the channels takes at 256² with a 7×7 kernel


def is_large(graph: Graph, node: Node) -> bool:
    """Return True if the result has so many pixels that adding up its parts takes more than them.

    False if its size is unknown.
    """
    try:
        return math.prod(graph.shape(node.outputs[0])[2:]) > _LARGE_PIXELS
    except NoMatch:
        return False


def split_rows(graph: Graph, node: Node) -> Replacement:
    """Replace a `DeformConv` by one for each strip of its rows.

    The operator has no option for some of the rows, but each strip samples the whole input. With a
    stride `count` times as long it has as many rows as one strip, and the offsets make up for that:
    row i of the strip from row r is where row r + i was, (r + i - count·i) strides further.
    """
    require(node.is_a("DeformConv"), "not a deformable convolution")
    require(is_large(graph, node), "the result is small")
    output, kernel = node.outputs[0], graph.array(node.input(1)).shape[2:]
    (_, _, rows, columns), channels = graph.shape(output), graph.shape(node.input(0))[1]
    count = _strips(rows, channels * math.prod(kernel) * columns * 4)
    strides = node.attribute("strides", [1, 1])
    longer = [strides[0] * count, strides[1]]
    require(_rows(graph, node, kernel[0], longer[0]) * count == rows, "strips of unequal height")
    nodes, names = [], []
    constants: dict[str, Array] = {f"{output}/axis": np.array([2], np.int64)}
    for index in range(count):
        name = f"{output}/rows{index}"
        names.append(name)
        ends = np.array([index, index + 1], np.int64) * (rows // count)
        constants[f"{name}/start"], constants[f"{name}/stop"] = ends[:1], ends[1:]
        constants[f"{name}/move"] = _moves(graph.shape(node.input(2))[1], ends, count) * strides[0]
        bounds = (f"{name}/start", f"{name}/stop", f"{output}/axis")
        nodes.append(Node.make("Slice", (node.input(2), *bounds), f"{name}/near"))
        offset = Node.make("Add", (f"{name}/near", f"{name}/move"), f"{name}/offset")
        nodes.append(offset)
        mask = ""
        if node.input(4):
            mask = f"{name}/mask"
            nodes.append(Node.make("Slice", (node.input(4), *bounds), mask))
        inputs = (*node.inputs[:2], f"{name}/offset", node.input(3), mask)
        nodes.append(node.changed(inputs=inputs, output=name, strides=longer))
    nodes.append(Node.make("Concat", names, output, axis=2))
    return Replacement(tuple(nodes), constants)


def _strips(rows: int, row_bytes: int) -> int:
    """Return into how many strips of equal height the rows go, none with too many samples."""
    least = math.ceil(rows * row_bytes / _SAMPLE_BYTES)
    return next(count for count in range(max(least, 1), rows + 1) if rows % count == 0)


def _rows(graph: Graph, node: Node, kernel: int, stride: int) -> int:
    """Return how many rows the convolution has with this stride."""
    pads = node.attribute("pads", [0, 0, 0, 0])
    reach = node.attribute("dilations", [1, 1])[0] * (kernel - 1) + 1
    tall: int = graph.shape(node.input(0))[2] + pads[0] + pads[2] - reach
    return tall // stride + 1


def _moves(channels: int, ends: Array, count: int) -> Array:
    """Return what to add to the offsets, 1×channels×rows×1: every other channel is a row's."""
    rows = np.arange(ends[1] - ends[0])
    moves = np.zeros((1, channels, len(rows), 1), np.float32)
    moves[0, ::2, :, 0] = ends[0] + rows - count * rows
    return moves
