"""The stand-ins have their originals' size."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest

from tests.bench.standins.hiera import BASE_PLUS, TINY, sam2_encoder
from tests.bench.standins.net import parameters
from tests.bench.standins.sam import Vit, sam_encoder
from tests.bench.standins.sam_decoder import sam2_decoder, sam_decoder
from tests.bench.standins.u2net import u2net, u2netp
from tests.bench.standins.wav2vec2 import wav2vec2


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


@pytest.mark.parametrize(
    ("build", "published"),
    [
        (wav2vec2, 377_887_594),
        (lambda: sam2_encoder(TINY), 109_471_931),
        (lambda: sam2_encoder(BASE_PLUS), 324.04 * 2**20),
        (sam2_decoder, 16_519_561),
        (lambda: sam2_decoder(folded=True), 19.68 * 2**20),
    ],
    ids=["wav2vec2", "tiny", "base-plus", "tiny's decoder", "base-plus's decoder"],
)
def test_a_stand_in_has_the_size_of_the_published_file(
    build: Callable[[], onnx.ModelProto], published: float
) -> None:
    assert build().ByteSize() == pytest.approx(published, rel=0.03)


def test_a_stand_in_is_the_same_in_every_run() -> None:
    assert u2netp().SerializeToString() == u2netp().SerializeToString()
