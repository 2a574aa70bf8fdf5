"""Split deformable convolutions into groups of channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from containers.model_downloader.optimisation.graph import Graph, Node, require
from containers.model_downloader.optimisation.pointwise import added
from containers.model_downloader.optimisation.rewriting import Replacement
from containers.model_downloader.optimisation.rows import is_large

PARTS: Final = 4
_SMALLEST_KERNEL: Final = 3


def split_channels(graph: Graph, node: Node) -> Replacement:
    """Replace a `DeformConv` by the sum over quarters of its channels.

    onnxruntime builds the samples of all channels and taps at once: 0.8 GB for 64 channels of 256²
    with a 7×7 kernel, a quarter of it for 16.
    """
    require(node.is_a("DeformConv"), "not a deformable convolution")
    weight = graph.array(node.input(1))
    require(weight.ndim == 4, "not two-dimensional")
    require(min(weight.shape[2:]) >= _SMALLEST_KERNEL, "the kernel is small")
    require(node.attribute("group", 1) == 1, "the convolution is grouped")
    require(node.attribute("offset_group", 1) == 1, "the offsets are grouped")
    require(weight.shape[1] % PARTS == 0, "the number of channels is not divisible")
    require(not is_large(graph, node), "rows are split instead")
    output = node.outputs[0]
    names = [f"{output}/channels{index}" for index in range(PARTS)]
    sources = tuple(f"{name}/source" for name in names)
    split = Node.make("Split", node.inputs[:1], output, axis=1, num_outputs=PARTS)
    nodes = [replace(split, outputs=sources, name=f"{output}/split")]
    for index, (name, source) in enumerate(zip(names, sources, strict=True)):
        bias = node.input(3) if index == 0 else ""
        inputs = (source, f"{name}/weight", node.input(2), bias, node.input(4))
        nodes.append(replace(node, inputs=inputs, outputs=(name,), name=name))
    quarters = np.split(weight, PARTS, axis=1)
    constants = {f"{name}/weight": part for name, part in zip(names, quarters, strict=True)}
    return Replacement((*nodes, *added(names, output)), constants)
