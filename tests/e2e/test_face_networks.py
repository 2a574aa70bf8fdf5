"""The published networks of faces, converted as staging does it, answer as their publishers' code.

`face_answers.json` has a part of what that code answered for `drawn_face`: of face-api 1.7.15 on
TensorFlow.js 4.22 (Node 20, wasm), and of facenet-pytorch 2.6.0 on PyTorch 2.13 (CPU). `places` are
those of `values` in the flattened output. Of Inception-ResNet there are no weights to compare:
`tests/containers/model_downloader/conversion/test_faces.py` has its layers, with random ones.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import pytest

from containers.model_downloader.conversion.converters import convert
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ConverterName
from tests.conftest import ROOT
from tests.e2e.conftest import kept

pytestmark = pytest.mark.e2e

ANSWERS: Final = json.loads(Path(__file__).with_name("face_answers.json").read_text())
WHEEL: Final = "MATTELINE_MTCNN"  # of facenet_pytorch, which `make e2e` fetches
MODELS: Final = {
    "face-api-tiny": "face-api-tiny",
    "face-api-recognition": "face-api-resnet34",
    **dict.fromkeys(
        ["face-api-ssd", "face-api-landmarks", "face-api-expressions", "face-api-ages"],
        "face-api-ssd",
    ),
}
# x and y of the centre, half the width and the height, in shares of the face; and the colour.
PAINTED: Final = (
    ((0, -0.14, 0.33, 0.34), (60, 40, 30)),  # hair
    ((0, 0, 0.27, 0.36), (224, 172, 140)),  # face
    ((-0.11, -0.06, 0.06, 0.03), (245, 245, 240)),  # eyes
    ((0.11, -0.06, 0.06, 0.03), (245, 245, 240)),
    ((-0.11, -0.06, 0.025, 0.028), (40, 30, 30)),  # pupils
    ((0.11, -0.06, 0.025, 0.028), (40, 30, 30)),
    ((-0.11, -0.115, 0.075, 0.012), (70, 45, 35)),  # eyebrows
    ((0.11, -0.115, 0.075, 0.012), (70, 45, 35)),
    ((0, 0.05, 0.035, 0.07), (200, 145, 115)),  # nose
    ((0, 0.18, 0.1, 0.03), (170, 70, 70)),  # mouth
)


def drawn_face(rows: int, columns: int, share: float) -> Any:
    """Return 1 × 3 × rows × columns: a drawn face, in that share of a gradient."""
    y, x = np.mgrid[:rows, :columns] / np.array([rows, columns]).reshape(2, 1, 1)
    picture = np.stack([90 + 120 * x, 120 + 60 * y, 160 - 80 * x * y], axis=2)
    x, y = (x - 0.5) / share, (y - 0.5) / share
    for (left, top, wide, high), colour in PAINTED:
        picture[((x - left) / wide) ** 2 + ((y - top) / high) ** 2 < 1] = colour
    return np.floor(picture).astype(np.float32).transpose(2, 0, 1)[None]


def published(name: ConverterName, folder: Path) -> tuple[Path, Path | None]:
    """Copy the file that this converter takes, and its manifest, into the folder."""
    if name not in MODELS:
        return from_the_wheel(f"{name.removeprefix('mtcnn-')}.pt", folder), None
    row = load_catalogue(ROOT).row(MODELS[name])
    file = next(file for file in row.files if file.convert == name)
    assert file.manifest is not None
    for each in (file, file.manifest):
        (folder / each.name).write_bytes((kept(row.name) / each.name).read_bytes())
    return folder / file.name, folder / file.manifest.name


def from_the_wheel(file: str, folder: Path) -> Path:
    wheel = os.environ.get(WHEEL)
    if not wheel or not Path(wheel).is_file():
        pytest.skip(f"set {WHEEL} to the wheel of facenet_pytorch 2.6.0")
    with zipfile.ZipFile(wheel) as archive:
        (folder / file).write_bytes(archive.read(f"facenet_pytorch/data/{file}"))
    return folder / file


@pytest.mark.parametrize("name", ANSWERS)
def test_a_network_answers_as_its_publishers_code(name: ConverterName, tmp_path: Path) -> None:
    answer = ANSWERS[name]
    pixels = drawn_face(answer["rows"], answer["columns"], answer["share"])
    path, manifest = published(name, tmp_path)
    network = ort.InferenceSession(convert(path, name, manifest).path)

    found = network.run(list(answer["outputs"]), {"pixels": pixels})

    for (output, wanted), values in zip(answer["outputs"].items(), found, strict=True):
        assert list(values.shape) == wanted["shape"], output
        actual = values.ravel()[wanted["places"]]
        np.testing.assert_allclose(actual, wanted["values"], rtol=5e-6, atol=5e-6)
