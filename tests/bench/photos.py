"""What the benchmarks are run on: photos of a stated size, and networks that see a subject."""

from __future__ import annotations

import io

import numpy as np
import onnx
from onnx import helper, numpy_helper
from PIL import Image

from pipeline.cli.runs import sample_photos

_SIDE = 320


def jpeg(width: int, height: int) -> bytes:
    """A sample photo at this size, with the grain of a camera."""
    with Image.open(sample_photos()[0]) as sample:
        enlarged = sample.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 1))
    pixels = np.clip(np.asarray(enlarged) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def seeing_an_oval(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network answering with a soft-edged oval: random weights have no opinion."""
    graph, opinion = model.graph, model.graph.output[0].name
    rows, columns = np.mgrid[:_SIDE, :_SIDE] - _SIDE / 2
    oval = np.clip((0.27 * _SIDE - np.hypot(rows / 1.2, columns)) / 6 + 0.5, 0, 1)
    graph.initializer.append(numpy_helper.from_array(oval[None, None].astype(np.float32), "oval"))
    graph.initializer.append(numpy_helper.from_array(np.full(1, 1e-6, np.float32), "faint"))
    graph.node.append(helper.make_node("Mul", [opinion, "faint"], ["whisper"]))
    graph.node.append(helper.make_node("Add", ["whisper", "oval"], ["saliency"]))
    graph.output[0].name = "saliency"
    return model
