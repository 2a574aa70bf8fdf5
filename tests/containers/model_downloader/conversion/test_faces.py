"""The converted networks of faces answer as published, and other files are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import onnxruntime as ort
import pytest

from containers.model_downloader.conversion.converters import convert
from containers.model_downloader.conversion.tfjs import read_tensors
from pipeline.declared.models import ConverterName, TensorConverter
from pipeline.errors import WeightsMismatch
from tests import published_faces
from tests.checkpoints import Tensors
from tests.containers.model_downloader.conversion import faces_reference

NAMES: Final[tuple[ConverterName, ...]] = (
    *get_args(TensorConverter), "mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet", "inception-resnet-v1",
)  # fmt: skip
OUTPUTS: Final[dict[str, dict[str, list[int | str]]]] = {
    "face-api-ssd": {"boxes": [1, 5118, 4], "scores": [1, 5118]},
    "face-api-tiny": {"grid": [1, 25, "cell_rows", "cell_columns"]},
    "face-api-landmarks": {"points": ["batch", 136]},
    "face-api-expressions": {"probabilities": ["batch", 7]},
    "face-api-ages": {"age": ["batch", 1], "gender": ["batch", 2]},
    "face-api-recognition": {"embedding": ["batch", 16]},
    "mtcnn-pnet": {
        "offsets": ["batch", 4, "place_rows", "place_columns"],
        "scores": ["batch", "place_rows", "place_columns"],
    },
    "mtcnn-rnet": {"offsets": ["batch", 4], "scores": ["batch"]},
    "mtcnn-onet": {"offsets": ["batch", 4], "scores": ["batch"], "points": ["batch", 10]},
    "inception-resnet-v1": {"embedding": ["batch", 16]},
}
ANSWERS: Final = {
    "face-api-ssd": faces_reference.ssd,
    "face-api-tiny": faces_reference.tiny,
    "face-api-landmarks": faces_reference.landmarks,
    "face-api-expressions": faces_reference.expressions,
    "face-api-ages": faces_reference.ages,
    "face-api-recognition": faces_reference.recognition,
    "mtcnn-pnet": faces_reference.pnet,
    "mtcnn-rnet": faces_reference.rnet,
    "mtcnn-onet": faces_reference.onet,
    "inception-resnet-v1": faces_reference.inception_resnet_v1,
}
SOLE: Final = ("face-api-ssd", "face-api-tiny")  # they take one picture at a time


Files = tuple[Path, ConverterName, Path | None]


def written(folder: Path, name: ConverterName, tensors: Tensors) -> Files:
    """Write what is published; return what `convert` takes."""
    path = folder / "published"
    if name not in get_args(TensorConverter):
        path.write_bytes(published_faces.checkpoint(tensors))
        return path, name, None
    content, manifest = published_faces.published(tensors)
    path.write_bytes(content)
    (folder / "manifest").write_bytes(manifest)
    return path, name, folder / "manifest"


def pictures(name: str, count: int) -> Any:
    rows, columns = published_faces.SIDES[name]
    return np.random.default_rng(5).uniform(0, 255, (count, rows, columns, 3))


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_faces_answers_as_published(tmp_path: Path, name: ConverterName) -> None:
    tensors = published_faces.tensors(name, seed=2)
    files = path, _, manifest = written(tmp_path, name, tensors)
    pixels = pictures(name, 1 if name in SOLE else 2)

    network = ort.InferenceSession(convert(*files).path)
    found = network.run(None, {"pixels": pixels.transpose(0, 3, 1, 2).astype(np.float32)})

    read = read_tensors(path, manifest) if manifest else tensors
    expected = [ANSWERS[name](read, picture) for picture in pixels]
    assert {each.name: each.shape for each in network.get_outputs()} == OUTPUTS[name]
    for output, values in zip(OUTPUTS[name], found, strict=True):
        wanted = np.array([each[output] for each in expected])
        np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-5)
        assert np.ptp(wanted) > 1e-3, "all answers are alike: the layers have no say"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_file_makes_the_same_network(tmp_path: Path, name: ConverterName) -> None:
    files = written(tmp_path, name, published_faces.tensors(name))

    first = convert(*files).path.read_bytes()

    assert convert(*files).path.read_bytes() == first


@pytest.mark.parametrize("name", NAMES)
def test_a_network_without_one_of_its_tensors_is_refused(
    tmp_path: Path, name: ConverterName
) -> None:
    tensors = published_faces.tensors(name)
    first = next(iter(tensors))
    lacking = {key: each for key, each in tensors.items() if key != first}

    with pytest.raises(WeightsMismatch, match=f"it has no tensor {first}"):
        convert(*written(tmp_path, name, lacking))


@pytest.mark.parametrize("name", NAMES)
def test_a_network_with_one_more_tensor_is_refused(tmp_path: Path, name: ConverterName) -> None:
    more = {**published_faces.tensors(name), "another": np.ones(3, np.float32)}

    with pytest.raises(WeightsMismatch, match="tensors that the network lacks: another"):
        convert(*written(tmp_path, name, more))


@pytest.mark.parametrize("name", ["face-api-ssd", "inception-resnet-v1"])
def test_a_negative_variance_is_refused(tmp_path: Path, name: ConverterName) -> None:
    tensors = published_faces.tensors(name)
    variance = next(key for key in tensors if key.endswith(("variance", "running_var")))
    tensors[variance] = -tensors[variance]

    with pytest.raises(WeightsMismatch, match="a negative variance"):
        convert(*written(tmp_path, name, tensors))


def test_weights_that_are_too_large_when_they_are_folded_are_refused(tmp_path: Path) -> None:
    tensors = published_faces.tensors("face-api-recognition")
    tensors["conv32_1/conv1/conv/filters"][:] = 100
    tensors["conv32_1/conv1/scale/weights"][:] = 3e38

    with pytest.raises(WeightsMismatch, match=r"conv32_1/conv1\.kernel has numbers that are not"):
        convert(*written(tmp_path, "face-api-recognition", tensors))
