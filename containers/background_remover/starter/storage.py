"""Store weights as int8 in the file and use fp32 in memory: a quarter of the bytes, equal speed.

Each convolution's larger weights are stored as int8 with one scale per output channel. Two constant
nodes convert them to fp32, which onnxruntime folds when it loads the file. Within rounding, the
mask is the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Weights = npt.NDArray[np.float32]

_LEAST: Final = 2048  # values; for fewer, a scale costs more than it saves


def stored_small(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with its convolutions' larger weights stored as int8."""
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
    """Return O×I×K×K float32 as int8 steps and one O×1×1×1 scale each: the largest is ±127."""
    largest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    scales = np.maximum(largest, 1e-12).astype(np.float32) / 127
    return np.round(values / scales).astype(np.int8), scales
