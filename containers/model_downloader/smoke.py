"""Is this file the network the catalogue describes? Asked before anybody can load it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.errors import WeightsMismatch
from pipeline.manifest import SaliencySpec

_RGB_CHANNELS: Final = 3


def require_declared_network(path: Path, spec: SaliencySpec) -> None:
    """Load the ONNX file and compare its input with the row; WeightsMismatch if they differ."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    try:
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions share no base below Exception.
        raise WeightsMismatch(f"{path.name} is not a loadable ONNX model: {error}") from error
    declared = session.get_inputs()[0].shape
    expected = [1, _RGB_CHANNELS, spec.input_size, spec.input_size]
    if not _compatible(declared, expected):
        raise WeightsMismatch(f"{path.name} takes {declared}, its row says {expected}")


def _compatible(declared: list[int | str | None], expected: list[int]) -> bool:
    """Whether every fixed axis is the expected one; a named axis takes any size."""
    return len(declared) == len(expected) and all(
        not isinstance(axis, int) or axis == size
        for axis, size in zip(declared, expected, strict=True)
    )
