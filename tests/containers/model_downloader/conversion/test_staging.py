"""Staging converts a checkpoint, tries and publishes the network, and records what it did."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from containers.model_downloader import staging, working_network
from containers.model_downloader.conversion import converters
from containers.model_downloader.working_network import require_working_network
from pipeline.artifacts import LocalStore, Location
from pipeline.errors import WeightsMismatch, WeightsNotStaged
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import LocalWeights
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.checkpoints import BANDS, ge2e_file, legacy, text
from tests.containers.model_downloader.desks import everything_in, stage

MODELS: Final = """
default = "voices"

[engines.embedding]

[[engines.embedding.files]]
role = "network"
{stream}
inputs = [{{ name = "features", shape = [1, 16, {bands}], fill = 0.5 }}]
outputs = [{{ shape = [1, {size}] }}]

[[models]]
name = "voices"
summary = "For tests."
engine = "embedding"
licence = "MIT"
commercial = true
memory_mb = 512

[[models.files]]
name = "pretrained.pt"
digest = "sha256:{digest}"
urls = ["file:pretrained.pt"]
convert = "{convert}"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "tree" / "containers" / "listener"
    folder.mkdir(parents=True)
    (folder / "pretrained.pt").write_bytes(ge2e_file())
    return tmp_path / "tree"


@pytest.fixture
def context(root: Path, store: LocalStore, tmp_path: Path) -> Callable[..., TaskContext]:
    """Return the workbench of a container whose only row converts a speaker encoder."""

    def build(
        *, size: int = 7, convert: str = "ge2e", stream: str = "", kept: Path | None = None
    ) -> TaskContext:
        folder = root / "containers" / "listener"
        digest = hashlib.sha256((folder / "pretrained.pt").read_bytes()).hexdigest()
        models = MODELS.format(
            bands=BANDS, size=size, digest=digest, convert=convert, stream=stream
        )
        (folder / "models.toml").write_text(models)
        settings = Settings(scratch=tmp_path / "scratch")
        settings = dataclasses.replace(settings, kept=kept)
        return TaskContext(Workbench(root=root, settings=settings, store=store))

    return build


def staged(context: TaskContext, store: LocalStore, *, force: bool = False) -> StagedFile:
    manifest = stage(context, "voices", force=force).manifest
    content = store.read(Location.parse(manifest.uri))
    (file,) = StagedWeights.parse(content, uri=manifest.uri).files
    return file


def local(context: TaskContext, store: LocalStore, folder: Path) -> Path:
    row = catalogue_of(context.bench).row("voices")
    (file,) = LocalWeights(store, folder).files(Location("models", row.weights_key), row)
    return file.path


def test_the_record_has_the_published_file_and_what_it_was_converted_to(
    context: Callable[..., TaskContext], store: LocalStore
) -> None:
    file = staged(context(), store)

    published = ge2e_file()
    assert store.read(Location.parse(file.artifact.uri)) == published
    assert file.artifact.sha256 == hashlib.sha256(published).hexdigest()
    assert file.name == "pretrained.pt"
    made = file.converted
    assert made is not None
    assert (made.converter, made.version) == ("ge2e", converters.CONVERTERS["ge2e"].version)
    assert made.source_sha256 == file.artifact.sha256
    network = ort.InferenceSession(store.read(Location.parse(made.file.artifact.uri)))
    assert [each.name for each in network.get_inputs()] == ["features"]
    assert file.not_optimised == "the file is too small to benefit"


def test_the_converted_network_is_what_functions_load(
    context: Callable[..., TaskContext], store: LocalStore, tmp_path: Path
) -> None:
    there = context()
    file = staged(there, store)

    path = local(there, store, tmp_path / "weights")

    assert file.converted is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file.converted.file.artifact.sha256
    features = np.ones((1, 9, BANDS), np.float32)
    (found,) = ort.InferenceSession(path).run(None, {"features": features})
    assert np.linalg.norm(found) == pytest.approx(1)


