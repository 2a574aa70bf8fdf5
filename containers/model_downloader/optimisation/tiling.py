"""Compute large values in tiles, none of which is large.

The attention of a Swin block works in windows and its two layers on single places: nothing asks for
all of them at once. So the nodes around a large value are repeated for one range of rows after the
other, and only their small result is put together. Networks of 1024² have no value so large.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from containers.model_downloader.optimisation.graph import Array, Graph, Node, NoMatch, require
from containers.model_downloader.optimisation.ranges import Need, Range, needed
from containers.model_downloader.optimisation.rewriting import UNFORESEEN, Replacement, rewrite

LARGE_BYTES: Final = 2**28  # no value of BiRefNet at 1024² is larger
# Tiles take processor time: Segment Anything's encoder, which holds 1.6 GB, took two fifths more.
CROWDED_BYTES: Final = 2**31
_NO_COPY: Final = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"})
_OLDEST: Final = 13  # the operator set from which on operators are as `ranges` reads them
_TILE_BYTES: Final = 160 * 2**20


@dataclass(frozen=True)
class Tile:
    """The nodes that compute some rows of a value, and what they need.

    `sources` has the rows of other values, by the names under which the nodes read them; `inside`
    the values that are never computed as a whole.
    """

    nodes: tuple[Node, ...]
    shapes: dict[str, Array]
    sources: dict[str, tuple[str, Range]]
    inside: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """A value that is to be computed in tiles along an axis, and what is then inside them."""

    output: str
    axis: int
    rows: int
    inside: frozenset[str]

    def ranges(self, count: int) -> Iterator[Range]:
        ends = np.linspace(0, self.rows, min(count, self.rows) + 1).round()
        for start, stop in pairwise(ends.astype(int).tolist()):
            yield Range(self.axis, start, stop)


def tiled(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with its large values in tiles, and how many places were found.

    A network that holds little at one time is unchanged.
    """
    held = max(held_bytes(graph), default=0)
    if graph.opsets.get("", 0) < _OLDEST or held <= CROWDED_BYTES:
        return graph, 0
    found = plans(graph, large_values(graph, LARGE_BYTES), LARGE_BYTES)
    by_output = {plan.output: plan for plan in found}

    def match(graph: Graph, node: Node) -> Replacement:
        if node.outputs[0] not in by_output:
            raise NoMatch("not the result of tiles")
        return _written(graph, by_output[node.outputs[0]])

    return rewrite(graph, match)


def held_bytes(graph: Graph) -> list[int]:
    """Return the size of all values that are held while each node runs; unknown ones count as 0."""
    owner: dict[str, str] = {}
    for node in graph.nodes:
        source = node.input(0)
        same = node.op in _NO_COPY and source and source not in graph.constants
        owner |= {name: owner.get(source, source) if same else name for name in node.outputs}
    last: dict[str, int] = {}
    for place, node in enumerate(graph.nodes):
        for name in (*node.inputs, *node.outputs):
            last[owner.get(name, name)] = place
    for output in graph.outputs:
        last[owner.get(output.name, output.name)] = len(graph.nodes)
    ends: dict[int, int] = {}
    held, sizes = 0, []
    for place, node in enumerate(graph.nodes):
        for name in node.outputs:
            if owner[name] == name and name in graph.fixed:
                held += graph.bytes(name)
                ends[last[name]] = ends.get(last[name], 0) + graph.bytes(name)
        sizes.append(held)
        held -= ends.pop(place, 0)
    return sizes


def large_values(graph: Graph, large: int) -> list[str]:
    """Return the computed values of more than `large` bytes, in order; those of a known size."""
    names = (name for node in graph.nodes for name in node.outputs if name in graph.fixed)
    return [name for name in names if graph.bytes(name) > large]


def plans(graph: Graph, values: list[str], large: int) -> list[Plan]:
    """Return plans so that as many of the values as possible are inside tiles."""
    found: list[Plan] = []
    covered: set[str] = set()
    for value in reversed(values):
        if value in covered:
            continue
        plan = _plan_around(graph, value, large)
        if plan is not None and not covered & plan.inside:
            found.append(plan)
            covered |= plan.inside
    return found


def _plan_around(graph: Graph, value: str, large: int) -> Plan | None:
    """Return the plan with the value inside whose result is furthest on, and never large."""
    best, output = None, value
    while True:
        following = graph.readers[output]
        if len(following) != 1 or graph.uses[output] != 1 or len(following[0].outputs) != 1:
            return best
        (output,) = following[0].outputs
        if output not in graph.fixed:
            return best
        if graph.bytes(output) > large:
            continue
        longer = _plan(graph, output, large)
        inside = best.inside if best else {value}
        smallest = best is None or graph.bytes(output) <= graph.bytes(best.output)
        if longer is None or not inside <= longer.inside or not smallest:
            return best
        best = longer


