"""Some rows of a result are computed from some rows of what it is made of, and from no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import pytest

from containers.model_downloader.optimisation.graph import Graph, NoMatch
from containers.model_downloader.optimisation.ranges import Range, needed
from containers.model_downloader.optimisation.tiling import Tile, taken, tile
from tests.bench.standins.layers import (
    add,
    batch_norm,
    concat,
    conv,
    cut,
    gelu,
    layer_norm,
    linear,
    matmul,
    reshape,
    resize,
    softmax,
    transpose,
)
from tests.bench.standins.net import Net, Value
from tests.containers.model_downloader.optimisation.networks import Array, feed, network, run

Made = Callable[[Net, Value], Value]
SHAPE = (2, 6, 4, 8)


def gathered(net: Net, x: Value) -> Value:
    return net.node("Gather", x, np.array(1), shape=(2, 6, 8), axis=2)


def gathered_nd(net: Net, x: Value) -> Value:
    places = np.random.default_rng(3).integers(0, 4, (2, 6, 5, 1))
    return net.node("GatherND", x, places, shape=(2, 6, 5, 8), batch_dims=2)


def broadcast(net: Net, x: Value) -> Value:
    return add(net, x, np.arange(24, dtype=np.float32).reshape(6, 4, 1))


def windows(net: Net, x: Value) -> Value:
    """2×6×4×8 to 2×4 windows of 2×2 pixels."""
    grid = reshape(net, x, 2, 6, 2, 2, 4, 2)
    return reshape(net, transpose(net, grid, 0, 2, 4, 3, 5, 1), 2, 2, 4, 24)


def tiles_of_2(net: Net, x: Value) -> Value:
    return conv(net, x, "c", 3, 2, stride=2, pad=0)


# Each layer, and along which axes of its result it is computed in rows.
LAYERS: dict[str, tuple[Made, set[int]]] = {
    "broadcast": (broadcast, {0, 1, 2, 3}),
    "gelu": (gelu, {0, 1, 2, 3}),
    "linear": (lambda net, x: linear(net, x, "l", 5), {0, 1, 2}),
    "product": (lambda net, x: matmul(net, x, transpose(net, x, 0, 1, 3, 2)), {0, 1}),
    "softmax": (softmax, {0, 1, 2}),
    "layer norm": (lambda net, x: layer_norm(net, x, "n"), {0, 1, 2}),
    "batch norm": (lambda net, x: batch_norm(net, x, "n"), {0, 2, 3}),
    "transpose": (lambda net, x: transpose(net, x, 0, 2, 3, 1), {0, 1, 2, 3}),
    "reshape": (lambda net, x: reshape(net, x, 2, 24, 8), {0, 2}),
    "reshape, rows apart": (lambda net, x: reshape(net, x, 12, 4, 8), {1, 2}),
    "windows": (windows, {0, 1, 2}),
    "slice": (lambda net, x: cut(net, x, 2, 1, 3), {0, 1, 3}),
    "concat": (lambda net, x: concat(net, x, x), {0, 2, 3}),
    "gather": (gathered, {0, 1, 2}),
    "gather nd": (gathered_nd, {0, 1, 2}),
    "1×1": (lambda net, x: conv(net, x, "c", 3, 1), {0, 2, 3}),
    "3×3": (lambda net, x: conv(net, x, "c", 3, 3), {0, 2, 3}),
    "3×3, dilated": (lambda net, x: conv(net, x, "c", 3, 3, dilation=2), {0, 2, 3}),
    "3×3, stride 2": (lambda net, x: conv(net, x, "c", 3, 3, stride=2), {0, 2, 3}),
    "2×2, stride 2": (tiles_of_2, {0, 2, 3}),
    "resize": (lambda net, x: resize(net, x, (7, 7), alignment="half_pixel"), set()),
}  # fmt: skip


def computed(graph: Graph, part: Tile, photo: Array, output: str) -> Array:
    """Run the nodes of a tile on the rows that it says it needs, and on nothing else."""
    rows = {"photo": photo} | {
        name: taken(photo if value == "photo" else graph.array(value), wanted)
        for name, (value, wanted) in part.sources.items()
    }
    read = {name for node in part.nodes for name in node.inputs}
    constants = dict(graph.constants) | {
        name: onnx.numpy_helper.from_array(np.ascontiguousarray(each), name)
        for name, each in (rows | part.shapes).items()
    }
    small = replace(
        graph, nodes=part.nodes, inputs=(), outputs=(onnx.ValueInfoProto(name=output),),
        constants={name: each for name, each in constants.items() if name in read},
    )  # fmt: skip
    return run(small.write(), {})


def back_to_the_photo(graph: Graph, part: Tile) -> bool:
    """Return True if the tile reads no value that the graph computes as a whole."""
    read = {name for node in part.nodes for name in node.inputs}
    read |= {value for value, _ in part.sources.values()}
    return not read & set(graph.places) - part.inside


@pytest.mark.parametrize(("made", "axes"), LAYERS.values(), ids=list(LAYERS))
def test_rows_of_a_layer_are_the_rows_of_its_result(made: Made, axes: set[int]) -> None:
    model = network(*SHAPE, made=made)
    graph = Graph.read(model)
    output = graph.producers["output0"].inputs[0]
    photo = feed(model)["photo"]
    whole = run(model, {"photo": photo})
    found = set()
    for axis, rows in enumerate(whole.shape):
        for start, stop in [(0, 1), (0, rows - 1), (1, rows), (rows // 2, rows), (0, rows)]:
            if not start < stop:
                continue
            wanted = Range(axis, start, stop)
            try:
                part = tile(graph, output, wanted, "", large=0)
            except NoMatch:
                continue
            if not back_to_the_photo(graph, part):
                continue
            found.add(axis)
            np.testing.assert_allclose(
                computed(graph, part, photo, output), taken(whole, wanted), atol=1e-5
            )

    assert found == axes


def test_overlapping_rows_are_computed_twice_only_next_to_a_large_value() -> None:
    graph = Graph.read(network(*SHAPE, made=lambda net, x: conv(net, x, "c", 3, 3)))
    output = graph.producers["output0"].inputs[0]

    with pytest.raises(NoMatch):
        tile(graph, output, Range(2, 0, 2), "", large=graph.bytes("photo"))


def test_an_unknown_operator_needs_all_rows() -> None:
    graph = Graph.read(network(*SHAPE, made=lambda net, x: conv(net, x, "c", 3, 1)))
    odd = graph.nodes[0].changed(inputs=("photo",), output="odd")

    for changed in (replace(odd, op="Unheard"), replace(odd, domain="com.example")):
        with pytest.raises(NoMatch):
            needed(graph, changed, Range(2, 0, 2))
