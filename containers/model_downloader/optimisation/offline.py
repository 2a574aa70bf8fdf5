"""What onnxruntime does to a graph when it loads it, done once and kept in a file."""

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
    """Fold, fuse and lay out for this CPU; the weights go to `<target>.data`, to be mapped."""
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
    """Where the weights of an optimised network are."""
    return network.with_name(f"{network.name}.data")


def lean_options() -> ort.SessionOptions:
    """Without the arena, and without keeping a buffer alive for a later tensor of its size."""
    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.enable_mem_reuse = False
    options.log_severity_level = 3
    return options
