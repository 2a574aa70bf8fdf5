"""Open an ONNX file without optimising it, and raise its failures as named errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.declared.engines import ANY_AXES
from pipeline.errors import OutOfMemory, WeightsMismatch
from pipeline.weights.onnx_session import is_allocation_failure

if TYPE_CHECKING:
    import onnxruntime as ort

Shape = Sequence[int | str | None]
Sizes = dict[str, int]
Array = npt.NDArray[Any]
Tensor = npt.NDArray[np.float32]

RGB_CHANNELS: Final = 3


def open_quietly(path: Path) -> ort.InferenceSession:
    """Load an ONNX file unoptimised, with as little memory as onnxruntime allows."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    options.enable_mem_reuse = False
    options.log_severity_level = 4
    with named_failures(path, "is not a loadable ONNX model"):
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@contextmanager
def named_failures(path: Path, wrong: str) -> Iterator[None]:
    """Raise WeightsMismatch or OutOfMemory for any failure of onnxruntime.

    Its exceptions have only Exception as a common base; their text distinguishes them.
    """
    try:
        yield
    except Exception as error:
        if is_allocation_failure(error):
            raise OutOfMemory(f"{path.name} does not fit in memory ({error!r})") from error
        raise WeightsMismatch(f"{path.name} {wrong}: {error}") from error


def fits(actual: Shape, wanted: Sequence[int | str], sizes: Sizes) -> bool:
    """Return True if every axis of `actual` with a size has the wanted size.

    `wanted` is as an engine declares it. `sizes` holds the sizes of its named axes and gets new
    ones.
    """
    if wanted and wanted[0] == ANY_AXES:
        wanted = wanted[1:]
        actual = actual[max(0, len(actual) - len(wanted)) :]
    return len(actual) == len(wanted) and all(
        not isinstance(axis, int) or axis == _size(expected, axis, sizes)
        for axis, expected in zip(actual, wanted, strict=True)
    )


def _size(expected: int | str, axis: int, sizes: Sizes) -> int:
    return expected if isinstance(expected, int) else sizes.setdefault(expected, axis)
