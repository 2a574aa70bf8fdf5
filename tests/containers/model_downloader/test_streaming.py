"""A network is streamed if its runs over pieces say what one run over the whole does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.networks import Array
from containers.model_downloader.streaming import Streamed, stream_network
from containers.model_downloader.streaming_proof import NotStreamed
from containers.model_downloader.working_network import Answers, require_working_network
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.engines import EngineFile, FilledInput, NetworkOutput
from pipeline.weights.staged import StagedWeights
from tests.containers.model_downloader.desks import Bench, stage
from tests.denoiser_models import NETWORKS, Size, stock_denoiser
from tests.models import SHIPPED

ROW: Final = SHIPPED.row("deepfilternet3")
PIECES: Final = (3, 1, 1, 64, 2)  # not those of staging
ONE: Final = EngineFile(
    role="network",
    inputs=(FilledInput(shape=(1, 20, 4), fill=0.5),),
    outputs=(NetworkOutput(shape=("...", 20, 4)),),
    stream=True,
)


def published(folder: Path) -> list[Path]:
    paths = [folder / file.name for file in ROW.files]
    for path in paths:
        onnx.save(NETWORKS[path.name](Size()), path)
    return paths


def noise(session: ort.InferenceSession, frames: int, states: set[str]) -> dict[str, Array]:
    dice = np.random.default_rng(11)
    return {
        value.name: dice.standard_normal(
            [axis if isinstance(axis, int) else frames for axis in value.shape], dtype=np.float32
        )
        for value in session.get_inputs()
        if value.name not in states
    }


def in_pieces(stream: Streamed, feed: dict[str, Array], axes: dict[str, int]) -> list[list[Array]]:
    session = ort.InferenceSession(stream.path)
    state = {one.taken: np.zeros(one.shape, np.float32) for one in stream.states}
    names = [value.name for value in session.get_outputs()]
    answers, start = [], 0
    for length in PIECES:
        piece = {
            name: values.take(range(start, start + length), axes[name])
            for name, values in feed.items()
        }
        found = dict(zip(names, session.run(names, {**piece, **state}), strict=True))
        state = {one.taken: found.pop(one.given) for one in stream.states}
        answers.append(list(found.values()))
        start += length
    return answers


@pytest.mark.parametrize(
    ("place", "shapes"),
    [
        (0, [(1, 1, 2, 32), (1, 2, 2, 96), (1, 1, 8)]),
        (1, [(1, 1, 8)]),
        (2, [(1, 1, 8), (1, 1, 8), (1, 2, 4, 96)]),
    ],
)
def test_pieces_of_any_length_are_answered_as_the_whole_is(
    tmp_path: Path, place: int, shapes: list[tuple[int, ...]]
) -> None:
    paths = published(tmp_path)
    answers: Answers = require_working_network(ROW, paths)

    stream = stream_network(paths[place], ROW.engine.files[place], ROW.table, answers)

    whole = ort.InferenceSession(paths[place])
    feed = noise(whole, sum(PIECES), {one.taken for one in stream.states})
    axes = {value.name: value.shape.index("S") for value in whole.get_inputs()}
    parts = in_pieces(stream, feed, axes)
    for expected, pieces in zip(whole.run(None, feed), zip(*parts, strict=True), strict=True):
        axis = expected.shape.index(sum(PIECES))
        np.testing.assert_allclose(np.concatenate(pieces, axis), expected, atol=2e-6)
    assert [state.shape for state in stream.states] == shapes
    assert stream.proof.holds("float32")


def network(
    *nodes: onnx.NodeProto, constants: dict[str, object] | None = None, frames: int | str = "S"
) -> onnx.ModelProto:
    """A network from x to y, both (1, frames, 4)."""
    float32, weights = TensorProto.FLOAT, (constants or {}).items()
    graph = helper.make_graph(
        list(nodes), "g",
        [helper.make_tensor_value_info("x", float32, [1, frames, 4])],
        [helper.make_tensor_value_info("y", float32, None)],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in weights],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)


def padding(*pads: int, mode: str = "constant", value: float = 0) -> onnx.ModelProto:
    """Pad (1, S, 4), and take the mean of three frames."""
    return network(
        helper.make_node("Pad", ["x", "pads", "value"], ["padded"], mode=mode, name="pad"),
        helper.make_node("Unsqueeze", ["padded"], ["picture"], axes=[0]),
        helper.make_node("Conv", ["picture", "third"], ["mean"]),
        helper.make_node("Squeeze", ["mean"], ["y"], axes=[0]),
        constants={
            "pads": np.array(pads),
            "value": np.float32(value),
            "third": np.full((1, 1, 3, 1), 1 / 3, np.float32),
        },
    )


def older_padding() -> onnx.ModelProto:
    """Until opset 11, the frames to pad were an attribute."""
    model = padding(0, 2, 0, 0, 0, 0)
    pad = model.graph.node[0]
    del pad.input[1:]
    pad.attribute.append(helper.make_attribute("pads", [0, 2, 0, 0, 0, 0]))
    model.opset_import[0].version = 10
    return model


def recurrent(
    op: str = "GRU", *, first: float = 0, last: bool = False, lengths: bool = False, **more: Any
) -> onnx.ModelProto:
    ways = 2 if more.get("direction") == "bidirectional" else 1
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[op]
    dice = np.random.default_rng(2)
    shapes = {"w": (ways, gates * 4, 4), "r": (ways, gates * 4, 4)}
    weights: dict[str, object] = {
        name: dice.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()
    }
    weights["first"] = np.full((ways, 1, 4), first, np.float32)
    weights["lengths"] = np.array([60], np.int32)
    taken = ["frames", "w", "r", "", "lengths" if lengths else "", "first"]
    ended = [helper.make_node("Add", ["all", "last"], ["used"])] if last else []
    return network(
        helper.make_node("Transpose", ["x"], ["frames"], perm=[1, 0, 2]),
        helper.make_node(op, taken, ["all", "last"], name="memory", hidden_size=4, **more),
        *ended,
        helper.make_node("ReduceMean", ["used" if last else "all"], ["one"], axes=[1], keepdims=0),
        helper.make_node("Transpose", ["one"], ["y"], perm=[1, 0, 2]),
        constants=weights,
    )


def attempt(folder: Path, model: onnx.ModelProto) -> Streamed:
    path = folder / "network.onnx"
    onnx.save(model, path)
    return stream_network(path, ONE, {}, {})


def test_a_padding_of_another_axis_stays_as_it_is(tmp_path: Path) -> None:
    model = padding(0, 2, 0, 0, 0, 0)
    sides = helper.make_node("Pad", ["x", "sides", "value"], ["wide"], mode="reflect", name="sides")
    cut = helper.make_node("Slice", ["wide", "one", "five", "two"], ["again"])
    model.graph.node.insert(0, cut)
    model.graph.node.insert(0, sides)
    model.graph.node[2].input[0] = "again"
    for name, values in {
        "sides": [0, 0, 1, 0, 0, 1], "one": [1], "five": [5], "two": [2],
    }.items():  # fmt: skip
        model.graph.initializer.append(numpy_helper.from_array(np.array(values), name))

    stream = attempt(tmp_path, model)

    assert [state.shape for state in stream.states] == [(1, 2, 4)]
    assert [node.op_type for node in onnx.load(stream.path).graph.node].count("Pad") == 1


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: recurrent("LSTM"), "the operator LSTM, whose state is not carried"),
        (lambda: recurrent("RNN"), "the operator RNN, whose state is not carried"),
        (lambda: recurrent(direction="reverse"), "GRU memory is reverse"),
        (lambda: recurrent(direction="bidirectional"), "GRU memory is bidirectional"),
        (lambda: recurrent(lengths=True), "has a layout of its own"),
        (lambda: recurrent(last=True), "a last state that is read elsewhere"),
        (lambda: recurrent(first=0.5), "in pieces is another than over the whole"),
        (lambda: padding(0, 2, 0, 0, 0, 0, mode="edge"), "padding pad is not of zeros"),
        (lambda: padding(0, 2, 0, 0, 0, 0, value=1), "padding pad is not of zeros"),
        (older_padding, "written for another version of ONNX"),
        (lambda: padding(0, 0, 0, 0, 2, 0), "not only of frames before the first"),
        (lambda: padding(0, 1, 0, 0, 1, 0), "not only of frames before the first"),
        (lambda: padding(0, 2, 1, 0, 0, 0), "not only of frames before the first"),
        (lambda: padding(0, 3, 0, 0, -1, 0), "not only of frames before the first"),
        (lambda: padding(0, 0, 0, 0, 0, 0), "does not have one entry for each frame"),
        (
            lambda: network(helper.make_node("CumSum", ["x", "axis"], ["y"]),
                            constants={"axis": np.array(1)}),
            "in pieces is another than over the whole",
        ),
        (
            lambda: network(helper.make_node("Relu", ["x"], ["y"]), frames=20),
            r"x has the shape \[1, 20, 4\]: one axis is time",
        ),
    ],
)  # fmt: skip
def test_an_odd_network_is_refused_by_name(
    tmp_path: Path, make: Callable[[], onnx.ModelProto], why: str
) -> None:
    with pytest.raises(NotStreamed, match=why):
        attempt(tmp_path, make())


def test_a_padding_that_the_input_decides_is_refused(tmp_path: Path) -> None:
    model = padding(0, 2, 0, 0, 0, 0)
    model.graph.node.insert(0, helper.make_node("Cast", ["less"], ["pads"], to=TensorProto.INT64))
    model.graph.node.insert(0, helper.make_node("Mul", ["two", "sign"], ["less"]))
    model.graph.node.insert(0, helper.make_node("Clip", ["size", "one", "one"], ["sign"]))
    model.graph.node.insert(0, helper.make_node("ReduceMax", ["x"], ["size"], keepdims=0))
    kept = [each for each in model.graph.initializer if each.name != "pads"]
    del model.graph.initializer[:]
    two = np.array([0, 2, 0, 0, 0, 0], np.float32)
    model.graph.initializer.extend(
        [
            *kept,
            numpy_helper.from_array(two, "two"),
            numpy_helper.from_array(np.array(1, np.float32), "one"),
        ]
    )

    with pytest.raises(NotStreamed, match="padding pads depends on the input"):
        attempt(tmp_path, model)


def staged(store: LocalStore, uri: str) -> StagedWeights:
    return StagedWeights.parse(store.read(Location.parse(uri)), uri=uri)


def test_staging_publishes_each_streaming_network_and_its_proof(
    store: LocalStore, bench: Bench, tmp_path: Path
) -> None:
    row = stock_denoiser(tmp_path / "mirror", "small")

    record = staged(store, stage(bench(row, mirror=tmp_path / "mirror"), "small").manifest.uri)

    for file in record.files:
        assert file.stream is not None
        assert file.stream.source_sha256 == file.artifact.sha256
        assert file.stream.proof.holds("float32")
        session = ort.InferenceSession(store.read(Location.parse(file.stream.file.artifact.uri)))
        taken = {value.name: tuple(value.shape) for value in session.get_inputs()}
        given = {value.name for value in session.get_outputs()}
        assert {one.taken: one.shape for one in file.stream.states}.items() <= taken.items()
        assert {one.given for one in file.stream.states} <= given
        assert (file.optimised, file.not_optimised) == ((), "it is run in its streaming form")
        assert file.not_streamed is None


def test_a_network_that_is_not_streamed_is_staged_and_the_record_says_why(
    store: LocalStore, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stock_denoiser(tmp_path / "mirror", "small")

    def odd(*_: object) -> Streamed:
        raise NotStreamed("it has the operator LSTM")

    monkeypatch.setattr("containers.model_downloader.streaming.stream_network", odd)
    record = staged(store, stage(bench(row, mirror=tmp_path / "mirror"), "small").manifest.uri)

    assert {file.not_streamed for file in record.files} == {"it has the operator LSTM"}
    assert {file.stream for file in record.files} == {None}


def test_a_record_of_another_model_says_nothing_of_streams(store: LocalStore, bench: Bench) -> None:
    """An older container refuses fields that it does not know."""
    told = stage(bench(), "brightness")

    assert b"stream" not in store.read(Location.parse(told.manifest.uri))
