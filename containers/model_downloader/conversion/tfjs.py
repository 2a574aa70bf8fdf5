"""Read the tensors of TensorFlow.js: a manifest in JSON, and the file of numbers that it describes.

The file has one tensor after the other, in the manifest's order. Most tensors are quantised: the
file then has each number as a count of steps above a least value. Nothing is executed.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from containers.model_downloader.conversion.checkpoint import Array
from containers.model_downloader.conversion.pickled import NotConverted

MOST_MANIFEST: Final = 2**20  # bytes
MOST_TENSORS: Final = 1_000
MOST_NUMBERS: Final = 2**26  # of all tensors
_MOST_AXES: Final = 8
_STORED: Final = {"float32": "<f4", "int32": "<i4", "uint8": "<u1", "uint16": "<u2"}
_SHOWN: Final = 200  # characters of what a manifest says

Size = Annotated[int, Field(ge=1, le=MOST_NUMBERS)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Quantisation(_Described):
    """A number is `min` + `scale` × its count."""

    dtype: Literal["uint8", "uint16"]
    scale: Finite
    min: Finite


class _Tensor(_Described):
    name: str = Field(min_length=1, max_length=_SHOWN)
    shape: list[Size] = Field(max_length=_MOST_AXES)
    dtype: Literal["float32", "int32"]
    quantization: _Quantisation | None = None

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)

    @property
    def stored(self) -> np.dtype[Any]:
        """The type of the numbers in the file."""
        return np.dtype(_STORED[self.quantization.dtype if self.quantization else self.dtype])


class _Group(_Described):
    """The tensors of one file, which `paths` names: that is the file at hand, whatever its name."""

    weights: list[_Tensor] = Field(min_length=1, max_length=MOST_TENSORS)
    paths: list[str] = Field(min_length=1, max_length=1)


_MANIFEST: Final = TypeAdapter(Annotated[list[_Group], Field(min_length=1, max_length=1)])


def read_tensors(path: Path, manifest: Path) -> dict[str, Array]:
    """Return the tensors of the file at `path`, by name, as its manifest describes them.

    Quantised numbers become float32, as TensorFlow.js computes them. Tensors of int32 are left out:
    they are sizes of the graph that the file was made of, not weights.

    Raises NotConverted for a manifest beyond the limits above, or a file of another size.
    """
    described = _described(manifest)
    size = sum(each.numbers * each.stored.itemsize for each in described)
    content = path.read_bytes() if path.stat().st_size == size else None
    if content is None:
        raise NotConverted(f"it has {path.stat().st_size:,} bytes; its manifest describes {size:,}")
    tensors, offset = {}, 0
    for each in described:
        stored = np.frombuffer(content, each.stored, each.numbers, offset).reshape(each.shape)
        if each.dtype == "float32":
            tensors[each.name] = _numbers(stored, each.quantization)
        offset += stored.nbytes
    return tensors


def _described(manifest: Path) -> list[_Tensor]:
    size = manifest.stat().st_size
    if size > MOST_MANIFEST:
        raise NotConverted(f"its manifest has {size:,} bytes; {MOST_MANIFEST:,} may be")
    try:
        (group,) = _MANIFEST.validate_json(manifest.read_bytes())
    except ValidationError as error:
        raise NotConverted(f"its manifest is malformed: {_first(error)}") from error
    if sum(each.numbers for each in group.weights) > MOST_NUMBERS:
        raise NotConverted(f"its tensors have more than {MOST_NUMBERS:,} numbers")
    if len({each.name for each in group.weights}) < len(group.weights):
        raise NotConverted("its manifest describes two tensors of one name")
    return group.weights


def _first(error: ValidationError) -> str:
    """Return where the first fault is, and what is wrong there, without what the file says."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))} {fault['msg']}"[:_SHOWN]


def _numbers(stored: Array, steps: _Quantisation | None) -> Array:
    if steps is None:
        return stored
    # In double precision, and then rounded, as TensorFlow.js does it. The counts cannot stay: the
    # count that means 0 is often no whole number, so no quantised operator of ONNX has the values.
    with np.errstate(over="ignore", invalid="ignore"):
        return (stored * steps.scale + steps.min).astype(np.float32)
