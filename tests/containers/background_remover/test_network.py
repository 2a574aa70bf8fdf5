"""A network answers the same on every CPU, also where its publisher chose products in 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from containers.background_remover.network import Network, open_network
from pipeline.cpu import EXACT_8_BIT_PRODUCTS
from tests.models import SIZE, in_8_bits


@pytest.fixture
def network(tmp_path: Path) -> Network:
    onnx.save(in_8_bits(), tmp_path / "published.onnx")
    return open_network(tmp_path / "published.onnx")


def test_products_that_a_publisher_put_in_8_bits_are_exact_on_the_cpu_at_hand(
    network: Network,
) -> None:
    white = np.ones((1, 3, SIZE, SIZE), np.float32)

    (answer,) = network.run({"photo": white})

    np.testing.assert_allclose(answer, np.full((1, 1, SIZE, SIZE), 64 * 127), rtol=1e-6)


def test_exact_products_are_asked_for_also_where_the_cpu_at_hand_needs_no_asking(
    network: Network,
) -> None:
    key, value = EXACT_8_BIT_PRODUCTS

    assert network.session.get_session_options().get_session_config_entry(key) == value
