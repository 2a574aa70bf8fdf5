"""A face that MTCNN's real networks find, through the command line, the cloud and every container.

Its weights are those of the wheel that `make e2e` fetches. Inception-ResNet's could not be fetched,
so its vectors are of a small network with random weights: they tell nobody apart.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from tests import published_faces
from tests.bench.faces.photos import ASTRONAUT
from tests.e2e.test_face_networks import from_the_wheel
from tests.e2e.test_faces import SSD, finished, run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MODEL: Final = "facenet-random"
DIMENSION: Final = 16
# What facenet-pytorch 2.6.0 on PyTorch 2.13 finds in the astronaut: left, top, right, bottom.
BOX: Final = (181.0514, 62.1561, 267.7473, 172.0502)
SCORE: Final = 0.999998
_FILES: Final = {
    "pnet.pt": "mtcnn-pnet",
    "rnet.pt": "mtcnn-rnet",
    "onet.pt": "mtcnn-onet",
    "random.pt": "inception-resnet-v1",
}
_ROW: Final = """
[[models]]
name = "{model}"
container = "face-embedder"
summary = "For tests: MTCNN as published, and Inception-ResNet with random weights."
engine = "facenet"
licence = "unstated"
commercial = false
memory_mb = 2048

[models.facenet]
align = "box"
side = 160
dimension = {dimension}
same_above = 0.7
least_score = 0.95
least_side = 60
"""
_FILE: Final = """
[[models.files]]
name = "{name}"
convert = "{convert}"
digest = "sha256:{digest}"
urls = ["file:{name}"]
"""


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """Return what chooses the row, in a catalogue of its own next to its files."""
    row = _ROW.format(model=MODEL, dimension=DIMENSION)
    for name, convert in _FILES.items():
        if name == "random.pt":
            tensors = published_faces.tensors(convert)
            (tmp_path / name).write_bytes(published_faces.checkpoint(tensors))
        else:
            from_the_wheel(name, tmp_path)
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        row += _FILE.format(name=name, convert=convert, digest=digest)
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(row)
    return "--model", SSD, "--embed", "--embedder", MODEL, "--catalogue", str(catalogue)


def test_a_face_that_mtcnn_finds_gets_a_vector(tmp_path: Path, options: tuple[str, ...]) -> None:
    """It is where facenet-pytorch finds it, and is the face that the analyzer found."""
    out = run(tmp_path, [ASTRONAUT], *options, "--accept-licence", "unstated")

    said = read(out / "astronaut_faces.embeddings.json")
    (face,) = said["faces"]
    assert (face["face"], face["row"], face.get("rejected")) == (0, 0, None)
    box = face["detection"]["box"]
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    assert (box["x"], box["y"], right, bottom) == pytest.approx(BOX, abs=0.01)
    assert face["detection"]["score"] == pytest.approx(SCORE, abs=1e-4)

    path = out / "astronaut_faces.embeddings.safetensors"
    vectors = load_file(path)["embeddings"]
    assert vectors.shape == (1, DIMENSION)
    assert np.linalg.norm(vectors) == pytest.approx(1)
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"source": hashlib.sha256(ASTRONAUT.read_bytes()).hexdigest()}


def test_without_its_licence_nothing_is_found(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The user reads which licence it is, and no photo is searched."""
    done = finished(tmp_path, [ASTRONAUT], *options)

    assert done.returncode == 2
    assert "LicenseNotAccepted: the weights of facenet-random are under unstated" in done.stderr
    assert "--accept-licence" in done.stderr
    assert not list((tmp_path / "out").glob("*"))


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())
