"""An ONNX file, opened as it stands, and its failures by our names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline.errors import OutOfMemory, WeightsMismatch

if TYPE_CHECKING:
    import onnxruntime as ort

Shape = list[int | str | None]
Tensor = npt.NDArray[np.float32]

RGB_CHANNELS: Final = 3
GREY: Final = 128.0
_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


def open_quietly(path: Path) -> ort.InferenceSession:
    """Load an ONNX file in as little memory as onnxruntime can do with, and as it stands."""
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
    """Onnxruntime's exceptions share no base below Exception; only their text tells them apart."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"{path.name} does not fit in memory ({error!r})") from error
        raise WeightsMismatch(f"{path.name} {wrong}: {error}") from error


def fits(declared: Shape, expected: Sequence[int]) -> bool:
    """Whether every fixed axis is the expected one; a named axis takes any size."""
    return len(declared) == len(expected) and all(
        not isinstance(axis, int) or axis == size
        for axis, size in zip(declared, expected, strict=True)
    )