def _plan(graph: Graph, output: str, large: int) -> Plan | None:
    """Return the plan for a value along the axis that has most of what is large inside."""
    best, most = None, 0
    for axis, rows in enumerate(graph.shape(output)):
        if rows < 2:
            continue
        try:
            trial = tile(graph, output, Range(axis, 0, rows // 2), "", large=large)
        except UNFORESEEN:
            continue
        held = sum(graph.bytes(name) for name in trial.inside if graph.bytes(name) > large)
        if held > most:
            best, most = Plan(output, axis, rows, trial.inside), held
    return best


def tile(graph: Graph, output: str, wanted: Range, suffix: str, *, large: int) -> Tile:
    """Return what computes these rows of a value, as far back as rows are enough.

    A convolution whose ranges overlap is computed in tiles only next to a value of more than
    `large` bytes. Raises NoMatch if the node of `output` itself does not compute rows alone.
    """
    ranges: dict[str, set[Range | None]] = defaultdict(set, {output: {wanted}})
    read: Counter[str] = Counter()
    steps: dict[int, Need] = {}
    waiting = [-graph.places[output]]
    while waiting:
        place = -heapq.heappop(waiting)
        node = graph.nodes[place]
        if place in steps or not _only_here(graph, node, output, read):
            continue
        try:
            need = needed(graph, node, _one_range(node, ranges))
            require(not need.overlaps or _beside_large(graph, node, large), "ranges overlap")
        except UNFORESEEN:
            continue
        steps[place] = need
        for name, each in zip(node.inputs, need.ranges, strict=True):
            ranges[name].add(each)
            read[name] += 1
            if each is not None and name in graph.places:
                heapq.heappush(waiting, -graph.places[name])
    return _renamed(graph, steps, suffix)


def _only_here(graph: Graph, node: Node, output: str, read: Counter[str]) -> bool:
    return all(name == output or graph.uses[name] == read[name] for name in node.outputs)


def _one_range(node: Node, ranges: dict[str, set[Range | None]]) -> Range:
    wanted = set().union(*(ranges[name] for name in node.outputs if name in ranges))
    require(len(wanted) == 1, "several ranges")
    (one,) = wanted
    if one is None:
        raise NoMatch("all rows")
    return one


def _beside_large(graph: Graph, node: Node, large: int) -> bool:
    return max(graph.bytes(name) for name in (node.input(0), node.outputs[0])) > large


def _renamed(graph: Graph, steps: dict[int, Need], suffix: str) -> Tile:
    """Return the nodes in order, with names of their own for what they compute."""
    require(steps, "no rows")
    inside = {name for place in steps for name in graph.nodes[place].outputs}
    nodes, shapes = [], {}
    sources: dict[str, tuple[str, Range]] = {}
    for place in sorted(steps):
        need = steps[place]
        names = []
        for name, each in zip(need.node.inputs, need.ranges, strict=True):
            if each is None:
                names.append(name)
            elif name in inside:
                names.append(f"{name}{suffix}")
            elif each.shape(graph.shape(name)) == graph.shape(name):
                names.append(name)
            else:
                start, stop = each.bounds()
                names.append(f"{name}[{each.axis}:{start}:{stop}]")
                sources[names[-1]] = name, each
        outputs = tuple(f"{name}{suffix}" for name in need.node.outputs)
        if need.shape is not None:
            names[1] = f"{outputs[0]}/shape"
            shapes[names[1]] = need.shape
        nodes.append(replace(need.node, inputs=tuple(names), outputs=outputs, name=outputs[0]))
    return Tile(tuple(nodes), shapes, sources, frozenset(inside))


def _written(graph: Graph, plan: Plan) -> Replacement:
    """Return the nodes of all tiles and of what puts them together."""
    count = math.ceil(max(graph.bytes(name) for name in plan.inside) / _TILE_BYTES)
    nodes: list[Node] = []
    constants: dict[str, Array] = {}
    names = []
    for index, wanted in enumerate(plan.ranges(count)):
        suffix = f"/tile{index}"
        each = tile(graph, plan.output, wanted, suffix, large=LARGE_BYTES)
        renamed = {}
        for name, (value, rows) in each.sources.items():
            if value in graph.constants:
                constants[name] = taken(graph.array(value), rows)
                continue
            renamed[name] = f"{plan.output}{suffix}/{name}"
            bounds = f"{renamed[name]}/start", f"{renamed[name]}/stop", f"{renamed[name]}/axis"
            numbers = np.array([*rows.bounds(), rows.axis], np.int64)
            constants |= dict(zip(bounds, numbers[:, None], strict=True))
            nodes.append(Node.make("Slice", (value, *bounds), renamed[name]))
        constants |= each.shapes
        for node in each.nodes:
            inputs = tuple(renamed.get(name, name) for name in node.inputs)
            nodes.append(replace(node, inputs=inputs))
        names.append(f"{plan.output}{suffix}")
    nodes.append(Node.make("Concat", names, plan.output, axis=plan.axis))
    return Replacement(tuple(nodes), constants)


def taken(values: Array, rows: Range) -> Array:
    """Return these rows of an array."""
    start, stop = rows.bounds()
    part: Array = values[(slice(None),) * rows.axis + (slice(start, stop),)]
    return part
