"""A new container is one new folder, a new model is one new row; nothing else is edited."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from pipeline.local.deployment import Blueprint, function_arn
from tests.contracts.declared import ROOT

FACE_FINDER: Final = """
name = "face-finder"
version = "1.0.0"
summary = "Find the faces in a photo."
job = "FindFaces"
memory_mb = 1024
timeout_s = 60
"""
TINY: Final = """
[[models]]
name = "tiny"
summary = "For tests."
engine = "saliency"
licence = "MIT"
commercial = true
memory_mb = 512
saliency = { input_size = 64, scale = 1, mean = [0, 0, 0], std = [1, 1, 1], activation = "none" }

[[models.files]]
name = "tiny.onnx"
digest = "md5:00000000000000000000000000000000"
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The declarations of the repository, in a folder that a test may add to."""
    for folder in ("containers", "state_machines"):
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def add_container(tree: Path, manifest: str = FACE_FINDER, folder: str = "face_finder") -> None:
    path = tree / "containers" / folder / "container.toml"
    path.parent.mkdir()
    path.write_text(manifest)


def add_model(tree: Path, row: str) -> None:
    with (tree / "containers" / "background_remover" / "models.toml").open("a") as models:
        models.write(row)


def read(tree: Path) -> Blueprint:
    return Blueprint.read(tree, default_model="u2netp")


def functions(blueprint: Blueprint) -> dict[str, int]:
    return {function.name: function.memory_mb for function in blueprint.functions({})}


def test_a_new_folder_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_container(tree)

    assert functions(read(tree)) == before | {"matteline-local-face-finder": 1024}


def test_a_new_folder_is_one_more_placeholder(tree: Path) -> None:
    before = read(tree).substitutions()

    add_container(tree)

    assert read(tree).substitutions() == before | {"FaceFinderArn": function_arn("face-finder")}


def test_a_new_folder_leaves_the_machines_as_they_are(tree: Path) -> None:
    before = read(tree).machines()

    add_container(tree)

    assert read(tree).machines() == before


def test_a_new_folder_may_be_named_in_a_machine_at_once(tree: Path) -> None:
    add_container(tree)
    machine = tree / "state_machines" / "find-faces.asl.json"
    machine.write_text('{"Resource": "${FaceFinderArn}"}')

    assert function_arn("face-finder") in read(tree).machines()["find-faces"]


def test_a_new_row_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_model(tree, TINY)

    assert functions(read(tree)) == before | {"matteline-local-background-remover-tiny": 512}


def test_a_new_row_adds_no_placeholder(tree: Path) -> None:
    before = read(tree).substitutions()

    add_model(tree, TINY)

    assert read(tree).substitutions() == before


def test_a_new_bucket_is_one_more_placeholder(tree: Path) -> None:
    with (tree / "state_machines" / "resources.toml").open("a") as resources:
        resources.write('\n[buckets.audio-books]\nsummary = "Read aloud."\n')

    assert read(tree).substitutions()["AudioBooksBucket"] == "matteline-local-audio-books"


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        pytest.param(FACE_FINDER.replace("face-finder", "Face_Finder"), "name", id="spelling"),
        pytest.param(FACE_FINDER.replace("1.0.0", "1.0"), "version", id="short-version"),
        pytest.param(FACE_FINDER.replace("1.0.0", "latest"), "version", id="no-version"),
        pytest.param(FACE_FINDER + "memmory = 1024\n", "memmory", id="unknown-field"),
        pytest.param(FACE_FINDER.replace("1024", "64"), "memory_mb", id="too-little-memory"),
        pytest.param(FACE_FINDER.replace("1024", "10241"), "memory_mb", id="too-much-memory"),
        pytest.param(FACE_FINDER.replace("= 60", "= 901"), "timeout_s", id="too-long"),
        pytest.param(FACE_FINDER + "storage_mb = 10241\n", "storage_mb", id="too-much-storage"),
        pytest.param(FACE_FINDER + 'architecture = "mips"\n', "architecture", id="no-such-machine"),
        pytest.param(FACE_FINDER.replace("job =", "task ="), "job", id="no-job"),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_field(tree: Path, manifest: str, field: str) -> None:
    add_container(tree, manifest)

    with pytest.raises(ValueError, match=rf"(?m)^{field}$"):
        read(tree)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        pytest.param(TINY.replace("= 512", "= 64"), "memory_mb", id="too-little-memory"),
        pytest.param(TINY.replace('"tiny"', '"Tiny"'), "name", id="spelling"),
        pytest.param(TINY.replace("md5:0", "md5:"), r"files\.0\.digest", id="short-digest"),
        pytest.param(TINY.replace("licence", "license"), "licence", id="unknown-field"),
        pytest.param(TINY.replace('"saliency"', '"oracle"'), "engine", id="no-such-engine"),
    ],
)
def test_a_wrong_row_is_refused_by_its_field(tree: Path, row: str, field: str) -> None:
    add_model(tree, row)

    with pytest.raises(ValueError, match=rf"(?m)^{field}$"):
        read(tree)


def test_a_manifest_in_a_folder_of_another_name_is_refused_by_its_file(tree: Path) -> None:
    add_container(tree, folder="ear_finder")

    with pytest.raises(ValueError, match=r"ear_finder/container\.toml: name 'face-finder'"):
        read(tree)


def test_a_fallback_that_does_not_exist_is_refused_by_its_row(tree: Path) -> None:
    add_model(tree, TINY.replace("memory_mb", 'fallback = "smaller"\nmemory_mb'))

    with pytest.raises(ValueError, match="fallback names no row of the catalogue: tiny"):
        read(tree)


def test_a_placeholder_nobody_declares_stops_the_deployment(tree: Path) -> None:
    (tree / "state_machines" / "lost.asl.json").write_text('{"Resource": "${NobodysArn}"}')

    with pytest.raises(KeyError, match="NobodysArn"):
        read(tree).machines()
