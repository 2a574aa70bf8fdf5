"""A new container is one new folder, a new model one new row; no other file is edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.errors import UnknownModel
from pipeline.local.deployment import NAMES
from tests.contracts.additions import (
    BESIDE,
    FACES,
    SCENE_EMBEDDER,
    TINY,
    add_container,
    add_model,
    add_models,
    functions,
    read,
    shipped_data,
)


def test_a_new_folder_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_container(tree)

    assert functions(read(tree)) == before | {"matteline-local-face-finder": 1024}


def test_a_new_folder_is_one_more_placeholder(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_container(tree)

    assert read(tree).substitutions(NAMES) == before | {
        "FaceFinderArn": NAMES.function_arn("face-finder")
    }


def test_a_new_folder_leaves_the_machines_as_they_are(tree: Path) -> None:
    before = read(tree).machines(NAMES)

    add_container(tree)

    assert read(tree).machines(NAMES) == before


def test_a_new_folder_may_be_named_in_a_machine_at_once(tree: Path) -> None:
    add_container(tree)
    machine = tree / "state_machines" / "find-faces.asl.json"
    machine.write_text('{"Resource": "${FaceFinderArn}"}')

    assert NAMES.function_arn("face-finder") in read(tree).machines(NAMES)["find-faces"]


def test_a_new_row_is_one_more_function(tree: Path) -> None:
    before = functions(read(tree))

    add_model(tree, TINY)

    assert functions(read(tree)) == before | {"matteline-local-background-remover-tiny": 512}


def test_a_new_row_adds_no_placeholder(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_model(tree, TINY)

    assert read(tree).substitutions(NAMES) == before


def test_a_new_folder_with_models_is_a_function_for_each_of_them(tree: Path) -> None:
    before = functions(read(tree))

    add_models(tree)

    assert functions(read(tree)) == before | {
        "matteline-local-scene-embedder-facenet": 1024,
        "matteline-local-scene-embedder-facenet-large": 2048,
    }


def test_a_new_folder_with_models_is_a_placeholder_for_its_default(tree: Path) -> None:
    before = read(tree).substitutions(NAMES)

    add_models(tree)

    assert read(tree).substitutions(NAMES) == before | {
        "SceneEmbedderArn": NAMES.function_arn("scene-embedder"),
        "SceneEmbedderDefaultModel": "facenet",
    }


def test_a_deployment_chooses_a_default_for_each_container(tree: Path) -> None:
    before = read(tree).catalogue.defaults
    add_models(tree)

    chosen = Blueprint.read(tree, defaults=("facenet-large", "starter"))

    assert dict(chosen.catalogue.defaults) == dict(before) | {
        "background-remover": "starter",
        "scene-embedder": "facenet-large",
    }
    with pytest.raises(ValueError, match="background-remover has one default, not u2net and u2ne"):
        Blueprint.read(tree, defaults=("u2net", "u2netp"))
    with pytest.raises(UnknownModel, match="no model is called 'nobody'; there are "):
        Blueprint.read(tree, defaults=("nobody",))


def test_the_downloaders_image_has_a_new_folders_rows_and_the_removers_has_not(tree: Path) -> None:
    before = shipped_data(tree)

    add_models(tree, FACES.replace('[[models.files]]\nname = "facenet.onnx"', BESIDE))
    (tree / "containers" / "scene_embedder" / "facenet.onnx").touch()

    added = {name: shipped - before[name] for name, shipped in shipped_data(tree).items()}
    rows = "containers/scene_embedder/models.toml"
    assert {name: files for name, files in added.items() if files} == {
        "http_api": {rows},
        "media_inspector": {rows},
        "model_downloader": {rows, "containers/scene_embedder/facenet.onnx"},
    }


def test_a_name_may_be_given_once(tree: Path) -> None:
    add_models(tree, FACES.replace('"facenet"', '"u2net"'))

    says = r"scene_embedder/models\.toml: .*background_remover/models\.toml has a row called u2net"
    with pytest.raises(ValueError, match=says):
        read(tree)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('default = "facenet"', 'default = "u2net"'), "scene-embedder has no row called u2net"),
        (('fallback = "facenet"', 'fallback = "u2net"'), "row of another container: facenet-large"),
        (('engine = "embedding"', 'engine = "saliency"'), "scene-embedder has no engine saliency"),
        (("engines.embedding", "engines.hashing"), "scene-embedder has no engine embedding"),
        (('fallback = "f', 'container = "edge-refiner"\nfallback = "f'), "that of its folder"),
        (("{ side = 224", "{ size = 224"), r"(?m)^embedding\.size$"),
        (("{ side = 160 }", "{ side = 16 }"), r"(?m)^embedding\.side$"),
        (('"{side}"]', '"{size}"]'), "engine embedding has no such field: 'size'"),
    ],
)
def test_models_that_lean_on_another_container_or_on_nothing_are_refused(
    tree: Path, change: tuple[str, str], says: str
) -> None:
    add_models(tree, FACES.replace(*change))

    with pytest.raises(ValueError, match=says):
        read(tree)


def test_a_container_of_models_without_any_is_refused(tree: Path) -> None:
    add_container(tree, SCENE_EMBEDDER, "scene_embedder")

    with pytest.raises(ValueError, match="scene-embedder has a function per model, and no models"):
        read(tree)


def test_access_for_an_engine_of_another_container_is_refused(tree: Path) -> None:
    add_models(tree)
    manifest = tree / "containers" / "scene_embedder" / "container.toml"
    manifest.write_text(SCENE_EMBEDDER.replace('["embedding"]', '["embedding", "sam"]'))

    with pytest.raises(ValueError, match="scene-embedder gives access to no engine it has: sam"):
        read(tree)


def test_a_new_bucket_is_one_more_placeholder(tree: Path) -> None:
    with (tree / "state_machines" / "resources.toml").open("a") as resources:
        resources.write('\n[buckets.audio-books]\nsummary = "Read aloud."\n')

    assert read(tree).substitutions(NAMES)["AudioBooksBucket"] == "matteline-local-audio-books"


def test_a_placeholder_nobody_declares_stops_the_deployment(tree: Path) -> None:
    (tree / "state_machines" / "lost.asl.json").write_text('{"Resource": "${NobodysArn}"}')

    with pytest.raises(KeyError, match="NobodysArn"):
        read(tree).machines(NAMES)
