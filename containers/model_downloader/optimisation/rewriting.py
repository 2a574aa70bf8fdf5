"""Apply passes: a pass is a function that returns a node's replacement or raises NoMatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from onnx import numpy_helper

from containers.model_downloader.optimisation.graph import Array, Graph, Node, NoMatch


@dataclass(frozen=True)
class Replacement:
    """Nodes with the same outputs as the node they replace, and their new constants."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array] = field(default_factory=dict)


Match = Callable[[Graph, Node], Replacement]

# A pass may also stumble over a graph that nobody foresaw: a missing input, a constant of another
# shape. Such a node is no match either: the network must still be staged.
UNFORESEEN: Final = (NoMatch, LookupError, ValueError, TypeError)


def rewrite(graph: Graph, match: Match) -> tuple[Graph, int]:
    """Replace every node that `match` accepts, and count them."""
    nodes: list[Node] = []
    constants = dict(graph.constants)
    found = 0
    for node in graph.nodes:
        try:
            replacement = match(graph, node)
        except UNFORESEEN:
            nodes.append(node)
            continue
        found += 1
        nodes.extend(replacement.nodes)
        for name, value in replacement.constants.items():
            constants[name] = numpy_helper.from_array(value, name)
    if not found:
        return graph, 0
    return replace(graph, nodes=tuple(nodes), constants=constants).swept(), found
