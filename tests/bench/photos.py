"""What the benchmarks are run on: photos of a stated size, and a network that sees a subject."""

from __future__ import annotations

import io

import numpy as np
import onnx
from onnx import helper, numpy_helper
from PIL import Image

from pipeline.local.samples import sample_photos

_SIDE, _CHANNELS = 320, 64
# Before and after the picture is halved: about the arithmetic and the memory of u2netp.
_WIDE_LAYERS, _HALVED_LAYERS = 3, 12


def jpeg(width: int, height: int) -> bytes:
    """A sample photo at this size, with the grain of a camera."""
    with Image.open(sample_photos()[0]) as sample:
        enlarged = sample.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 1))
    pixels = np.clip(np.asarray(enlarged) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def network() -> onnx.ModelProto:
    """A stack of convolutions from a 320² photo to a map of that size; random weights."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def convolve(source: str, inputs: int, outputs: int, *, stride: int = 1) -> str:
        name, spread = f"layer{len(nodes)}", np.sqrt(2 / (9 * inputs))
        kernel = np.random.default_rng(len(nodes)).normal(0, spread, (outputs, inputs, 3, 3))
        constants.append(numpy_helper.from_array(kernel.astype(np.float32), f"{name}.kernel"))
        weighted = [source, f"{name}.kernel"]
        nodes.append(
            helper.make_node("Conv", weighted, [f"{name}.sum"], pads=[1] * 4, strides=[stride] * 2)
        )
        nodes.append(helper.make_node("Relu", [f"{name}.sum"], [name]))
        return name

    wide = last = convolve("photo", 3, _CHANNELS)
    for _ in range(_WIDE_LAYERS):
        last = convolve(last, _CHANNELS, _CHANNELS)
    for layer in range(_HALVED_LAYERS):
        last = convolve(last, _CHANNELS, _CHANNELS, stride=2 if layer == 0 else 1)
    constants.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
    nodes.append(helper.make_node("Resize", [last, "", "twice"], ["grown"], mode="linear"))
    nodes.append(helper.make_node("Concat", ["grown", wide], ["both"], axis=1))
    opinion = convolve("both", 2 * _CHANNELS, 1)
    shape = [1, 3, _SIDE, _SIDE]
    graph = helper.make_graph(
        nodes,
        "stack",
        [helper.make_tensor_value_info("photo", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(opinion, onnx.TensorProto.FLOAT, [1, 1, *shape[2:]])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


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
