"""Containers, models and rows that a test adds to a copy of the declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.declared.blueprint import Blueprint
from pipeline.local.deployment import NAMES
from pipeline.releases.shipping import shipped_files

FACE_FINDER: Final = """
name = "face-finder"
version = "1.0.0"
summary = "Find the faces in a photo."
job = "FindFaces"
memory_mb = 1024
timeout_s = 60
image_mb = 100
"""
SCENE_EMBEDDER: Final = """
name = "scene-embedder"
version = "1.0.0"
summary = "Turn a scene into numbers that can be compared."
job = "EmbedFaces"
memory_mb = 1024
timeout_s = 60
image_mb = 100
function_per_model = true

[[access]]
bucket = "models"
keys = ["{model}/*"]
actions = ["read"]
engines = ["embedding"]
"""
FACES: Final = """
default = "facenet"

[engines.embedding.fields]
side = { type = "integer", minimum = 32, maximum = 512 }

[[engines.embedding.files]]
role = "network"
inputs = [{ shape = [1, 3, "{side}", "{side}"], fill = 0.5 }]
outputs = [{ shape = [1, 512] }]

[[models]]
name = "facenet"
summary = "For tests."
engine = "embedding"
licence = "MIT"
commercial = true
memory_mb = 1024
embedding = { side = 160 }

[[models.files]]
name = "facenet.onnx"
digest = "md5:00000000000000000000000000000000"

[[models]]
name = "facenet-large"
summary = "For tests."
engine = "embedding"
licence = "MIT"
commercial = true
memory_mb = 2048
fallback = "facenet"
embedding = { side = 224 }

[[models.files]]
name = "facenet-large.onnx"
digest = "md5:00000000000000000000000000000000"
"""
BESIDE: Final = '[[models.files]]\nurls = ["file:facenet.onnx"]\nname = "facenet.onnx"'
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


def add_container(tree: Path, manifest: str = FACE_FINDER, folder: str = "face_finder") -> None:
    path = tree / "containers" / folder / "container.toml"
    path.parent.mkdir()
    path.write_text(manifest)


def add_model(tree: Path, row: str) -> None:
    with (tree / "containers" / "background_remover" / "models.toml").open("a") as models:
        models.write(row)


def add_models(tree: Path, models: str = FACES) -> None:
    """A container with an engine and two rows of its own."""
    add_container(tree, SCENE_EMBEDDER, "scene_embedder")
    (tree / "containers" / "scene_embedder" / "models.toml").write_text(models)


def read(tree: Path) -> Blueprint:
    return Blueprint.read(tree)


def functions(blueprint: Blueprint) -> dict[str, int]:
    return {each.name(NAMES): each.memory_mb for each in blueprint.functions}


def shipped_data(tree: Path) -> dict[str, set[str]]:
    """Folder → what its image holds, but for code."""
    paths = (tree / "containers").glob("*/requirements.txt")
    return {
        path.parent.name: {file.as_posix() for file in shipped_files(tree, path.parent.name)}
        for path in paths
    }
