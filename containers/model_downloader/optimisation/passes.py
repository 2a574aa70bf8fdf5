"""List the rewrites in order: each prepares the next. All are exact algebra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from containers.model_downloader.optimisation.blocks import scale_resize, split_parts, split_taps
from containers.model_downloader.optimisation.channels import split_channels
from containers.model_downloader.optimisation.constants import fold_bias, fold_normalisation
from containers.model_downloader.optimisation.deform_conv import fuse
from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.opset import can_have_deform_conv, with_deform_conv
from containers.model_downloader.optimisation.pointwise import (
    merge_into_convolution,
    move_above_resize,
    split_concatenation,
)
from containers.model_downloader.optimisation.rewriting import Match, rewrite
from containers.model_downloader.optimisation.rows import split_rows
from containers.model_downloader.optimisation.shapes import fold_shapes
from containers.model_downloader.optimisation.tiling import tiled

LINEAR: Final[Mapping[str, Match]] = {
    "bias": fold_bias,
    "normalisation": fold_normalisation,
    "concatenation": split_concatenation,
    "resize": move_above_resize,
    "chain": merge_into_convolution,
}
DEFORMABLE: Final[Mapping[str, Match]] = {
    "deform_conv": fuse,
    "channels": split_channels,
    "rows": split_rows,
}
BLOCKS: Final[Mapping[str, Match]] = {
    "scale": scale_resize,
    "parts": split_parts,
    "taps": split_taps,
}


def rewritten(graph: Graph) -> tuple[Graph, dict[str, int]]:
    """Return the graph after every pass, and how often each pass matched.

    A graph with loops or branches is unchanged: their bodies read values by name.
    """
    found = dict.fromkeys([*LINEAR, *DEFORMABLE, "shapes", *BLOCKS, "tiles"], 0)
    if any(node.has_body for node in graph.nodes):
        return graph, found
    for name, match in LINEAR.items():
        graph, found[name] = rewrite(graph, match)
    if can_have_deform_conv(graph):
        for name, match in DEFORMABLE.items():
            graph, found[name] = rewrite(graph, match)
            graph = with_deform_conv(graph) if found["deform_conv"] else graph
    graph, found["shapes"] = fold_shapes(graph)
    for name, match in BLOCKS.items():
        graph, found[name] = rewrite(graph, match)
    graph, found["tiles"] = tiled(graph)
    return graph, found
