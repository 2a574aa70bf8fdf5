"""Convert a published file to ONNX with the converter that its row names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import onnx

from containers.model_downloader.conversion import face_api, mtcnn
from containers.model_downloader.conversion.checkpoint import Checkpoint, open_checkpoint
from containers.model_downloader.conversion.ge2e import ge2e
from containers.model_downloader.conversion.inception_resnet import inception_resnet_v1
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.pyannet import pyannet
from containers.model_downloader.conversion.tfjs import read_tensors
from containers.model_downloader.conversion.weights import Weights
from pipeline.declared.models import ConverterName
from pipeline.errors import WeightsMismatch

_FOLDER: Final = "converted"  # no file of a row is in it, whatever it is called

Build = Callable[[Path, Path | None], onnx.ModelProto]


class Converter(NamedTuple):
    """Builds a network from a file and its manifest. Raise `version` when its output changes."""

    version: int
    build: Build


def _of_checkpoint(build: Callable[[Checkpoint], onnx.ModelProto]) -> Build:
    def built(path: Path, _: Path | None) -> onnx.ModelProto:
        with open_checkpoint(path) as checkpoint:
            return build(checkpoint)

    return built


def _of_tensors(build: Callable[[Weights], onnx.ModelProto]) -> Build:
    def built(path: Path, manifest: Path | None) -> onnx.ModelProto:
        if manifest is None:
            raise NotConverted("it has no manifest")
        return build(Weights(read_tensors(path, manifest)))

    return built


CONVERTERS: Final[Mapping[ConverterName, Converter]] = {
    "face-api-ages": Converter(1, _of_tensors(face_api.ages)),
    "face-api-expressions": Converter(1, _of_tensors(face_api.expressions)),
    "face-api-landmarks": Converter(1, _of_tensors(face_api.landmarks)),
    "face-api-recognition": Converter(1, _of_tensors(face_api.recognition)),
    "face-api-ssd": Converter(1, _of_tensors(face_api.ssd)),
    "face-api-tiny": Converter(1, _of_tensors(face_api.tiny)),
    "ge2e": Converter(1, _of_checkpoint(ge2e)),
    "inception-resnet-v1": Converter(1, _of_checkpoint(inception_resnet_v1)),
    "mtcnn-onet": Converter(1, _of_checkpoint(mtcnn.onet)),
    "mtcnn-pnet": Converter(1, _of_checkpoint(mtcnn.pnet)),
    "mtcnn-rnet": Converter(1, _of_checkpoint(mtcnn.rnet)),
    "pyannet": Converter(1, _of_checkpoint(pyannet)),
}


class Converted(NamedTuple):
    """The network made of a published file, and the converter that made it."""

    path: Path
    converter: ConverterName
    version: int


def convert(path: Path, name: ConverterName, manifest: Path | None = None) -> Converted:
    """Write the network of the file at `path` next to it. `manifest` describes its tensors.

    Raises WeightsMismatch if a file is malformed, or of another network.
    """
    converter = CONVERTERS[name]
    try:
        model = converter.build(path, manifest)
    except NotConverted as error:
        raise WeightsMismatch(f"{path.name} cannot be converted with {name}: {error}") from error
    target = path.parent / _FOLDER / f"{path.name}.onnx"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(model.SerializeToString(deterministic=True))
    return Converted(target, name, converter.version)
