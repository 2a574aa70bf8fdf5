"""Replace deformable convolutions written as basic operators by one `DeformConv` each.

ONNX had no such operator when the published networks were exported. So each became bilinear
sampling with basic operators: four gathers of the padded input, weighted, summed, modulated, laid
out as tiles of kernel size and convolved with a stride of the kernel. At 256² with a 7×7 kernel
that takes a dozen tensors of 0.8 GB each; the operator takes one.
"""

from __future__ import annotations

import numpy as np

from containers.model_downloader.optimisation.graph import Graph, Node, NoMatch, require
from containers.model_downloader.optimisation.rewriting import Replacement
from containers.model_downloader.optimisation.sampling import Sampling, tiles
from containers.model_downloader.optimisation.terms import require_computed


def fuse(graph: Graph, node: Node) -> Replacement:
    """Rewrite a deformable convolution, which ends in the `Conv` `node`, as a `DeformConv`."""
    require(node.is_a("Conv"), "not a convolution")
    kernel = tuple(graph.weights(node.input(1)).shape[2:])
    require(len(kernel) == 2, "not two-dimensional")
    require(node.attribute("strides") == list(kernel), "tiles differ from the kernel's size")
    require(not any(node.attribute("pads", [0])), "tiles are padded")
    require(set(node.attribute("dilations", [1])) == {1}, "tiles are dilated")
    summed, mask = _sampled(graph, node)
    offset, source, sampling = _sources(graph, summed, kernel)
    require(np.array_equal(sampling.grid, sampling.regular_grid()), "the grid is not regular")
    expected = tiles(sampling, source=source, offset=offset, mask=mask)
    require_computed(graph, node.inputs[0], expected)
    return _operator(node, sampling, source=source, offset=offset, mask=mask)


def _sampled(graph: Graph, conv: Node) -> tuple[Node, str | None]:
    """Return the sum over the four neighbours, and the name of the mask that multiplies it."""
    tiles = graph.maker(conv.inputs[0], "Reshape")
    turned = graph.maker(tiles.inputs[0], "Transpose")
    name = graph.maker(turned.inputs[0], "Reshape").inputs[0]
    product = graph.producers.get(name)
    if product is None or product.op != "Mul":
        return graph.maker(name, "Sum"), None
    summed, mask = sorted(
        (graph.producers[each] for each in product.inputs if each in graph.producers),
        key=lambda each: each.op != "Sum",
    )
    return graph.maker(summed.outputs[0], "Sum"), graph.maker(mask.outputs[0], "Reshape").inputs[0]


def _sources(graph: Graph, summed: Node, kernel: tuple[int, ...]) -> tuple[str, str, Sampling]:
    """Return offset, input and sampling of the convolution, read from constants on the way."""
    weighted = graph.maker(summed.inputs[0], "Mul")
    gathered = _one_of(graph, weighted, through=("Reshape", "Transpose", "GatherND"))
    shaped = graph.maker(graph.maker(gathered.inputs[0], "Transpose").inputs[0], "Reshape")
    padding = graph.maker(shaped.inputs[0], "Pad")
    require(padding.attribute("mode", "constant") == "constant", "the padding is not zero")
    row = graph.maker(graph.maker(gathered.inputs[1], "Concat").inputs[0], "Reshape")
    corner = graph.maker(graph.maker(row.inputs[0], "Clip").inputs[0], "Slice")
    floor = graph.maker(graph.maker(corner.inputs[0], "Cast").inputs[0], "Floor")
    place = graph.maker(floor.inputs[0], "Add")
    grid_name = next((name for name in place.inputs if name in graph.constants), "")
    moved = graph.maker(next((name for name in place.inputs if name != grid_name), ""), "Reshape")
    batch, groups, area, _, *out = (int(size) for size in graph.array(moved.inputs[1]))
    channels, *padded = (int(size) for size in graph.array(shaped.inputs[1])[2:])
    margin = tuple(int(size) for size in graph.array(padding.inputs[1])[2:4])
    grid = graph.weights(grid_name)
    require(grid.shape == (1, 1, area, 2, *out), "the grid lacks a place per tap and pixel")
    require(area == kernel[0] * kernel[1], "not one sample per tap")
    sampling = Sampling(
        batch, groups, (kernel[0], kernel[1]), (out[0], out[1]), channels,
        (padded[0], padded[1]), (margin[0], margin[1]), grid,
    )  # fmt: skip
    return moved.inputs[0], padding.inputs[0], sampling


def _one_of(graph: Graph, product: Node, *, through: tuple[str, ...]) -> Node:
    """Return the node at the end of a chain of operators above either factor."""
    for name in product.inputs:
        try:
            node = graph.maker(name, through[0])
            for op in through[1:]:
                node = graph.maker(node.inputs[0], op)
        except NoMatch:
            continue
        return node
    raise NoMatch("no gather")


def _operator(
    conv: Node, sampling: Sampling, *, source: str, offset: str, mask: str | None
) -> Replacement:
    node = Node.make(
        "DeformConv", (source, conv.inputs[1], offset, conv.input(2), mask or ""), conv.outputs[0],
        kernel_shape=sampling.kernel, pads=sampling.pads * 2, strides=sampling.strides,
        dilations=sampling.dilations, group=conv.attribute("group", 1),
        offset_group=sampling.groups,
    )  # fmt: skip
    return Replacement((node,))
