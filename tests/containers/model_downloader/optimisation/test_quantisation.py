"""Products in 8 bits are exact on every CPU, also on those that clip the sum of two at 16 bits.

Such CPUs (AVX2 or AVX-512 without VNNI) are simulated: onnx's reference evaluator runs the graph,
with `MatMulInteger` as these CPUs add it up.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from containers.model_downloader.optimisation import quantisation
from containers.model_downloader.optimisation.graph import Graph
from containers.model_downloader.optimisation.quantisation import quantise
from containers.model_downloader.optimisation.rewriting import rewrite
from tests.bench.standins.net import Net
from tests.containers.model_downloader.optimisation.networks import (
    Array,
    answer,
    feed,
    small_birefnet,
)

ALLOWED = 0.05  # of the answer's spread
INT16 = np.iinfo(np.int16)
ACTIVATION = 255  # the largest
weights = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


class MatMulInteger(OpRun):
    """Add the products of two neighbours in 16 bits, clip their sum, then add in 32 bits."""

    def _run(self, activations: Array, weight: Array, zero: Array) -> tuple[Array]:
        *batch, depth = activations.shape
        even = depth + depth % 2
        rows = np.zeros((activations.size // depth, even), np.int32)
        rows[:, :depth] = activations.reshape(-1, depth)
        columns = np.zeros((even, weight.shape[1]), np.int32)
        columns[:depth] = weight
        total = np.zeros((len(rows), weight.shape[1]), np.int32)
        for first, second in zip(range(0, even, 2), range(1, even, 2), strict=True):
            pair = rows[:, [first]] * columns[first] + rows[:, [second]] * columns[second]
            total += np.clip(pair, INT16.min, INT16.max)
        total -= np.int32(zero) * columns.sum(axis=0, dtype=np.int32)
        return (total.reshape(*batch, -1),)


def clipped(model: onnx.ModelProto) -> Array:
    """Return output 0 as a CPU without VNNI computes it."""
    return evaluated(ReferenceEvaluator(model, new_ops=[MatMulInteger]), feed(model))


def whole(model: onnx.ModelProto) -> Array:
    """Return output 0 with every product added in 32 bits."""
    return evaluated(ReferenceEvaluator(model), feed(model))


def evaluated(evaluator: ReferenceEvaluator, inputs: dict[str, Array]) -> Array:
    return np.asarray(next(iter(evaluator.run(None, inputs))))


def in_8_bits(model: onnx.ModelProto) -> onnx.ModelProto:
    graph, found = rewrite(Graph.read(model), quantise)
    assert found
    return graph.write()


def one_product(weight: Array) -> onnx.ModelProto:
    net = Net()
    product = net.node(
        "MatMul", net.input("photo", 3, len(weight)), net.constant("weight", weight),
        shape=(3, weight.shape[1]),
    )  # fmt: skip
    return net.model(product)


def whole_numbers(model: onnx.ModelProto) -> list[Array]:
    """Return every weight that was rewritten in 8 bits."""
    stored = (tensor for tensor in model.graph.initializer if tensor.name.endswith("/int8"))
    return [numpy_helper.to_array(tensor) for tensor in stored]


@pytest.fixture(scope="module")
def birefnet() -> onnx.ModelProto:
    return small_birefnet()


def error(given: Array, expected: Array) -> float:
    """Return the mean difference as a part of the answer's spread."""
    return float(np.abs(given - expected).mean() / expected.std())


def test_weights_up_to_127_are_wrong_where_sums_are_clipped_and_right_elsewhere(
    birefnet: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantisation, "LARGEST", 127)
    coarse = in_8_bits(birefnet)

    expected = answer(birefnet)

    assert error(whole(coarse), expected) < ALLOWED
    assert error(clipped(coarse), expected) > 2 * ALLOWED


def test_the_weights_written_give_the_same_numbers_where_sums_are_clipped(
    birefnet: onnx.ModelProto,
) -> None:
    coarse = in_8_bits(birefnet)

    given = clipped(coarse)

    np.testing.assert_array_equal(given, whole(coarse))
    assert 0 < error(given, answer(birefnet)) < ALLOWED


@given(weight=weights)
def test_no_activation_makes_the_sum_of_two_products_leave_16_bits(weight: Array) -> None:
    (written,) = whole_numbers(in_8_bits(one_product(weight)))

    wide = written.astype(int)
    assert 2 * ACTIVATION * wide.max(initial=0) <= INT16.max
    assert 2 * ACTIVATION * wide.min(initial=0) >= INT16.min


def test_the_largest_weights_use_all_that_16_bits_can_hold() -> None:
    reach = 2 * ACTIVATION * quantisation.LARGEST

    assert reach <= INT16.max < reach + 2 * ACTIVATION


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_products_are_exact_on_the_cpu_at_hand(sign: int) -> None:
    """Fails on a CPU that clips, should a weight exceed what 16 bits hold."""
    depth = 64
    coarse = in_8_bits(one_product(np.full((depth, 48), sign, np.float32)))

    given = answer(coarse, photo=np.ones((3, depth), np.float32))

    np.testing.assert_allclose(given, np.full((3, 48), sign * depth), rtol=1e-6)
