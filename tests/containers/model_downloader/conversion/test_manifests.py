"""A file of tensors is staged with the manifest that describes it, and both are verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import onnxruntime as ort
import pytest
from pydantic import ValidationError

from pipeline.artifacts import LocalStore, Location
from pipeline.declared.models import ModelRow, WeightsFile
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import LocalWeights
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests import published_faces
from tests.containers.model_downloader.desks import everything_in, stage

TENSORS, DESCRIBED = published_faces.published(published_faces.tensors("face-api-tiny"))
DIGESTS: Final = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in (TENSORS, DESCRIBED)]
MODELS: Final = """
default = "finder"

[engines.finding]

[[engines.finding.files]]
role = "network"
inputs = [{ name = "pixels", shape = [1, 3, 64, 64], fill = 9 }]
outputs = [{ shape = [1, 25, 2, 2] }]

[[models]]
name = "finder"
summary = "For tests."
engine = "finding"
licence = "MIT"
commercial = true
memory_mb = 512
"""
FILE: Final = {
    "name": "tiny.bin",
    "digest": DIGESTS[0],
    "urls": ["file:tiny.bin"],
    "convert": "face-api-tiny",
    "manifest": {
        "name": "tiny.json",
        "digest": DIGESTS[1],
        "bytes": len(DESCRIBED),
        "urls": ["file:tiny.json"],
    },
}

Build = Callable[..., TaskContext]


def toml(value: dict[str, Any]) -> str:
    fields = (
        f"{key} = {toml(each) if isinstance(each, dict) else json.dumps(each)}"
        for key, each in value.items()
    )
    return f"{{ {', '.join(fields)} }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tree" / "containers" / "finder"
    folder.mkdir(parents=True)
    (folder / "tiny.bin").write_bytes(TENSORS)
    (folder / "tiny.json").write_bytes(DESCRIBED)
    return folder


@pytest.fixture
def context(folder: Path, store: LocalStore, tmp_path: Path) -> Build:
    """Return the workbench of a container whose only row has a manifest."""

    def build(manifest: dict[str, Any] | None = None, mirror: Path | None = None) -> TaskContext:
        file = {
            **FILE,
            "manifest": {**cast("dict[str, Any]", FILE["manifest"]), **(manifest or {})},
        }
        (folder / "models.toml").write_text(f"{MODELS}files = [{toml(file)}]\n")
        settings = Settings(scratch=tmp_path / "scratch", weights_mirror=str(mirror or "") or None)
        return TaskContext(Workbench(root=folder.parents[1], settings=settings, store=store))

    return build


def row_of(context: TaskContext) -> ModelRow:
    return catalogue_of(context.bench).row("finder")


def staged(context: TaskContext, store: LocalStore) -> StagedFile:
    manifest = stage(context, "finder").manifest
    (file,) = StagedWeights.parse(store.read(Location.parse(manifest.uri)), uri="").files
    return file


def local(context: TaskContext, store: LocalStore, folder: Path) -> Path:
    row = row_of(context)
    (file,) = LocalWeights(store, folder).files(Location("models", row.weights_key), row)
    return file.path


def test_the_record_has_both_files_and_the_network(context: Build, store: LocalStore) -> None:
    file = staged(context(), store)

    made, manifest = file.converted, file.manifest
    assert made is not None
    assert manifest is not None
    assert (file.name, file.digest) == ("tiny.bin", DIGESTS[0])
    assert (manifest.name, manifest.digest) == ("tiny.json", DIGESTS[1])
    assert manifest.source.endswith("/tiny.json")
    assert [f"sha256:{made.source_sha256}", f"sha256:{made.manifest_sha256}"] == DIGESTS
    assert store.read(Location.parse(file.artifact.uri)) == TENSORS
    assert store.read(Location.parse(manifest.artifact.uri)) == DESCRIBED
    assert manifest.artifact.bytes == len(DESCRIBED)
    network = ort.InferenceSession(store.read(Location.parse(made.file.artifact.uri)))
    assert [each.name for each in network.get_outputs()] == ["grid"]


def test_functions_load_the_network_alone(
    context: Build, store: LocalStore, tmp_path: Path
) -> None:
    there = context()
    staged(there, store)

    path = local(there, store, tmp_path / "weights")

    pixels = np.zeros((1, 3, 32, 32), np.float32)
    assert ort.InferenceSession(path).run(None, {"pixels": pixels})[0].shape == (1, 25, 1, 1)
    assert [each.name for each in everything_in(tmp_path / "weights")] == [path.name]


def test_a_manifest_of_other_bytes_is_not_staged(
    context: Build, store: LocalStore, folder: Path, tmp_path: Path
) -> None:
    there = context()
    (folder / "tiny.json").write_bytes(DESCRIBED.replace(b"conv1/bias", b"conv1/bia5"))

    with pytest.raises(WeightsMismatch, match=r"tiny\.json has sha256 .*; the catalogue has"):
        staged(there, store)
    assert everything_in(tmp_path / "store") == []
    assert everything_in(tmp_path / "scratch") == []


def test_a_manifest_that_no_source_has_is_named(
    context: Build, store: LocalStore, folder: Path, tmp_path: Path
) -> None:
    there = context()
    (folder / "tiny.json").unlink()

    with pytest.raises(WeightsUnavailable, match=r"tiny\.json could not be fetched"):
        staged(there, store)
    assert everything_in(tmp_path / "store") == []


def test_a_mirror_has_the_manifest_by_name(
    context: Build, store: LocalStore, folder: Path, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (folder / "tiny.json").rename(mirror / "tiny.json")

    file = staged(context(mirror=mirror), store)

    assert file.manifest is not None
    assert file.manifest.source == (mirror / "tiny.json").as_uri()


def test_a_network_made_with_another_manifest_is_not_loaded(
    context: Build, store: LocalStore, tmp_path: Path
) -> None:
    there = context()
    place = Location.parse(stage(there, "finder").manifest.uri)
    record = StagedWeights.parse(store.read(place), uri="")
    (file,) = record.files
    assert file.converted is not None
    other = file.converted.model_copy(update={"manifest_sha256": "0" * 64})
    changed = file.model_copy(update={"converted": other})
    content = record.model_copy(update={"files": (changed,)}).model_dump_json().encode()
    store.write(place, content, media_type="application/json")

    with pytest.raises(WeightsMismatch, match="made of other weights"):
        local(there, store, tmp_path / "weights")


def test_another_manifest_has_weights_of_its_own(context: Build) -> None:
    first = row_of(context()).weights_prefix

    assert row_of(context({"digest": f"sha256:{'0' * 64}"})).weights_prefix != first


REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "no manifest": ({"manifest": None}, "face-api-tiny needs a `manifest`"),
    "a manifest of a checkpoint": ({"convert": "ge2e"}, "ge2e has no manifest"),
    "a manifest of a network": ({"convert": None}, "a file that is not converted has no manifest"),
    "no digest": ({"digest": "unstated", "urls": ["https://one.test/m"]}, "needs a digest"),
    "no size": ({"bytes": None}, "needs a digest and `bytes`"),
    "a path": ({"name": "../tiny.json"}, "name"),
    "the record's name": ({"name": "manifest.json"}, "is written by staging itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_with_a_wrong_manifest_is_refused_when_it_is_read(case: str) -> None:
    fields, says = REFUSED[case]
    of_the_file = fields.keys() <= {"manifest", "convert"}
    manifest = {**cast("dict[str, Any]", FILE["manifest"]), **({} if of_the_file else fields)}
    file = {**FILE, "manifest": manifest, **(fields if of_the_file else {})}

    with pytest.raises(ValidationError, match=says):
        WeightsFile.model_validate(file)


def test_a_manifest_has_a_name_of_its_own(context: Build) -> None:
    with pytest.raises(ValueError, match=r"two files are called tiny\.bin"):
        row_of(context({"name": "tiny.bin"}))
