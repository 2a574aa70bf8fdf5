"""Additions and normalisations after a convolution go into its weights."""

from __future__ import annotations

import numpy as np
import pytest

from containers.model_downloader.optimisation.constants import fold_bias, fold_normalisation
from tests.bench.standins.layers import add, batch_norm, conv, relu
from tests.bench.standins.net import Net, Value
from tests.containers.model_downloader.optimisation.networks import (
    assert_same_answers,
    network,
    operators,
    passed,
)


@pytest.mark.parametrize("shape", [(1, 4, 1, 1), (4, 1, 1)])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_an_addition_and_a_normalisation_are_folded(shape: tuple[int, ...], *, bias: bool) -> None:
    def made(net: Net, photo: Value) -> Value:
        plain = conv(net, photo, "plain", 4, 3, bias=bias)
        raised = add(net, plain, np.arange(4, dtype=np.float32).reshape(shape))
        return relu(net, batch_norm(net, raised, "norm"))

    model = network(1, 3, 8, 8, made=made)
    lean, found = passed(model, fold_bias, fold_normalisation)

    assert found == [1, 1]
    assert operators(lean) == ["Conv", "Relu", "Identity"]
    assert_same_answers(model, lean)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (8,), (1, 1, 1, 1)])
def test_an_addition_that_is_not_one_number_per_channel_is_left_alone(
    shape: tuple[int, ...],
) -> None:
    def made(net: Net, photo: Value) -> Value:
        return add(net, conv(net, photo, "plain", 4, 3), np.ones(shape, np.float32))

    assert passed(network(1, 3, 8, 8, made=made), fold_bias)[1] == [0]


def test_a_convolution_that_is_read_elsewhere_too_is_left_alone() -> None:
    def made(net: Net, photo: Value) -> Value:
        plain = conv(net, photo, "plain", 4, 3)
        return add(net, batch_norm(net, plain, "norm"), plain)

    assert passed(network(1, 3, 8, 8, made=made), fold_bias, fold_normalisation)[1] == [0, 0]
