"""A published network that does not fit is run in parts, answers the same, and judges others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from containers.model_downloader import working_network
from containers.model_downloader.optimisation import in_parts, passes, tiling
from containers.model_downloader.optimisation.graph import Graph, Node
from containers.model_downloader.optimisation.in_parts import InParts
from containers.model_downloader.optimisation.lean import make_lean
from containers.model_downloader.optimisation.order import LeanNetwork
from containers.model_downloader.optimisation.pictures import inputs
from containers.model_downloader.optimisation.proof import answers, compared, published_answers
from containers.model_downloader.optimisation.rewriting import Match, Replacement
from containers.model_downloader.optimisation.tiling import Plan, held_bytes
from containers.model_downloader.working_network import Trial
from pipeline.errors import WeightsMismatch
from pipeline.weights.staged import Proof
from tests.bench.standins.layers import conv, relu
from tests.bench.standins.net import Net, Value
from tests.containers.model_downloader.optimisation.desk import ROW, Try
from tests.containers.model_downloader.optimisation.large import (
    SIDE,
    count_as_large,
    large_birefnet,
)
from tests.containers.model_downloader.optimisation.networks import (
    Array,
    answer,
    feed,
    network,
    run,
)
from tests.containers.model_downloader.optimisation.test_lean import order

LITTLE_MB = 6  # less than the network holds at one time


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "published.onnx"
    onnx.save(large_birefnet(), path)
    return path


@pytest.mark.parametrize("memory_mb", [LITTLE_MB, 1000])
def test_in_parts_a_network_answers_as_a_whole(published: Path, memory_mb: int) -> None:
    parts = InParts.of(published, memory_mb * 2**20)
    model = onnx.load(published)

    given = parts.run(feed(model))

    tiles = [step for step in parts.steps() if isinstance(step, Plan)]
    assert (len(tiles) > 1) is (memory_mb <= LITTLE_MB)
    np.testing.assert_allclose(given, answer(model), atol=1e-5)


def test_no_part_holds_more_than_its_share(published: Path) -> None:
    parts = InParts.of(published, LITTLE_MB * 2**20)
    inside = {name for step in parts.steps() if isinstance(step, Plan) for name in step.inside}
    held = held_bytes(parts.graph)

    assert max(held) > LITTLE_MB * 2**20
    for node, each in zip(parts.graph.nodes, held, strict=True):
        if node.outputs[0] not in inside:
            assert each <= parts.budget


def test_a_network_that_fits_is_run_as_a_whole(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InParts, "run", None)
    photos = inputs((1, 3, SIDE, SIDE))
    assert photos is not None

    given = published_answers(published, photos, memory_mb=1000)

    assert [each.shape for each in given] == [(1, 1, SIDE, SIDE)] * 3
    np.testing.assert_array_equal(given, answers(published, photos))


def test_values_are_held_from_their_node_to_their_last_reader() -> None:
    def made(net: Net, photo: Value) -> Value:
        wide = relu(net, conv(net, photo, "a", 8, 1))
        return conv(net, wide, "b", 1, 1)

    graph = Graph.read(network(1, 1, 4, 4, made=made))

    assert [each // 64 for each in held_bytes(graph)] == [8, 16, 9, 1]


def test_optimised_networks_are_compared_with_one_that_ran_in_parts(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_as_large(monkeypatch)

    lean = make_lean(order(tmp_path, onnx.load(published), memory_mb=LITTLE_MB))

    assert lean.refused is None
    for each in lean.networks:
        assert (each.proof.pictures, each.proven) == (3, True)
        assert 0 < each.proof.max_difference < 1e-4
        assert min(each.rewrites[name] for name in ("deform_conv", "rows", "tiles")) > 0


def forgets_the_mask(graph: Graph, node: Node, match: Match) -> Replacement:
    (bent,) = match(graph, node).nodes
    return Replacement((replace(bent, inputs=bent.inputs[:4]),))


def has_other_numbers(graph: Graph, node: Node, match: Match) -> Replacement:
    found = match(graph, node)
    constants = {
        name: values + np.float32(0.1) if values.dtype == np.float32 else values
        for name, values in found.constants.items()
    }
    return replace(found, constants=constants)


def swaps_two_strips(graph: Graph, node: Node, match: Match) -> Replacement:
    *nodes, joined = match(graph, node).nodes
    swapped = replace(joined, inputs=(*joined.inputs[1::-1], *joined.inputs[2:]))
    return Replacement((*nodes, swapped), match(graph, node).constants)


WRONG: tuple[tuple[str, Callable[..., Replacement]], ...] = (
    *((name, has_other_numbers) for name in passes.LINEAR),
    ("deform_conv", forgets_the_mask),
    ("channels", has_other_numbers),
    ("rows", has_other_numbers),
    ("rows", swaps_two_strips),
)


@pytest.fixture(scope="module")
def plain(published: Path) -> Array:
    """The published network's result on one picture, in parts."""
    return InParts.of(published, LITTLE_MB * 2**20).run({"input_image": photo()})


