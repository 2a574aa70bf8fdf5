"""Move 1×1 convolutions to where their input is small, by exact linear algebra.

This saves memory: the tensor that a 1×1 convolution reduces to a few channels is never built. A
pass matches only if its result has fewer numbers than what it replaces.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, require
from containers.model_downloader.optimisation.rewriting import Replacement


def split_concatenation(graph: Graph, node: Node) -> Replacement:
    """Rewrite w·[a, b] as w₁·a + w₂·b, for any number of parts."""
    weight = _pointwise_weight(graph, node)
    concat = graph.maker(node.inputs[0], "Concat")
    require(concat.attribute("axis") in {1, -3}, "not a concatenation of channels")
    graph.only_use(concat.outputs[0])
    require(len(concat.inputs) > 1, "not several parts")
    sizes = [graph.shape(name)[1] for name in concat.inputs]
    require(weight.shape[0] * len(sizes) < weight.shape[1], "the parts are not smaller")
    parts = np.split(weight, np.cumsum(sizes)[:-1], axis=1)
    output = node.outputs[0]
    names = [f"{output}/part{index}" for index in range(len(parts))]
    convs = [
        Node.make("Conv", (source, f"{name}/weight"), name)
        for source, name in zip(concat.inputs, names, strict=True)
    ]
    convs[-1] = replace(convs[-1], inputs=(*convs[-1].inputs, *node.inputs[2:]))
    constants = {f"{name}/weight": part for name, part in zip(names, parts, strict=True)}
    return Replacement((*convs, *added(names, output)), constants)


def move_above_resize(graph: Graph, node: Node) -> Replacement:
    """Rewrite w·resize(a) + b as resize(w·a) + b: each channel is resized alike."""
    weight = _pointwise_weight(graph, node)
    resize = graph.maker(node.inputs[0], "Resize")
    graph.only_use(resize.outputs[0])
    require(weight.shape[0] < weight.shape[1], "not fewer channels")
    mode = resize.attribute("coordinate_transformation_mode", "half_pixel")
    require(mode != "tf_crop_and_resize", "the resize pads the image")
    policy = resize.attribute("keep_aspect_ratio_policy", "stretch")
    require(policy == "stretch", "the size is not the given one")
    require("axes" not in resize.attributes, "not all axes are resized")
    output = node.outputs[0]
    extent, constants = _extent(graph, resize, len(weight), f"{output}/sizes")
    small, biased = f"{output}/small", bool(node.input(2))
    large = f"{output}/large" if biased else output
    moved = replace(node, inputs=(resize.inputs[0], node.inputs[1]), outputs=(small,), name=small)
    nodes = [moved, replace(resize, inputs=(small, *extent), outputs=(large,), name=large)]
    if biased:
        constants[f"{output}/bias"] = graph.array(node.input(2))[None, :, None, None]
        nodes.append(Node.make("Add", (large, f"{output}/bias"), output))
    return Replacement(tuple(nodes), constants)


def _extent(
    graph: Graph, resize: Node, channels: int, name: str
) -> tuple[tuple[str, ...], dict[str, Array]]:
    """Return the inputs of a `Resize` except its image, for another number of channels."""
    if resize.input(3):
        batch, (rows, columns) = (
            graph.shape(resize.inputs[0])[0],
            graph.shape(resize.outputs[0])[2:],
        )
        sizes = np.array((batch, channels, rows, columns), np.int64)
        return (*resize.inputs[1:3], name), {name: sizes}
    require(tuple(graph.array(resize.input(2))[:2]) == (1, 1), "channels are resized")
    return resize.inputs[1:], {}


def merge_into_convolution(graph: Graph, node: Node) -> Replacement:
    """Rewrite w·(v(a) + c) + b as (w·v)(a) + (w·c + b)."""
    weight = _pointwise_weight(graph, node)
    first = graph.maker(node.inputs[0], "Conv")
    graph.only_use(first.outputs[0])
    require(first.attribute("group", 1) == 1, "the convolution is grouped")
    require(weight.shape[0] < weight.shape[1], "not fewer channels")
    inner = graph.weights(first.input(1))
    require(inner.ndim == 4, "not two-dimensional")
    product = np.einsum("om,mikl->oikl", weight[:, :, 0, 0], inner, optimize=True)
    bias = weight[:, :, 0, 0] @ graph.bias(first) + graph.bias(node)
    output = node.outputs[0]
    names = f"{output}/weight", f"{output}/bias"
    merged = replace(first, inputs=(first.inputs[0], *names), outputs=(output,), name=output)
    return Replacement((merged,), dict(zip(names, (product, bias), strict=True)))


def added(names: list[str], output: str) -> list[Node]:
    """Sum values one after another: onnxruntime then adds into a convolution's own result."""
    nodes, total = [], names[0]
    for index, name in enumerate(names[1:], start=1):
        result = output if index == len(names) - 1 else f"{output}/sum{index}"
        nodes.append(Node.make("Add", (total, name), result))
        total = result
    return nodes


def _pointwise_weight(graph: Graph, node: Node) -> Array:
    """Return the O×I×1×1 weight of a plain 1×1 convolution. Raises NoMatch for other nodes."""
    require(node.is_a("Conv"), "it convolves")
    weight = graph.weights(node.input(1))
    require(weight.ndim == 4 and weight.shape[2:] == (1, 1), "not a 1×1 kernel")
    require(set(node.attribute("strides", [1])) == {1}, "every pixel")
    require(not any(node.attribute("pads", [0])), "padded")
    require(node.attribute("auto_pad", "NOTSET") in {"NOTSET", "VALID"}, "padded")
    require(node.attribute("group", 1) == 1, "the convolution is grouped")
    return weight
