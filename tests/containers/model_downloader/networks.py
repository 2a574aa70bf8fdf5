"""ONNX networks with any declared shape, true or not, built by the tests themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = list[int | str | None]


def network(taken: Shape, given: Shape | None = None) -> bytes:
    """A network that hands its input on, or declares an output of any shape it likes."""
    inputs = [helper.make_tensor_value_info("photo", TensorProto.FLOAT, taken)]
    node = helper.make_node("Identity", ["photo"], ["saliency"])
    if given is not None:
        # Of a shape that is an input itself, onnxruntime knows nothing and believes the output.
        inputs.append(helper.make_tensor_value_info("wish", TensorProto.INT64, ["axes"]))
        node = helper.make_node("Reshape", ["photo", "wish"], ["saliency"])
    output = helper.make_tensor_value_info("saliency", TensorProto.FLOAT, given or taken)
    graph = helper.make_graph([node], "same", inputs, [output])
    opset = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def answering(declared: Shape, shape: list[int], value: float = 0.5) -> bytes:
    """A network that answers anything with `value` in this shape, whatever it declares.

    The shape is reckoned from the picture, so that onnxruntime cannot know it beforehand.
    """
    wish = numpy_helper.from_array(np.array(shape, dtype=np.int64), "wish")
    filling = numpy_helper.from_array(np.array([value], dtype=np.float32))
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMin", ["photo"], ["least"], keepdims=0),
            helper.make_node("Sub", ["least", "least"], ["nought"]),
            helper.make_node("Cast", ["nought"], ["zero"], to=TensorProto.INT64),
            helper.make_node("Add", ["wish", "zero"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["saliency"], value=filling),
        ],
        "always the same",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("saliency", TensorProto.FLOAT, declared)],
        [wish],
    )
    opset = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "w.onnx"
    path.write_bytes(content)
    return path
