"""The published networks of faces, converted as staging does it, answer as their publishers' code.

`face_answers.json` has a part of what that code answered for `drawn_face`: of face-api 1.7.15 on
TensorFlow.js 4.22 (Node 20, wasm), and of facenet-pytorch 2.6.0 on PyTorch 2.13 (CPU). `places` are
those of `values` in the flattened output. Of Inception-ResNet there are no weights to compare:
`tests/containers/model_downloader/conversion/test_faces.py` has its layers, with random ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import pytest

from containers.model_downloader.conversion.converters import convert
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import WeightsFile
from tests.conftest import ROOT
from tests.e2e.conftest import kept

pytestmark = pytest.mark.e2e

ANSWERS: Final = json.loads(Path(__file__).with_name("face_answers.json").read_text())
MODELS: Final = {
    "face-api-tiny": "face-api-tiny",
    "face-api-recognition": "face-api-resnet34",
    **dict.fromkeys(
        ["face-api-ssd", "face-api-landmarks", "face-api-expressions", "face-api-ages"],
        "face-api-ssd",
    ),
    **dict.fromkeys(["mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet"], "sface"),
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


def converted(name: str, folder: Path) -> ort.InferenceSession:
    """Convert the kept file of a row that names this converter."""
    row = load_catalogue(ROOT).row(MODELS[name])
    file = next(file for file in row.files if file.convert == name)
    return ort.InferenceSession(convert(*copied(file, kept(row.name), folder)).path)


def copied(file: WeightsFile, source: Path, folder: Path) -> tuple[Any, ...]:
    for each in (file, file.manifest):
        if each is not None:
            (folder / each.name).write_bytes((source / each.name).read_bytes())
    return folder / file.name, file.convert, file.manifest and folder / file.manifest.name


@pytest.mark.parametrize("name", ANSWERS)
def test_a_network_answers_as_its_publishers_code(name: str, tmp_path: Path) -> None:
    answer = ANSWERS[name]
    pixels = drawn_face(answer["rows"], answer["columns"], answer["share"])
    network = converted(name, tmp_path)

    found = network.run(list(answer["outputs"]), {"pixels": pixels})

    for (output, wanted), values in zip(answer["outputs"].items(), found, strict=True):
        assert list(values.shape) == wanted["shape"], output
        actual = values.ravel()[wanted["places"]]
        np.testing.assert_allclose(actual, wanted["values"], rtol=2e-6, atol=2e-6)
