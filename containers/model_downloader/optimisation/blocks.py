"""Keep tensors in the blocks of channels that onnxruntime convolves, by exact linear algebra.

onnxruntime keeps channels in blocks as wide as the CPU's vectors (16 with AVX-512, 8 with AVX2),
but it leaves the blocks for every operator that has no kernel for them, and copies the whole tensor
twice. A U-2-Net spends a seventh of its time on that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, require
from containers.model_downloader.optimisation.pointwise import added
from containers.model_downloader.optimisation.rewriting import Replacement

_BLOCK: Final = 16  # channels of the widest block
_NO_REGION: Final = "resize/no-region"


def scale_resize(graph: Graph, node: Node) -> Replacement:
    """Enlarge by a whole factor instead of to a size: the form that has a kernel for blocks.

    PyTorch's half pixels differ from ONNX's only where the result has one pixel.
    """
    require(node.op == "Resize" and not node.domain, "it resizes")
    require(node.attribute("mode", "nearest") == "linear", "not bilinear")
    require(len(node.inputs) > 3 and node.inputs[3], "not to a size")
    require(node.attributes.keys().isdisjoint({"axes", "antialias"}), "a newer kind of resizing")
    graph.array(node.inputs[3])
    before, after = (np.array(graph.shape(name)) for name in (node.inputs[0], node.outputs[0]))
    require(len(before) == 4 and tuple(after[:2]) == tuple(before[:2]), "channels are resized")
    require(not (after % before).any() and (after >= before).all(), "not by a whole factor")
    mode = node.attribute("coordinate_transformation_mode", "half_pixel")
    require(mode in {"half_pixel", "pytorch_half_pixel", "align_corners"}, "another alignment")
    require(mode != "pytorch_half_pixel" or (after[2:] > 1).all(), "one pixel")
    kept = "align_corners" if mode == "align_corners" else "half_pixel"
    name = f"{node.outputs[0]}/scales"
    made = Node.make(
        "Resize", (node.inputs[0], _NO_REGION, name), node.outputs[0],
        mode="linear", coordinate_transformation_mode=kept,
    )  # fmt: skip
    scales = (after / before).astype(np.float32)
    return Replacement((made,), {name: scales, _NO_REGION: np.zeros(0, np.float32)})


def split_parts(graph: Graph, node: Node) -> Replacement:
    """Rewrite w * [a, b] as w₁ * a + w₂ * b, for parts of whole blocks: nothing is copied.

    onnxruntime adds the second convolution to the first one's result, as it adds the channels of
    one convolution.
    """
    weight = _square_weight(graph, node)
    concat = graph.maker(node.inputs[0], "Concat")
    require(concat.attribute("axis") in {1, -3}, "not a concatenation of channels")
    graph.only_use(concat.outputs[0])
    sizes = [graph.shape(name)[1] for name in concat.inputs]
    require(len(sizes) > 1 and not any(size % _BLOCK for size in sizes), "not whole blocks")
    require(weight.shape[0] % _BLOCK == 0, "the result is not whole blocks")
    parts = np.split(weight, np.cumsum(sizes)[:-1], axis=1)
    output = node.outputs[0]
    names = [f"{output}/part{index}" for index in range(len(parts))]
    convs = [
        replace(node, inputs=(source, f"{name}/weight"), outputs=(name,), name=name)
        for source, name in zip(concat.inputs, names, strict=True)
    ]
    convs[-1] = replace(convs[-1], inputs=(*convs[-1].inputs, *node.inputs[2:]))
    constants = {f"{name}/weight": part for name, part in zip(names, parts, strict=True)}
    return Replacement((*convs, *added(names, output)), constants)


def split_taps(graph: Graph, node: Node) -> Replacement:
    """Rewrite a k×k convolution to one channel as a 1×1 one to k² channels, and their shifted sum.

    One channel costs as much as a whole block. So the many channels are read once instead of k²
    times, and the second convolution reads one block. Channels of zeros fill the block.
    """
    weight = _square_weight(graph, node)
    taps = weight[0, 0].size
    require(len(weight) == 1 and 1 < taps <= _BLOCK, "not to one channel")
    require(weight.shape[1] >= 2 * _BLOCK, "it reads few channels")
    require(set(node.attribute("strides", [1])) == {1}, "not every pixel")
    output = node.outputs[0]
    name = f"{output}/taps"
    each = np.zeros((_BLOCK, weight.shape[1], 1, 1), np.float32)
    each[:taps, :, 0, 0] = weight[0].reshape(weight.shape[1], taps).T
    shifts = np.zeros((1, _BLOCK, *weight.shape[2:]), np.float32)
    shifts[0, :taps] = np.eye(taps).reshape(taps, *weight.shape[2:])
    read = Node.make("Conv", (node.inputs[0], f"{name}/weight"), name)
    summed = replace(node, inputs=(name, f"{name}/shifts", *node.inputs[2:]), name=output)
    constants = {f"{name}/weight": each, f"{name}/shifts": shifts}
    return Replacement((read, summed), constants)


def _square_weight(graph: Graph, node: Node) -> Array:
    """Return the O×I×k×k weight of a plain convolution. Raises NoMatch for other nodes."""
    require(node.op == "Conv" and not node.domain, "it convolves")
    weight = graph.array(node.inputs[1])
    require(weight.ndim == 4 and node.attribute("group", 1) == 1, "not a plain convolution")
    return weight
