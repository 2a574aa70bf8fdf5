"""Rewrite a network so that it runs piece by piece.

As published, a recurrent network starts anew in every run, and pads the first frames of each run
with zeros. The rewritten one takes what the run before left, and returns what the next one needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from containers.model_downloader.networks import Array, named_failures, open_quietly
from containers.model_downloader.optimisation.graph import Graph, Node
from containers.model_downloader.streaming_proof import (
    FRAMES,
    NotStreamed,
    compare,
    feeds,
    time_axis,
)
from containers.model_downloader.working_network import Answers, Trial
from pipeline.declared.engines import EngineFile, Table
from pipeline.errors import WeightsMismatch
from pipeline.weights.staged import CarriedState, Proof

_OTHER_RECURRENT: Final = frozenset({"LSTM", "RNN", "Scan", "Loop", "If"})
_INITIAL_H: Final = 5  # the place of a GRU's initial state among its inputs
_SEQUENCE_LENGTHS: Final = 4
_PAD_AXES: Final = 3
_END: Final = np.iinfo(np.int64).max


class Streamed(NamedTuple):
    """A streaming network, what it carries, and its comparison with the published one."""

    path: Path
    states: tuple[CarriedState, ...]
    proof: Proof


def stream_network(path: Path, role: EngineFile, table: Table, earlier: Answers) -> Streamed:
    """Write a network whose runs continue each other, next to the published one.

    Its inputs and outputs are the published ones, followed by one of each for every state.
    `earlier` has the outputs of the row's earlier networks, by role. Raises NotStreamed.
    """
    graph = Graph.read(onnx.load(path))
    _require_known(graph)
    try:
        whole = open_quietly(path)
        drawn = list(feeds(whole, Trial(path, role, table).feed(whole, earlier)))
        rewritten = _Rewriting(graph, _measured(path, graph, drawn[0])).rewritten()
        target = path.with_name(f"{path.stem}.stream.onnx")
        onnx.save(rewritten.graph.write(), target)
        proof = compare(path, target, rewritten.states, rewritten.axes, drawn)
        return Streamed(target, rewritten.states, proof)
    except WeightsMismatch as error:
        raise NotStreamed(error.message) from error


def _require_known(graph: Graph) -> None:
    for node in graph.nodes:
        if node.op in _OTHER_RECURRENT or node.has_body:
            raise NotStreamed(f"it has the operator {node.op}, whose state is not carried")


@dataclass(frozen=True)
class _Measured:
    """Shapes of values in a run of all frames, and in a run without the last frame."""

    long: Mapping[str, tuple[int, ...]]
    short: Mapping[str, tuple[int, ...]]

    def time_axis(self, name: str) -> int | None:
        """Return the axis that grows with the frames; None if none does."""
        both = zip(self.long[name], self.short[name], strict=True)
        grown = [axis for axis, (long, short) in enumerate(both) if long != short]
        return grown[0] if grown else None


def _measured(path: Path, graph: Graph, feed: Mapping[str, Array]) -> _Measured:
    """Run the published network with the values that it pads as further outputs."""
    padded = [node.inputs[0] for node in graph.nodes if node.is_a("Pad")]
    names = list(dict.fromkeys([*padded, *(value.name for value in graph.outputs)]))
    known = {value.name for value in graph.inputs}
    outputs = [_value(name) for name in names if name not in known]
    model = replace(graph, outputs=tuple(outputs)).swept().write()
    with named_failures(path, "does not run"):
        session = ort.InferenceSession(model.SerializeToString(), _quiet())
        axes = {value.name: time_axis(value) for value in session.get_inputs()}
        short = {
            name: np.delete(values, -1, axes[name]) for name, values in feed.items() if name in axes
        }
        shapes = [
            dict(zip((each.name for each in outputs), map(np.shape, answers), strict=True))
            | {name: values.shape for name, values in taken.items()}
            for taken in ({name: feed[name] for name in short}, short)
            for answers in [session.run(None, taken)]
        ]
    return _Measured(*shapes)


# The rewrite.


class _Rewritten(NamedTuple):
    graph: Graph
    states: tuple[CarriedState, ...]
    axes: tuple[int, ...]  # of time, in each published output


@dataclass
class _Rewriting:
    graph: Graph
    measured: _Measured
    states: list[CarriedState] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def rewritten(self) -> _Rewritten:
        axes = tuple(self._output_axis(value.name) for value in self.graph.outputs)
        nodes = tuple(made for node in self.graph.nodes for made in self._made(node))
        inputs = (_value(state.taken, state.shape) for state in self.states)
        outputs = (_value(state.given) for state in self.states)
        graph = replace(
            self.graph,
            nodes=nodes,
            constants={**self.graph.constants, **self.constants},
            inputs=(*self.graph.inputs, *inputs),
            outputs=(*self.graph.outputs, *outputs),
        ).swept()
        return _Rewritten(graph, tuple(self.states), axes)

    def _output_axis(self, name: str) -> int:
        axis = self.measured.time_axis(name)
        if axis is None or self.measured.long[name][axis] != FRAMES:
            raise NotStreamed(f"its output {name} does not have one entry for each frame")
        return axis

    def _made(self, node: Node) -> tuple[Node, ...]:
        if node.is_a("GRU"):
            return (self._gru(node),)
        if node.is_a("Pad") and self.measured.time_axis(node.inputs[0]) is not None:
            return self._pad(node)
        return (node,)

    def _gru(self, node: Node) -> Node:
        """Take the initial state from the run before, and return the last one."""
        direction, layout = node.attribute("direction", "forward"), node.attribute("layout", 0)
        if direction != "forward" or layout or node.input(_SEQUENCE_LENGTHS):
            raise NotStreamed(f"its GRU {node.name} is {direction}, or has a layout of its own")
        taken, given = self._state((1, 1, int(node.attribute("hidden_size"))))
        inputs = [node.input(place) for place in range(_INITIAL_H)]
        outputs = (node.outputs[0], given)
        graph = self.graph
        if len(node.outputs) > 1 and graph.uses[node.outputs[1]]:
            raise NotStreamed(f"its GRU {node.name} has a last state that is read elsewhere")
        return replace(node, inputs=(*inputs, taken), outputs=outputs)

    def _pad(self, node: Node) -> tuple[Node, ...]:
        """Put the last frames of the run before in place of zeros."""
        source, output = node.inputs[0], node.outputs[0]
        axis, shape = self.measured.time_axis(source), self.measured.long[source]
        assert axis is not None  # noqa: S101 - for mypy
        if not node.input(1) or node.input(_PAD_AXES):
            raise NotStreamed(f"its padding {node.name} is written for another version of ONNX")
        before, after = np.split(self._folded(node.input(1)), 2)
        elsewhere = np.delete(before, axis).any() or np.delete(after, axis).any()
        count = int(before[axis])
        if count == after[axis] == 0:
            return (node,)  # it pads another axis than time
        if elsewhere or count < 0 or after[axis]:
            raise NotStreamed(f"its padding {node.name} is not only of frames before the first")
        value = self._folded(node.input(2)) if node.input(2) else np.zeros(1)
        if node.attribute("mode", "constant") != "constant" or value.any():
            raise NotStreamed(f"its padding {node.name} is not of zeros")
        taken, given = self._state((*shape[:axis], count, *shape[axis + 1 :]))
        bounds = [
            self._constant(f"{given}/{what}", [number])
            for what, number in (("first", -count), ("end", _END), ("axis", axis))
        ]
        return (
            Node.make("Concat", [taken, source], output, axis=axis),
            Node.make("Slice", [output, *bounds], given),
        )

    def _state(self, shape: tuple[int, ...]) -> tuple[str, str]:
        name = f"state_{len(self.states)}"
        state = CarriedState(taken=name, given=f"{name}_next", shape=shape)
        self.states.append(state)
        return state.taken, state.given

    def _constant(self, name: str, numbers: list[int]) -> str:
        self.constants[name] = numpy_helper.from_array(np.array(numbers, np.int64), name)
        return name

    def _folded(self, name: str) -> Array:
        """Return a value that depends on no input: exporters compute paddings step by step."""
        if name in self.graph.constants:
            return self.graph.array(name)
        alone = replace(self.graph, outputs=(_value(name, kind=None),)).swept()
        needed = {source for node in alone.nodes for source in node.inputs}
        if needed & {value.name for value in self.graph.inputs}:
            raise NotStreamed(f"its padding {name} depends on the input")
        model = replace(alone, inputs=()).write()
        (value,) = ort.InferenceSession(model.SerializeToString(), _quiet()).run([name], {})
        folded: Array = value
        return folded


def _value(
    name: str, shape: Sequence[int] | None = None, *, kind: int | None = onnx.TensorProto.FLOAT
) -> onnx.ValueInfoProto:
    if kind is None:
        return onnx.ValueInfoProto(name=name)
    return helper.make_tensor_value_info(name, kind, shape)


def _quiet() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return options
