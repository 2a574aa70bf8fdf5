"""Fold constants after a convolution into its weights: a bias or a normalisation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, require
from containers.model_downloader.optimisation.rewriting import Replacement


def fold_bias(graph: Graph, node: Node) -> Replacement:
    """Rewrite conv(x) + b, with one number per channel, as one convolution."""
    require(node.is_a("Add"), "not an addition")
    value, constant = node.inputs if node.inputs[1] in graph.constants else node.inputs[::-1]
    conv = _only_read_here(graph, value)
    channels = graph.array(conv.input(1)).shape[0]
    bias = graph.weights(constant)
    require(bias.shape in {(1, channels, 1, 1), (channels, 1, 1)}, "not one number per channel")
    return _scaled(graph, conv, node, gain=np.ones(channels, np.float32), shift=bias.ravel())


def fold_normalisation(graph: Graph, node: Node) -> Replacement:
    """Rewrite a batch normalisation of a convolution as one convolution."""
    require(node.is_a("BatchNormalization"), "it normalises")
    require(len(node.outputs) == 1, "not in inference mode")
    require(not node.attribute("training_mode", 0), "not in inference mode")
    conv = _only_read_here(graph, node.inputs[0])
    gain, shift, mean, variance = (graph.weights(name) for name in node.inputs[1:])
    gain = gain / np.sqrt(variance + node.attribute("epsilon", 1e-5))
    return _scaled(graph, conv, node, gain=gain, shift=shift - mean * gain)


def _only_read_here(graph: Graph, value: str) -> Node:
    conv = graph.maker(value, "Conv")
    graph.only_use(value)
    return conv


def _scaled(graph: Graph, conv: Node, node: Node, *, gain: Array, shift: Array) -> Replacement:
    """Fold `gain` and `shift` of the output into `conv`, under the name of `node`."""
    weight, bias = graph.weights(conv.input(1)), graph.bias(conv)
    require(weight.ndim == 4, "not two-dimensional")
    output = node.outputs[0]
    names = f"{output}/weight", f"{output}/bias"
    folded = replace(conv, inputs=(conv.inputs[0], *names), outputs=(output,), name=output)
    values = weight * gain[:, None, None, None], bias * gain + shift
    constants = {name: value.astype(np.float32) for name, value in zip(names, values, strict=True)}
    return Replacement((folded,), constants)
