"""Is this file the network the catalogue describes? Asked before anybody can load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import OutOfMemory, WeightsMismatch
from pipeline.specs import SaliencySpec

if TYPE_CHECKING:
    import onnxruntime as ort

Shape = list[int | str | None]

_RGB_CHANNELS: Final = 3
_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


def require_declared_network(path: Path, spec: SaliencySpec) -> None:
    """Load the ONNX file and compare input and output 0 with the row; nothing is inferred.

    WeightsMismatch if they differ, OutOfMemory if the file does not fit.
    """
    session = open_network(path)
    taken, given = session.get_inputs()[0].shape, session.get_outputs()[0].shape
    expected = [1, _RGB_CHANNELS, spec.input_size, spec.input_size]
    if not compatible(taken, expected):
        raise WeightsMismatch(f"{path.name} takes {taken}, its row says {expected}")
    if not _is_map(given, spec.input_size):
        side = f"{spec.input_size}×{spec.input_size}"
        raise WeightsMismatch(f"{path.name} gives {given}, its row wants one map of {side}")


def open_network(path: Path) -> ort.InferenceSession:
    """Load an ONNX file as it is; WeightsMismatch if it is none, OutOfMemory if it does not fit."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    with _named_failures(path):
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@contextmanager
def _named_failures(path: Path) -> Iterator[None]:
    """Onnxruntime's exceptions share no base below Exception; only their text tells them apart."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"{path.name} does not fit in memory ({error!r})") from error
        raise WeightsMismatch(f"{path.name} is not a loadable ONNX model: {error}") from error


def _is_map(declared: Shape, side: int) -> bool:
    """Whether the last two axes are a `side`² map; an undeclared shape may be one."""
    return not declared or compatible(declared[-2:], [side, side])


def compatible(declared: Shape, expected: Sequence[int]) -> bool:
    """Whether every fixed axis is the expected one; a named axis takes any size."""
    return len(declared) == len(expected) and all(
        not isinstance(axis, int) or axis == size
        for axis, size in zip(declared, expected, strict=True)
    )