def photo() -> Array:
    drawn = inputs((1, 3, SIDE, SIDE))
    assert drawn is not None
    return drawn[0]


def judged(published: Path, plain: Array) -> Proof:
    """Compare the network that the passes make with the one that ran in parts."""
    graph, _ = passes.rewritten(Graph.read(onnx.load(published)))
    given = run(graph.write(), {"input_image": photo()})
    return compared([plain], [given], precision="float32", activation="sigmoid")


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_wrong_rewrite_of_any_kind_is_found(
    published: Path, plain: Array, monkeypatch: pytest.MonkeyPatch,
    name: str, wrong: Callable[..., Replacement],
) -> None:  # fmt: skip
    count_as_large(monkeypatch)
    kind = "LINEAR" if name in passes.LINEAR else "DEFORMABLE"
    right = getattr(passes, kind)
    changed = {name: lambda graph, node: wrong(graph, node, right[name])}
    monkeypatch.setattr(passes, kind, {**right, **changed})

    assert not judged(published, plain).holds("float32")


def test_a_wrong_tile_at_any_place_is_found(
    published: Path, plain: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_as_large(monkeypatch)
    written = tiling._written
    places: list[str] = []
    wrong = ""

    def swapped(graph: Graph, plan: Plan) -> Replacement:
        places.append(plan.output)
        found = written(graph, plan)
        *nodes, joined = found.nodes
        order = joined.inputs[::-1] if plan.output == wrong else joined.inputs
        return replace(found, nodes=(*nodes, replace(joined, inputs=order)))

    monkeypatch.setattr(tiling, "_written", swapped)
    assert judged(published, plain).holds("float32")
    for each in tuple(places):
        wrong = each
        assert not judged(published, plain).holds("float32")

    assert len(set(places)) > 3


def trial(path: Path, memory_mb: int | None) -> Trial:
    row = ROW.model_copy(update={"table": {**ROW.table, "input_size": SIDE}})
    return Trial(path, row.engine.files[0], row.table, memory_mb)


def test_the_trial_runs_a_large_network_in_parts(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    run = InParts.run

    def counted(parts: InParts, given: dict[str, Array]) -> Array:
        ran.append(parts.memory_bytes)
        return run(parts, given)

    monkeypatch.setattr(InParts, "run", counted)
    monkeypatch.setattr(working_network, "_LARGE_FILE_BYTES", 2**20)
    expected = trial(published, None).run({})
    assert ran == []

    np.testing.assert_allclose(trial(published, LITTLE_MB).run({}), expected, atol=1e-5)
    assert ran == [LITTLE_MB * 2**20]

    trial(published, 1000).run({})
    assert len(ran) == 1


def test_a_trial_in_parts_that_fails_is_a_mismatch(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(InParts, "run", fails)
    monkeypatch.setattr(working_network, "_LARGE_FILE_BYTES", 2**20)

    with pytest.raises(WeightsMismatch, match="does not run: no such kernel"):
        trial(published, LITTLE_MB).run({})


def test_a_network_of_unknown_sizes_counts_as_one_that_fits(tmp_path: Path) -> None:
    model = network(1, 3, 8, 8, made=lambda net, x: conv(net, x, "c", 2, 3))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "any.onnx")

    assert in_parts.InParts.of(tmp_path / "any.onnx", 2**20).fits


def test_the_record_of_a_tiled_network_has_its_memory_mapped(
    published: Path, tmp_path: Path, attempt: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiled = vars(LeanNetwork)["tiled"].fget
    path = tmp_path / "net.onnx"
    path.write_bytes(published.read_bytes())
    monkeypatch.setattr(LeanNetwork, "tiled", True)

    (network, *_), _, _ = attempt(path, side=SIDE)

    assert network.session is not None
    assert network.session.memory == "mapped"
    for count in (0, 1):
        assert tiled(network.model_copy(update={"rewrites": {"tiles": count}})) is bool(count)
