"""The kept networks of faces next to face-api's own answers, on a drawn picture of nobody.

`tests/bench/faces/faceapi/networks.cjs` stored them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

from containers.model_downloader.conversion.converters import convert
from pipeline.artifacts import Location
from pipeline.declared.catalogue import load_catalogue
from pipeline.session.choice import cache_folder
from pipeline.weights.staged import StagedWeights
from tests.conftest import ROOT
from tests.e2e.conftest import kept

pytestmark = pytest.mark.e2e

STORED: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("face_api_networks.json").read_text()
)
# The network's name in the stored answers, its model, its place among the model's files, and the
# side of its picture.
NETWORKS: Final = [
    ("ssd", "face-api-ssd", 0, 512),
    ("tiny", "face-api-tiny", 0, 416),
    ("landmarks", "face-api-ssd", 1, 112),
    ("expressions", "face-api-ssd", 2, 112),
    ("ages", "face-api-ssd", 3, 112),
    ("recognition", "face-api-resnet34", 0, 150),
]


def drawn(side: int) -> npt.NDArray[np.float32]:
    """Return the picture of `networks.cjs`, 1 × 3 × side × side."""
    colour, down, across = np.indices((3, side, side))
    return ((across * (2 + colour) + down * (4 - colour) + (across * down >> 5)) & 255)[
        None
    ].astype(np.float32)


def session(model: str, place: int, folder: Path) -> ort.InferenceSession:
    """Convert the kept file again; its bytes are those that staging recorded."""
    file = load_catalogue(ROOT).row(model).files[place]
    record = StagedWeights.parse((kept(model) / "manifest.json").read_bytes(), uri=model)
    staged = record.files[place].converted
    assert staged is not None
    assert file.manifest is not None
    for name in (file.name, file.manifest.name):
        (folder / name).write_bytes((kept(model) / name).read_bytes())
    network = convert(folder / file.name, staged.converter, folder / file.manifest.name).path
    copy = cache_folder() / Location.parse(staged.file.artifact.uri).key
    assert network.read_bytes() == copy.read_bytes()
    return ort.InferenceSession(network)


@pytest.mark.parametrize(("name", "model", "place", "side"), NETWORKS)
def test_a_converted_network_answers_as_face_api_does(
    name: str, model: str, place: int, side: int, tmp_path: Path
) -> None:
    network = session(model, place, tmp_path)

    answers = network.run(None, {"pixels": drawn(side)})

    outputs = [output.name for output in network.get_outputs()]
    found = dict(zip(outputs, answers, strict=True))
    assert set(STORED[name]) == set(found)
    every = STORED["every"] if name in {"ssd", "tiny"} else 1
    for output, expected in STORED[name].items():
        assert found[output].ravel()[::every] == pytest.approx(expected, rel=1e-5, abs=2e-5)
