"""A row that asks for 8 bits: staging makes them, and AlignWords runs them if they answer alike."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest

from containers.transcriber.ctc import LogProbabilities
from containers.transcriber.network import open_network, runtime
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.catalogue import load_catalogue
from pipeline.model_context import catalogue_of, weights_of
from pipeline.weights.local_weights import LocalFile
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.standins.wav2vec2 import wav2vec2
from tests.conftest import ROOT
from tests.containers.model_downloader.desks import stage
from tests.containers.model_downloader.optimisation.test_sounds import SMALL, deaf_in_8_bits

NAME = "small-listener"
RATE = 16_000
ALPHABET = "_|ABCDEFGHIJKLMNOPQRSTUVWXYZ'.,!"


@dataclass(frozen=True)
class Staged:
    """What staging wrote of the row's network, and what a function loads of it."""

    record: StagedFile
    loaded: LocalFile
    published: Path

    def hears(self) -> tuple[LogProbabilities, LogProbabilities]:
        """Return what the published and the loaded network make of the same sound."""
        noise = np.random.default_rng(3).standard_normal(RATE * 2).astype(np.float32)
        found = []
        for path, optimised in ((self.published, False), (self.loaded.path, self.loaded.optimised)):
            network = open_network(path, optimised=optimised, memory="returned", threads=1)
            found.append(network.listen(noise))
        return found[0], found[1]


def staged(folder: Path, model: onnx.ModelProto) -> Staged:
    network = folder / "model.onnx"
    onnx.save(model, network)
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    overlay = folder / "catalogue.toml"
    overlay.write_text(f"""
[[models]]
name = "{NAME}"
container = "transcriber"
summary = "For tests."
engine = "ctc"
licence = "MIT"
commercial = true
memory_mb = 512
quantise = "int8-matmul"
ctc = {{ language = "en", alphabet = "{ALPHABET}", blank = 0, space = "|", step = 320 }}
[[models.files]]
name = "model.onnx"
digest = "sha256:{digest}"
urls = ["{network.as_uri()}"]
""")
    settings = Settings(catalogue_overlays=(overlay,), scratch=folder / "scratch")
    store = LocalStore(folder / "store")
    bench = Workbench(root=ROOT, settings=settings, store=store)
    manifest = stage(TaskContext(bench), NAME).manifest
    place = Location.parse(manifest.uri)
    (record,) = StagedWeights.parse(store.read(place), uri=manifest.uri).files
    row = catalogue_of(bench, "transcriber").row(NAME)
    (loaded,) = weights_of(bench).files(place, row, runtime())
    return Staged(record, loaded, network)


def test_the_aligners_row_asks_for_8_bits() -> None:
    row = load_catalogue(ROOT).row("wav2vec2-base-960h")
    (role,) = row.engine.files

    assert row.quantise == "int8-matmul"
    assert role.outputs[0].activation == "softmax"


def test_a_function_loads_the_8_bit_form_that_was_published(tmp_path: Path) -> None:
    made = staged(tmp_path, wav2vec2(SMALL))

    assert (made.record.not_optimised, made.record.not_quantised) == (None, None)
    assert [each.precision for each in made.record.optimised[:2]] == ["int8-matmul"] * 2
    assert made.loaded.optimised
    assert made.loaded.path.name == "model.int8.onnx"
    assert made.loaded.memory == "returned"
    published, loaded = made.hears()
    assert loaded.shape == published.shape == (99, 32)
    assert not np.array_equal(loaded, published)
    assert np.abs(np.exp(loaded) - np.exp(published)).sum(axis=1).mean() / 2 < 0.1


def test_a_function_loads_32_bits_where_8_change_the_characters(tmp_path: Path) -> None:
    made = staged(tmp_path, deaf_in_8_bits())

    assert made.record.not_quantised is not None
    assert made.record.not_quantised.startswith("its answers differ too much")
    assert made.loaded.path.name == "model.exact.onnx"
    published, loaded = made.hears()
    np.testing.assert_allclose(loaded, published, atol=1e-3)


def test_a_network_of_one_length_alone_is_published_as_it_is(tmp_path: Path) -> None:
    """Pieces of speech have any length: one of the drawn sounds is shorter than the trial's."""
    model = wav2vec2(SMALL)
    for value, size in ((model.graph.input[0], 48_000), (model.graph.output[0], 149)):
        value.type.tensor_type.shape.dim[1].dim_value = size

    made = staged(tmp_path, model)

    assert made.record.optimised == ()
    assert "optimising failed" in (made.record.not_optimised or "")


@pytest.fixture(autouse=True)
def _nothing_loaded() -> None:
    open_network.cache_clear()
