"""Small networks for the passes, and what onnxruntime answers for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.rewriting import Match, rewrite
from tests.bench.standins.birefnet import birefnet
from tests.bench.standins.net import Net, Value
from tests.bench.standins.swin import Swin

Array = npt.NDArray[Any]

SMALL_SWIN = Swin(width=8, depths=(2, 2, 2, 2), heads=(1, 2, 2, 2), window=4)
CLOSE = 1e-4  # of the largest answer


def small_birefnet() -> onnx.ModelProto:
    """BiRefNet's graph with few channels, on 64² pixels."""
    return birefnet(SMALL_SWIN, side=64, inter=8, pyramid=16)


def network(*shape: int, made: Callable[[Net, Value], Value]) -> onnx.ModelProto:
    """One input of a shape, one output."""
    net = Net()
    return net.model(made(net, net.input("photo", *shape)))


def passed(model: onnx.ModelProto, *matches: Match) -> tuple[onnx.ModelProto, list[int]]:
    """The model after some passes, and how often each found its pattern."""
    graph, found = Graph.read(model), []
    for match in matches:
        graph, count = rewrite(graph, match)
        found.append(count)
    return graph.write(), found


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def feed(model: onnx.ModelProto, seed: int = 0) -> dict[str, Array]:
    """Return normally distributed numbers for every input."""
    dice = np.random.default_rng(seed)
    shapes = {
        taken.name: [axis.dim_value for axis in taken.type.tensor_type.shape.dim]
        for taken in model.graph.input
    }
    return {name: dice.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def answer(model: onnx.ModelProto, seed: int = 0, *, photo: Array | None = None) -> Array:
    """Output 0 for normally distributed inputs or one photo, exactly as the graph says."""
    return run(model, feed(model, seed) if photo is None else {"photo": photo})


def run(model: onnx.ModelProto, inputs: dict[str, Array]) -> Array:
    """Output 0, exactly as the graph says."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options)
    given: Array = session.run(None, inputs)[0]
    return given


def assert_same_answers(model: onnx.ModelProto, other: onnx.ModelProto) -> None:
    for seed in range(2):
        expected = answer(model, seed)
        assert np.ptp(expected) > 0
        error = np.abs(answer(other, seed) - expected).max() / np.abs(expected).max()
        assert error <= CLOSE
