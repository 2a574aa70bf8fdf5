"""Run a published network that is too large for the memory: part by part, as it was published.

A deformable convolution that is spelt out takes a dozen tensors of 3 GB at 2048². But only its
gathers read the whole input, and all else there is for one row of pixels after the other. So such
places run for a few rows at a time, with the operators of the published network, and everything
else as it is. The result is that of the whole network: optimised ones are compared with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from containers.model_downloader.optimisation.graph import Array, Graph, Node
from containers.model_downloader.optimisation.offline import lean_options
from containers.model_downloader.optimisation.tiling import (
    Plan,
    Tile,
    held_bytes,
    plans,
    taken,
    tile,
)

_SHARE: Final = 0.4  # of the memory, for values at one time: a part's weights are held twice
_LARGE_SHARE: Final = 1 / 8  # of that, for one value
_TILE_SHARE: Final = 0.1  # of the memory, for all values of a tile: others are held next to it
_OTHER_ORDER: Final = 2  # onnxruntime's order of nodes held so many times as much


@dataclass(frozen=True)
class Part:
    """Nodes that run at once, and the values that later parts read."""

    nodes: tuple[Node, ...]
    given: tuple[str, ...]


def fits(graph: Graph, memory_bytes: int) -> bool:
    """Return True if the whole network runs in this memory, or if nothing is known of its size."""
    weights = sum(graph.bytes(name) for name in graph.constants)
    return _OTHER_ORDER * max(held_bytes(graph), default=0) + weights <= memory_bytes


@dataclass(frozen=True)
class InParts:
    """A network that computes its first output in parts, within `memory_bytes`."""

    graph: Graph
    memory_bytes: int

    @classmethod
    def of(cls, network: Path, memory_bytes: int) -> InParts:
        graph = Graph.read(onnx.load(network))
        first = replace(graph, outputs=graph.outputs[:1]).swept()
        return cls(first, memory_bytes)

    @property
    def inputs(self) -> list[str]:
        return [value.name for value in self.graph.inputs]

    @property
    def budget(self) -> int:
        return int(self.memory_bytes * _SHARE)

    @property
    def large(self) -> int:
        return int(self.budget * _LARGE_SHARE)

    @property
    def fits(self) -> bool:
        """Return True if the network can run as a whole."""
        return fits(self.graph, self.memory_bytes)

    def run(self, feed: Mapping[str, Array]) -> Array:
        """Return the first output for these inputs."""
        steps = self.steps()
        wanted = [self._read(step) for step in steps]
        (output,) = (value.name for value in self.graph.outputs)
        values = dict(feed)
        for index, step in enumerate(steps):
            later = {output}.union(*wanted[index + 1 :])
            if isinstance(step, Plan):
                values[step.output] = self._in_tiles(step, values)
            else:
                values |= self._at_once(step, values)
            values = {name: value for name, value in values.items() if name in later}
        return values[output]

    def steps(self) -> list[Part | Plan]:
        """Return what runs one after the other."""
        found = self._plans()
        inside = {name for plan in found for name in plan.inside}
        ends = {plan.output: plan for plan in found}
        groups: list[list[Node] | Plan] = [[]]
        for node in self.graph.nodes:
            name = node.outputs[0]
            if name in ends:
                groups += [ends[name], []]
            elif name not in inside:
                last = groups[-1]
                assert isinstance(last, list)  # noqa: S101
                last.append(node)
        return [
            group if isinstance(group, Plan) else self._part(group) for group in groups if group
        ]

    def _plans(self) -> list[Plan]:
        """Return the places that would take more memory at once than there is."""
        crowded = [
            node.outputs[0]
            for node, held in zip(self.graph.nodes, held_bytes(self.graph), strict=True)
            if held > self.budget and node.outputs[0] in self.graph.fixed
        ]
        values = [name for name in crowded if self.graph.bytes(name) > self.large]
        return plans(self.graph, values, self.large)

    def _part(self, nodes: list[Node]) -> Part:
        made = {name for node in nodes for name in node.outputs}
        own = {id(node) for node in nodes}
        outputs = {value.name for value in self.graph.outputs}
        given = [
            name
            for name in made
            if name in outputs
            or any(id(reader) not in own for reader in self.graph.readers.get(name, ()))
        ]
        return Part(tuple(nodes), tuple(sorted(given)))

    def _read(self, step: Part | Plan) -> set[str]:
        """Return the values that a step reads."""
        if isinstance(step, Plan):
            made = step.inside
            nodes = [node for node in self.graph.nodes if node.outputs[0] in made]
        else:
            nodes = list(step.nodes)
        return {name for node in nodes for name in node.inputs}

    def _at_once(self, part: Part, values: Mapping[str, Array]) -> dict[str, Array]:
        return self._computed(part.nodes, part.given, values, {})

    def _in_tiles(self, plan: Plan, values: Mapping[str, Array]) -> Array:
        total = sum(self.graph.bytes(name) for name in plan.inside if name in self.graph.fixed)
        parts = []
        for wanted in plan.ranges(math.ceil(total / (self.memory_bytes * _TILE_SHARE))):
            each = tile(self.graph, plan.output, wanted, "", large=self.large)
            rows, constants = self._sources(each, values)
            (part,) = self._computed(
                each.nodes, (plan.output,), {**values, **rows}, {**constants, **each.shapes}
            ).values()
            parts.append(part)
        return np.concatenate(parts, axis=plan.axis)

    def _sources(
        self, part: Tile, values: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the rows of values and of constants that a tile reads."""
        rows, constants = {}, {}
        for name, (value, wanted) in part.sources.items():
            if value in self.graph.constants:
                constants[name] = taken(self.graph.array(value), wanted)
            else:
                rows[name] = taken(values[value], wanted)
        return rows, constants

    def _computed(
        self,
        nodes: Iterable[Node],
        given: tuple[str, ...],
        values: Mapping[str, Array],
        constants: Mapping[str, Array],
    ) -> dict[str, Array]:
        read = {name for node in nodes for name in node.inputs}
        feed = {name: np.ascontiguousarray(values[name]) for name in values if name in read}
        tensors = {name: each for name, each in self.graph.constants.items() if name in read}
        made = {name: numpy_helper.from_array(each, name) for name, each in constants.items()}
        part = replace(
            self.graph,
            nodes=tuple(nodes),
            constants=tensors | made,
            inputs=tuple(_declared(name, value) for name, value in feed.items()),
            outputs=tuple(onnx.ValueInfoProto(name=name) for name in given),
        )
        return self._run(_session(part), feed, given)

    def _run(
        self, session: ort.InferenceSession, feed: Mapping[str, Array], given: tuple[str, ...]
    ) -> dict[str, Array]:
        """Return the outputs; those of a whole part without a copy: one may have 3 GB."""
        binding = session.io_binding()
        for name, value in feed.items():
            binding.bind_cpu_input(name, value)
        answers = {}
        for output in session.get_outputs():
            known = self.graph.fixed.get(output.name)
            if known is None or tuple(output.shape) != known.shape:
                binding.bind_output(output.name)
                continue
            answers[output.name] = answer = np.empty(known.shape, known.numbers)
            binding.bind_output(
                output.name, "cpu", 0, answer.dtype.type, answer.shape, answer.ctypes.data
            )
        session.run_with_iobinding(binding)
        names = [output.name for output in session.get_outputs()]
        for name, each in zip(names, binding.get_outputs(), strict=True):
            if name not in answers:
                answers[name] = each.numpy()
        return {name: answers[name] for name in given}


def _session(part: Graph) -> ort.InferenceSession:
    content = part.write().SerializeToString()
    return ort.InferenceSession(content, lean_options(), providers=["CPUExecutionProvider"])


def _declared(name: str, value: Array) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(name, kind, value.shape)
