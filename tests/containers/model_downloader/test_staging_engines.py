"""Each engine's weights are staged as it wants them: one network, a pair, or none at all."""

from __future__ import annotations

import re

import pytest

from pipeline.artifacts import LocalStore, Location
from pipeline.errors import InvalidOptions, WeightsMismatch
from pipeline.model_context import catalogue_of
from pipeline.weights.staged import StagedWeights
from tests.containers.model_downloader.desks import Bench, everything_in, stage
from tests.models import catalogue_row


def test_a_model_of_two_networks_is_staged_with_both(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "pointer")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    assert [file.name for file in staged.files] == ["pointer.encoder.onnx", "pointer.decoder.onnx"]


def test_a_pair_in_the_wrong_order_is_not_staged(bench: Bench, store: LocalStore) -> None:
    first, second = catalogue_of(bench().bench).row("pointer").files
    row = catalogue_row("muddled", second.digest.removeprefix("sha256:"))
    row = row.replace("muddled.onnx", second.name).replace('"saliency"', '"sam"')
    row = re.sub(r"(?s)\[models\.saliency\].*?\n\n", "[models.sam]\ncanvas = [48, 64]\n\n", row)
    last = f'[[models.files]]\nname = "{first.name}"\ndigest = "{first.digest}"\n'

    with pytest.raises(WeightsMismatch, match=r"^pointer\.decoder\.onnx takes"):
        stage(bench(row + last), "muddled")
    assert everything_in(store.root) == []


def test_a_hosted_model_has_nothing_to_stage(bench: Bench, store: LocalStore) -> None:
    with pytest.raises(InvalidOptions, match="hosted is hosted elsewhere"):
        stage(bench(), "hosted")
    assert everything_in(store.root) == []
