"""Run onnxruntime's load-time optimisation once, and save its result to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx
import onnxruntime as ort

_EXTERNAL_FROM_BYTES: Final = 1024


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write the graph to `path` and its weights to one file beside it."""
    onnx.save_model(
        model,
        path,
        save_as_external_data=True,
        location=f"{path.name}.data",
        size_threshold=_EXTERNAL_FROM_BYTES,
    )


def optimise_offline(source: Path, target: Path) -> None:
    """Fold, fuse and lay out for this CPU; write the weights to `<target>.data`, for mapping."""
    options = lean_options()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.optimized_model_filepath = str(target)
    for key, value in (
        ("session.optimized_model_external_initializers_file_name", data_file(target).name),
        ("session.optimized_model_external_initializers_min_size_in_bytes", "1024"),
        ("session.disable_prepacking", "1"),
    ):
        options.add_session_config_entry(key, value)
    ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def data_file(network: Path) -> Path:
    """Return the path of an optimised network's weights."""
    return network.with_name(f"{network.name}.data")


def lean_options() -> ort.SessionOptions:
    """Return options without the arena, and without keeping buffers for later tensors."""
    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.enable_mem_reuse = False
    options.log_severity_level = 3
    return options
