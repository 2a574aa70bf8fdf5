"""Cut a network where it begins to enlarge its answer, and prove that it is the same answer.

A selection shows the small maps. To ask a whole network for them does not help: it enlarges them
all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper

from containers.model_downloader.networks import Array, fits, named_failures, open_quietly
from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.proof import compared
from containers.model_downloader.working_network import Answers, Trial
from pipeline.declared.engines import ChainedInput, EngineFile, Table
from pipeline.errors import WeightsMismatch
from pipeline.weights.staged import Proof

_TRIALS: Final = 3
# What lies between the maps and the first output: exporters crop while they enlarge.
_ENLARGING: Final = frozenset({"Resize", "Slice", "Identity", "Cast"})


class NotCut(Exception):
    """The network has no such maps, or its first output is something else than these enlarged."""


class Cut(NamedTuple):
    """A cut network, beside the published one, and its comparison with that.

    A published network that enlarges nothing is its own cut network.
    """

    path: Path
    proof: Proof


def cut_network(path: Path, role: EngineFile, table: Table, earlier: Answers) -> Cut:
    """Write a network that answers with the small maps in place of the first output.

    `earlier` has the outputs of the row's earlier networks, by role. Raises NotCut.
    """
    if role.cut is None:
        raise ValueError(f"{role.role} is not to be cut")
    graph = Graph.read(onnx.load(path))
    if graph.outputs[0].name == role.cut.name:
        return Cut(path, _proof(path, path, role, table, earlier))
    if any(node.has_body for node in graph.nodes):
        raise NotCut("it has a loop or a branch, whose body may read any value")
    maps = helper.make_tensor_value_info(_maps(graph, role.cut.name), onnx.TensorProto.FLOAT, None)
    short = replace(graph, outputs=(maps, *graph.outputs[1 : len(role.outputs)])).swept()
    target = path.with_name(f"{path.stem}.cut.onnx")
    onnx.save(short.write(), target)
    return Cut(target, _proof(path, target, role, table, earlier))


def enlarged(maps: Array, height: int, width: int) -> Array:
    """Enlarge square maps (…×s×s) bilinearly, without aligned corners; keep the top left part.

    The squares become as large as the longer side of `height`×`width`.
    """
    side, long = maps.shape[-1], max(height, width)
    rows, columns = (_places(length, long, side) for length in (height, width))
    tall = _mixed(maps, rows, axis=-2)
    return _mixed(tall, columns, axis=-1)


class _Places(NamedTuple):
    """Between which two places each new one lies, and how near it is to the second (0…1)."""

    first: Array
    second: Array
    share: Array


def _places(count: int, long: int, side: int) -> _Places:
    exact = (np.arange(count) + 0.5) * side / long - 0.5
    first = np.floor(exact).astype(int)
    return _Places(
        first.clip(0, side - 1), (first + 1).clip(0, side - 1), (exact - first).astype(np.float32)
    )


def _mixed(maps: Array, places: _Places, *, axis: int) -> Array:
    share = places.share if axis == -1 else places.share[:, None]
    near, far = (np.take(maps, each, axis=axis) for each in (places.first, places.second))
    mixed: Array = near * (1 - share) + far * share
    return mixed


def _maps(graph: Graph, name: str) -> str:
    """Return the value that has the small maps: the output of that name, else what is enlarged."""
    if name in {output.name for output in graph.outputs}:
        return name
    value, found = graph.outputs[0].name, None
    while (node := graph.producers.get(value)) and node.op in _ENLARGING:
        value = node.inputs[0]
        found = value if node.op == "Resize" else found
    if found is None:
        raise NotCut(f"it has no output {name}, and its first one is not an enlargement")
    return found


def _proof(whole: Path, short: Path, role: EngineFile, table: Table, earlier: Answers) -> Proof:
    """Compare the enlarged maps with the first output, and the other outputs with each other."""
    try:
        session, cut = open_quietly(whole), open_quietly(short)
        feeds = list(_feeds(Trial(whole, role, table), session, earlier))
        with named_failures(whole, "does not run"):
            answers = [_run(session, feed, len(role.outputs)) for feed in feeds]
        with named_failures(short, "does not run"):
            short_answers = [_run(cut, feed, len(role.outputs)) for feed in feeds]
    except WeightsMismatch as error:
        raise NotCut(error.message) from error
    for maps, *_ in short_answers:
        if role.cut and not fits(maps.shape, role.cut.sizes(table), {}):
            raise NotCut(f"its maps have the shape {list(maps.shape)}")
    height, width = answers[0][0].shape[-2:]
    large = [[enlarged(maps, height, width), *rest] for maps, *rest in short_answers]
    proof = compared(
        [_flat(answer) for answer in answers],
        [_flat(answer) for answer in large],
        precision="float32",
        activation="none",
    )
    if not proof.holds("float32"):
        raise NotCut(f"its first output is not the maps, enlarged: {proof}")
    return proof


def _flat(answer: list[Array]) -> Any:  # noqa: ANN401 - an array of numbers
    return np.concatenate([each.ravel() for each in answer])


def _feeds(
    trial: Trial, session: ort.InferenceSession, earlier: Answers
) -> Iterator[dict[str, Array]]:
    """Yield the declared trial, and others with noise on what an earlier network gave."""
    chained = {one.output_of for one in trial.file.inputs if isinstance(one, ChainedInput)}
    dice = np.random.default_rng(7)
    for strength in range(_TRIALS):
        noisy = {
            name: [
                values + strength * dice.standard_normal(values.shape, dtype=np.float32)
                for values in outputs
            ]
            for name, outputs in earlier.items()
            if name in chained
        }
        yield trial.feed(session, noisy)


def _run(session: ort.InferenceSession, feed: Mapping[str, Array], outputs: int) -> list[Array]:
    names = [output.name for output in session.get_outputs()[:outputs]]
    answers: list[Array] = session.run(names, dict(feed))
    return answers
