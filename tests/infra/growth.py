"""Add what a contributor might add: a container, a gated model, a product, a bucket, a table."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FACE_FINDER: Final = """
name = "face-finder"
version = "1.0.0"
summary = "Find the faces in a photo."
job = "FindFaces"
memory_mb = 1024
timeout_s = 60
image_mb = 100
architecture = "arm64"

[[access]]
bucket = "audio-books"
keys = ["*.txt"]
actions = ["read"]
"""
_TINY: Final = """
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
urls = ["hf://somebody/tiny@main/tiny.onnx", "s3://somebodys-weights/nets/tiny.onnx"]
token = "hub-token"
"""
_MEMO: Final = """
name = "memo"
summary = "A text without its background."
suffixes = [".txt"]
record = "_memo.json"

[roles.mask]
container = "background-remover"
option = "model"
"""
_RESOURCES: Final = """
[buckets.audio-books]
summary = "Read aloud."

[tables.readers]
summary = "Who listens."
key = "reader"
"""


def grow(tree: Path) -> None:
    """Add one of each below `tree`, and raise the edge refiner's timeout by a second."""
    folder = tree / "containers" / "face_finder"
    folder.mkdir()
    (folder / "container.toml").write_text(_FACE_FINDER)
    _append(tree / "containers" / "background_remover" / "models.toml", _TINY)
    machines = tree / "state_machines"
    (machines / "memo.product.toml").write_text(_MEMO)
    cutout = (machines / "cutout.asl.json").read_text()
    (machines / "memo.asl.json").write_text(cutout.replace('"cutout"', '"memo"'))
    _append(tree / "state_machines" / "resources.toml", _RESOURCES)
    refiner = tree / "containers" / "edge_refiner" / "container.toml"
    refiner.write_text(refiner.read_text().replace("timeout_s = 180", "timeout_s = 181"))


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)
