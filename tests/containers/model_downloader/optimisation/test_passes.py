"""Every pass bites on BiRefNet's true graph, and none where it has nothing to gain."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.passes import rewritten
from containers.model_downloader.optimisation.pointwise import merge_into_convolution
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import rewrite
from tests.bench.standins.layers import conv
from tests.bench.standins.sam import Vit, sam_encoder
from tests.bench.standins.u2net import SMALL_DOWN, SMALL_UP, u2net
from tests.containers.model_downloader.optimisation.networks import (
    answer,
    assert_same_answers,
    network,
    operators,
    small_birefnet,
)
from tests.models import slow

SMALL_VIT = Vit(
    width=32, heads=2, depth=3, whole=(2,), window=3, side=64, height=48, patch=8, out=8
)


@pytest.fixture(scope="module")
def birefnet() -> onnx.ModelProto:
    return small_birefnet()


def test_every_pass_finds_its_pattern_in_birefnet(birefnet: onnx.ModelProto) -> None:
    graph, found = rewritten(Graph.read(birefnet))
    lean = graph.write()

    assert found == {
        "bias": 20, "normalisation": 20, "concatenation": 6, "resize": 6, "chain": 2,
        "deform_conv": 20, "channels": 10, "rows": 0, "shapes": 0, "scale": 18, "parts": 0,
        "taps": 1, "tiles": 0,
    }  # fmt: skip
    assert {"GatherND", "Floor", "Clip", "Sum", "BatchNormalization"}.isdisjoint(operators(lean))
    onnx.checker.check_model(lean)
    assert_same_answers(birefnet, lean)


def test_what_no_output_needs_any_more_is_gone(birefnet: onnx.ModelProto) -> None:
    graph, _ = rewritten(Graph.read(birefnet))
    needed = {name for node in graph.nodes for name in node.inputs}
    needed |= {value.name for value in graph.outputs}

    assert set(graph.constants) <= needed
    assert [node.name for node in graph.nodes if needed.isdisjoint(node.outputs)] == []


def test_the_small_us_keep_to_blocks_of_channels() -> None:
    model = u2net(SMALL_DOWN, SMALL_UP, side=64)

    graph, found = rewritten(Graph.read(model))

    matched = {name: count for name, count in found.items() if count}
    assert matched == {"scale": 39, "parts": 50, "taps": 6}
    assert_same_answers(model, graph.write())


def test_a_network_without_the_patterns_is_left_as_it_is() -> None:
    model = sam_encoder(SMALL_VIT)
    before = Graph.read(model)

    after, found = rewritten(before)

    assert set(found.values()) == {0}
    assert after is before
    assert_same_answers(model, after.write())


def test_a_network_with_a_loop_is_left_as_it_is() -> None:
    looping = slow(2)
    foldable = network(
        1, 3, 8, 8, made=lambda net, x: conv(net, conv(net, x, "a", 4, 3), "b", 2, 1)
    )
    looping.graph.node.extend(foldable.graph.node)
    looping.graph.initializer.extend(foldable.graph.initializer)
    before = Graph.read(looping)
    assert rewrite(before, merge_into_convolution)[1] == 1

    after, found = rewritten(before)

    assert set(found.values()) == {0}
    assert after is before


def test_products_in_8_bits_answer_nearly_the_same(birefnet: onnx.ModelProto) -> None:
    graph, found = rewrite(Graph.read(birefnet), quantise)
    coarse = graph.write()

    assert found == operators(coarse).count("MatMulInteger") > 30
    expected = answer(birefnet)
    error = np.abs(answer(coarse) - expected).mean() / expected.std()
    assert 0 < error < 0.05


def test_a_weight_that_two_products_share_is_kept_once_in_8_bits(
    birefnet: onnx.ModelProto,
) -> None:
    before = Graph.read(birefnet)

    graph, found = rewrite(before, quantise)

    coarse = [name for name in graph.constants if name.endswith("/int8")]
    assert len(coarse) == len(set(coarse)) < found
    assert not {name.removesuffix("/int8") for name in coarse} & set(graph.constants)
