"""What is large in a network is computed in tiles, and the network answers as before."""

from __future__ import annotations

import math

import numpy as np
import onnx
import pytest

from containers.model_downloader.optimisation import tiling
from containers.model_downloader.optimisation.graph import Graph, NoMatch
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.tiling import large_values, tiled
from tests.bench.standins.layers import add, conv, mlp, relu, reshape, resize, softmax
from tests.bench.standins.net import Net, Value
from tests.bench.standins.sam import sam_encoder
from tests.containers.model_downloader.optimisation.large import (
    count_as_large,
    large_birefnet,
)
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    network,
    operators,
)
from tests.containers.model_downloader.optimisation.test_odd_graphs import ODD, runs
from tests.containers.model_downloader.optimisation.test_passes import SMALL_VIT


def layers(net: Net, x: Value) -> Value:
    """1×64×8 through two layers of 4 × 8 channels, and added."""
    return add(net, x, mlp(net, x, "mlp"))


def two_convolutions(net: Net, photo: Value) -> Value:
    """The last two of BiRefNet, which are as large as the photo."""
    return conv(net, relu(net, conv(net, photo, "first", 16, 3)), "second", 1, 3)


def tiny_tiles(monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(tiling, "CROWDED_BYTES", large)
    monkeypatch.setattr(tiling, "LARGE_BYTES", large)
    monkeypatch.setattr(tiling, "_TILE_BYTES", large // 3)


def test_attention_layers_and_convolutions_of_birefnet_go_into_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = large_birefnet()
    whole, _ = rewritten(Graph.read(model))
    count_as_large(monkeypatch)

    graph, found = rewritten(Graph.read(model))

    lean = graph.write()
    assert found["rows"] == 4
    assert found["tiles"] >= 4 + 2  # attention and layers of two blocks; the decoder; its end
    onnx.checker.check_model(lean)
    assert_same_answers(model, lean)
    for op in ("Softmax", "Erf"):
        assert most(graph, op) <= most(whole, op) / 3


def most(graph: Graph, op: str) -> int:
    """Return the size of the largest value that an operator makes."""
    return max(graph.bytes(node.outputs[0]) for node in graph.nodes if node.op == op)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_layers_are_computed_for_some_places_after_the_other(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    model = network(1, 64, 8, made=layers)
    tiny_tiles(monkeypatch, 64 * 8 * 4)
    monkeypatch.setattr(tiling, "_TILE_BYTES", math.ceil(64 * 32 * 4 / count))

    graph, found = tiled(Graph.read(model))

    assert found == 1
    assert [node.op for node in graph.nodes].count("Erf") == count
    assert (large_values(graph, 64 * 8 * 4) == []) is (count > 4)
    assert_same_answers(model, graph.write())


@pytest.mark.parametrize("rows", [2, 3, 7, 24])
def test_convolutions_read_the_rows_above_and_below(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    model = network(1, 3, 24, 9, made=two_convolutions)
    tiny_tiles(monkeypatch, 24 * 9 * 4 * 4)
    monkeypatch.setattr(tiling, "_TILE_BYTES", math.ceil(24 * 9 * 4 * 16 / rows))

    graph, found = tiled(Graph.read(model))

    assert found == 1
    assert [node.op for node in graph.nodes].count("Relu") == rows
    assert_same_answers(model, graph.write())


def test_small_values_stay_whole() -> None:
    for model in (large_birefnet(), sam_encoder(SMALL_VIT), network(1, 64, 8, made=layers)):
        before = Graph.read(model)

        after, found = tiled(before)

        assert found == 0
        assert after is before


def read_twice(net: Net, x: Value) -> Value:
    wide = softmax(net, x)
    return add(net, reshape(net, wide, 64, 8), reshape(net, wide, 64, 8))


def enlarged(net: Net, x: Value) -> Value:
    return conv(net, resize(net, x, (64, 8), alignment="half_pixel"), "c", 1, 1)


@pytest.mark.parametrize(
    ("made", "shape"), [(enlarged, (1, 4, 8, 8)), (read_twice, (1, 64, 8))]
)  # fmt: skip
def test_what_gains_nothing_stays_whole(
    monkeypatch: pytest.MonkeyPatch, made: object, shape: tuple[int, ...]
) -> None:
    model = network(*shape, made=made)  # type: ignore[arg-type]
    tiny_tiles(monkeypatch, 64 * 8 * 4)

    assert tiled(Graph.read(model))[1] == 0


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@pytest.mark.parametrize(
    ("made", "shape"), [(layers, (1, 64, 8)), (two_convolutions, (1, 3, 24, 9))], ids=["l", "c"]
)
def test_an_odd_graph_is_computed_as_before(
    monkeypatch: pytest.MonkeyPatch, odd: object, made: object, shape: tuple[int, ...]
) -> None:
    model = network(*shape, made=made)  # type: ignore[arg-type]
    tiny_tiles(monkeypatch, 24 * 9 * 4 * 2)
    for each in odd(model):  # type: ignore[operator]
        graph, found = tiled(Graph.read(each))
        if found and runs(each):
            assert_same_answers(each, graph.write())


def test_a_tile_that_cannot_be_written_leaves_the_place_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumbles(*_: object) -> None:
        raise NoMatch("nobody foresaw this")

    tiny_tiles(monkeypatch, 64 * 8 * 4)
    monkeypatch.setattr(tiling, "_written", stumbles)
    before = Graph.read(network(1, 64, 8, made=layers))

    assert tiled(before) == (before, 0)


def test_a_constant_as_large_as_a_value_goes_into_tiles_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = np.random.default_rng(2).standard_normal((64, 32)).astype(np.float32)

    def made(net: Net, x: Value) -> Value:
        wide = net.node("MatMul", x, net.parameter("w", 8, 32), shape=(1, 64, 32))
        return net.node(
            "MatMul", add(net, wide, table), net.parameter("v", 32, 8), shape=(1, 64, 8)
        )

    model = network(1, 64, 8, made=made)
    tiny_tiles(monkeypatch, 64 * 8 * 4)

    graph, found = tiled(Graph.read(model))

    assert found == 1
    assert max(graph.bytes(name) for name in graph.constants) < table.nbytes
    assert operators(graph.write()).count("Slice") > 0
    assert_same_answers(model, graph.write())


def test_a_network_that_holds_little_at_one_time_has_no_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = Graph.read(large_birefnet())
    count_as_large(monkeypatch)
    monkeypatch.setattr(tiling, "CROWDED_BYTES", max(tiling.held_bytes(graph)))

    assert tiling.tiled(graph) == (graph, 0)