def test_a_record_from_before_the_row_said_convert_is_staged_again(
    context: Callable[..., TaskContext], store: LocalStore, tmp_path: Path
) -> None:
    there = context()
    manifest = stage(there, "voices").manifest
    record = StagedWeights.parse(store.read(Location.parse(manifest.uri)), uri="")
    older = record.files[0].model_copy(update={"converted": None})
    content = record.model_copy(update={"files": (older,)}).model_dump_json().encode()
    store.write(Location.parse(manifest.uri), content, media_type="application/json")

    with pytest.raises(WeightsNotStaged, match="without the network that is made of it"):
        local(there, store, tmp_path / "weights")


def test_a_network_made_of_another_checkpoint_is_not_loaded(
    context: Callable[..., TaskContext], store: LocalStore, tmp_path: Path
) -> None:
    there = context()
    manifest = stage(there, "voices").manifest
    record = StagedWeights.parse(store.read(Location.parse(manifest.uri)), uri="")
    (file,) = record.files
    assert file.converted is not None
    other = file.converted.model_copy(update={"source_sha256": "0" * 64})
    changed = file.model_copy(update={"converted": other})
    content = record.model_copy(update={"files": (changed,)}).model_dump_json().encode()
    store.write(Location.parse(manifest.uri), content, media_type="application/json")

    with pytest.raises(WeightsMismatch, match="made of other weights"):
        local(there, store, tmp_path / "weights")


def test_a_malformed_checkpoint_is_not_staged(
    context: Callable[..., TaskContext], store: LocalStore, root: Path, tmp_path: Path
) -> None:
    (root / "containers" / "listener" / "pretrained.pt").write_bytes(legacy(text("nothing")))

    with pytest.raises(WeightsMismatch, match=r"pretrained\.pt cannot be converted with ge2e"):
        staged(context(), store)
    assert everything_in(tmp_path / "store") == []
    assert everything_in(tmp_path / "scratch") == []


def test_a_converted_network_must_pass_its_trial(
    context: Callable[..., TaskContext], store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(WeightsMismatch, match=r"pretrained\.pt\.onnx has the output \[1, 7\]|7"):
        staged(context(size=8), store)
    assert everything_in(tmp_path / "store") == []


def test_a_network_that_is_to_stream_is_streamed_from_what_was_converted(
    context: Callable[..., TaskContext], store: LocalStore
) -> None:
    file = staged(context(stream="stream = true"), store)

    assert file.not_streamed == "it has the operator LSTM, whose state is not carried"


def test_a_converted_network_that_passed_its_trial_is_not_tried_again(
    context: Callable[..., TaskContext],
    store: LocalStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, trials = tmp_path / "kept", list[object]()

    def counted(*of: Any) -> working_network.Answers:
        trials.append(of)
        return require_working_network(*of)

    monkeypatch.setattr(staging, "require_working_network", counted)
    staged(context(kept=kept), store)
    shutil.copytree(tmp_path / "store" / "models", kept)

    staged(context(kept=kept), store, force=True)
    staged(context(kept=kept), store)
    shutil.rmtree(tmp_path / "store")
    staged(context(kept=kept), store)
    assert len(trials) == 2

    shutil.rmtree(tmp_path / "store")
    build = converters.CONVERTERS["ge2e"].build

    def other(path: Path, manifest: Path | None) -> onnx.ModelProto:
        model = build(path, manifest)
        model.doc_string = "made by a later version"
        return model

    changed = {**converters.CONVERTERS, "ge2e": converters.Converter(2, other)}
    monkeypatch.setattr(converters, "CONVERTERS", changed)
    staged(context(kept=kept), store)
    assert len(trials) == 3


def test_a_converter_that_does_not_exist_is_refused_when_the_row_is_read(
    context: Callable[..., TaskContext],
) -> None:
    with pytest.raises(ValueError, match=r"files\.0\.convert\n.*'ge2e', .* or 'face-api-tiny'"):
        catalogue_of(context(convert="torchscript").bench)
