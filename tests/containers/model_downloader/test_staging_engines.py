"""Each engine's weights are staged as it declares: one network, a pair, other files, or none."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import onnx
import pytest
from onnx import parser

from pipeline.artifacts import LocalStore, Location
from pipeline.errors import InvalidOptions, WeightsMismatch
from pipeline.model_context import catalogue_of
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.containers.model_downloader.desks import Bench, everything_in, stage
from tests.models import catalogue_row

READER: Final = """
<ir_version: 8, opset_import: ["" : 17]>
reader (int64[1, W] tokens) => (float[1, W] scores) { scores = Cast <to = 1> (tokens) }
"""
READERS: Final = """
default = "reader"

[engines.reading]
fields.words = {{ type = "integer", minimum = 1 }}

[[engines.reading.files]]
role = "network"
inputs = [{{ name = "{input}", dtype = "int64", shape = [1, "{{words}}"], fill = 1 }}]
outputs = [{{ shape = [1, "{{words}}"] }}]

[[engines.reading.files]]
role = "vocabulary"

[[models]]
name = "reader"
summary = "For tests."
engine = "reading"
licence = "MIT"
commercial = true
memory_mb = 512
reading = {{ words = 8 }}

[[models.files]]
name = "reader.onnx"
digest = "sha256:{network}"
urls = ["file:reader.onnx"]

[[models.files]]
name = "words.txt"
digest = "sha256:{vocabulary}"
urls = ["file:words.txt"]
"""


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The folder of a container whose engine is none of the shipped ones, with its weights."""
    folder = tmp_path / "tree" / "containers" / "reader"
    folder.mkdir(parents=True)
    onnx.save(parser.parse_model(READER), folder / "reader.onnx")
    (folder / "words.txt").write_text("one two three")
    return folder


def stage_reader(folder: Path, store: LocalStore, *, takes: str = "tokens") -> StagedWeights:
    network, vocabulary = (
        hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("reader.onnx", "words.txt")
    )
    models = READERS.format(input=takes, network=network, vocabulary=vocabulary)
    (folder / "models.toml").write_text(models)
    settings = Settings(scratch=folder.parents[2] / "scratch")
    bench = Workbench(root=folder.parents[1], settings=settings, store=store)
    manifest = stage(TaskContext(bench), "reader").manifest
    return StagedWeights.parse(store.read(Location.parse(manifest.uri)), uri=manifest.uri)


def test_an_engine_that_only_its_container_knows_is_staged(reader: Path, store: LocalStore) -> None:
    staged = stage_reader(reader, store)

    assert [file.name for file in staged.files] == ["reader.onnx", "words.txt"]


def test_its_networks_are_tried_as_it_declares(reader: Path, store: LocalStore) -> None:
    with pytest.raises(WeightsMismatch, match=r"reader\.onnx takes tokens; .* declares letters"):
        stage_reader(reader, store, takes="letters")
    assert everything_in(store.root) == []


def test_a_model_of_two_networks_is_staged_with_both(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "pointer")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    assert [file.name for file in staged.files] == ["pointer.encoder.onnx", "pointer.decoder.onnx"]


def test_a_pair_in_the_wrong_order_is_not_staged(bench: Bench, store: LocalStore) -> None:
    first, second = catalogue_of(bench().bench).row("pointer").files
    row = catalogue_row("muddled", str(second.digest).removeprefix("sha256:"))
    row = row.replace("muddled.onnx", second.name).replace('"saliency"', '"sam"')
    row = re.sub(r"(?s)\[models\.saliency\].*?\n\n", "[models.sam]\ncanvas = [48, 64]\n\n", row)
    last = f'[[models.files]]\nname = "{first.name}"\ndigest = "{first.digest}"\n'

    with pytest.raises(WeightsMismatch, match=r"^pointer\.decoder\.onnx takes"):
        stage(bench(row + last), "muddled")
    assert everything_in(store.root) == []


def test_a_hosted_model_has_nothing_to_stage(bench: Bench, store: LocalStore) -> None:
    with pytest.raises(InvalidOptions, match="hosted is a hosted model"):
        stage(bench(), "hosted")
    assert everything_in(store.root) == []
