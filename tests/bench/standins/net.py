"""A few words to write a network down with: each layer knows the shape of what it returns."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17  # what the published networks were exported with

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Value:
    name: str
    shape: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Of a picture, N×C×H×W."""
        return self.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture."""
        return self.shape[2], self.shape[3]


@dataclass
class Net:
    """Collects nodes and constants. Parameters of one name are one: layers can be used twice.

    A parameter's values depend on its name alone, so a network is the same in every run.
    """

    inputs: list[Value] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def input(self, name: str, *shape: int) -> Value:
        self.inputs.append(Value(name, shape))
        return self.inputs[-1]

    def node(
        self, op: str, *inputs: Value | Array | None, shape: Sequence[int], **more: Any
    ) -> Value:
        names = ["" if one is None else self._named(one) for one in inputs]
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [output], name=output, **more))
        return Value(output, tuple(shape))

    def split(self, source: Value, parts: int, *, axis: int) -> list[Value]:
        shape = list(source.shape)
        shape[axis] //= parts
        names = [f"Split_{len(self.nodes)}_{index}" for index in range(parts)]
        self.nodes.append(helper.make_node("Split", [source.name], names, name=names[0], axis=axis))
        return [Value(name, tuple(shape)) for name in names]

    def parameter(self, name: str, *shape: int, spread: float = 1.0, centre: float = 0.0) -> Value:
        """Normally distributed numbers."""
        if name not in self.constants:
            dice = np.random.default_rng(zlib.crc32(name.encode()))
            values = dice.standard_normal(shape, dtype=np.float32) * np.float32(spread)
            self.constants[name] = numpy_helper.from_array(values + np.float32(centre), name)
        return Value(name, shape)

    def constant(self, name: str, values: Array) -> Value:
        """Named values, written down once."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(values, name)
        return Value(name, values.shape)

    def model(self, *outputs: Value) -> onnx.ModelProto:
        """The network, its outputs named `output0` and so on."""
        for index, output in enumerate(outputs):
            self.nodes.append(helper.make_node("Identity", [output.name], [f"output{index}"]))
        graph = helper.make_graph(
            self.nodes,
            "standin",
            [_declared(value.name, value.shape) for value in self.inputs],
            [_declared(f"output{index}", value.shape) for index, value in enumerate(outputs)],
        )
        for tensor in self.constants.values():
            graph.initializer.add().CopyFrom(tensor)
        self.constants.clear()
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)

    def _named(self, value: Value | Array) -> str:
        if isinstance(value, Value):
            return value.name
        content = value.tobytes() + str((value.dtype, value.shape)).encode()
        return self.constant(f"constant_{zlib.crc32(content):08x}_{value.size}", value).name


def parameters(model: onnx.ModelProto) -> int:
    """How many numbers a network has learnt, or would have."""
    floats = (t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT)
    fixed = ("fixed", "constant")
    return sum(math.prod(tensor.dims) for tensor in floats if not tensor.name.startswith(fixed))


def _declared(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
