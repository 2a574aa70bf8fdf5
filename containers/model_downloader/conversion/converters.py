"""Convert a published checkpoint to ONNX with the converter that its row names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import onnx

from containers.model_downloader.conversion.checkpoint import Checkpoint, open_checkpoint
from containers.model_downloader.conversion.ge2e import ge2e
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.pyannet import pyannet
from pipeline.declared.models import ConverterName
from pipeline.errors import WeightsMismatch

_FOLDER: Final = "converted"  # no file of a row is in it, whatever it is called


class Converter(NamedTuple):
    """Builds a network from a checkpoint. Raise `version` when its output changes."""

    version: int
    build: Callable[[Checkpoint], onnx.ModelProto]


CONVERTERS: Final[Mapping[ConverterName, Converter]] = {
    "ge2e": Converter(1, ge2e),
    "pyannet": Converter(1, pyannet),
}


class Converted(NamedTuple):
    """The network made of a checkpoint, and the converter that made it."""

    path: Path
    converter: ConverterName
    version: int


def convert(path: Path, name: ConverterName) -> Converted:
    """Write the checkpoint's network next to it.

    Raises WeightsMismatch if the file is malformed, or a checkpoint of another network.
    """
    converter = CONVERTERS[name]
    try:
        with open_checkpoint(path) as checkpoint:
            model = converter.build(checkpoint)
    except NotConverted as error:
        raise WeightsMismatch(f"{path.name} cannot be converted with {name}: {error}") from error
    target = path.parent / _FOLDER / f"{path.name}.onnx"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(model.SerializeToString(deterministic=True))
    return Converted(target, name, converter.version)
