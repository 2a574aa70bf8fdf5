"""Weights as int8 in the file, fp32 in memory: a quarter of the bytes, the same speed.

Each convolution's larger weights are kept as int8 with one scale per output channel, and turned
into fp32 by two constant nodes that onnxruntime folds while it loads. Within the rounding, the mask
is the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Weights = npt.NDArray[np.float32]

_LEAST: Final = 2048  # values; below that a scale costs more than it saves


def stored_small(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph, its convolutions' larger weights stored as int8."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    nodes = []
    for name in dict.fromkeys(weights):
        values = numpy_helper.to_array(stored[name])
        if values.size >= _LEAST:
            graph.initializer.remove(stored[name])
            steps, scales = quantised(values)
            graph.initializer.append(numpy_helper.from_array(steps, f"{name}.steps"))
            graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
            to = onnx.TensorProto.FLOAT
            nodes.append(helper.make_node("Cast", [f"{name}.steps"], [f"{name}.cast"], to=to))
            nodes.append(helper.make_node("Mul", [f"{name}.cast", f"{name}.scales"], [name]))
    nodes.extend(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(small)
    return small


def quantised(values: Weights) -> tuple[npt.NDArray[np.int8], Weights]:
    """O×I×K×K float32 as int8 steps and one O×1×1×1 scale each: the largest weight is ±127."""
    largest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    scales = np.maximum(largest, 1e-12).astype(np.float32) / 127
    return np.round(values / scales).astype(np.int8), scales
