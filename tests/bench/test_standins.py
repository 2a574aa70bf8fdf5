"""The stand-ins have their originals' size."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest

from tests.bench.standins.net import parameters
from tests.bench.standins.sam import Vit, sam_encoder
from tests.bench.standins.sam_decoder import sam_decoder
from tests.bench.standins.u2net import u2net, u2netp


@pytest.mark.parametrize(
    ("build", "millions"),
    [
        (u2net, 44.0),
        (u2netp, 1.13),
        (lambda: sam_encoder(Vit(depth=1, whole=())), 11.6),
        (sam_decoder, 4.06),
    ],
    ids=["u2net", "u2netp", "one block of sam", "sam's decoder"],
)
def test_a_stand_in_has_as_many_parameters(
    build: Callable[[], onnx.ModelProto], millions: float
) -> None:
    model = build()

    assert parameters(model) / 1e6 == pytest.approx(millions, rel=0.02)
    onnx.checker.check_model(model, full_check=True)


def test_a_stand_in_is_the_same_in_every_run() -> None:
    assert u2netp().SerializeToString() == u2netp().SerializeToString()
