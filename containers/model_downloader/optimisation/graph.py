"""Represent an ONNX graph as frozen values, so that passes are pure functions on graphs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Array = npt.NDArray[Any]

_SMALL: Final = 64  # numbers; enough for any shape or bound


class NoMatch(Exception):
    """A node does not match a pass's pattern, so the pass leaves it unchanged."""


def require(condition: object, what: str) -> None:
    """Raise NoMatch unless `condition` holds."""
    if not condition:
        raise NoMatch(what)


@dataclass(frozen=True, eq=False)
class Node:
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, onnx.AttributeProto] = field(default_factory=dict)
    domain: str = ""
    name: str = ""

    @classmethod
    def make(cls, op: str, inputs: Iterable[str], output: str, **attributes: Any) -> Self:
        protos = {key: helper.make_attribute(key, value) for key, value in attributes.items()}
        return cls(op, tuple(inputs), (output,), protos, name=output)

    @classmethod
    def read(cls, proto: onnx.NodeProto) -> Self:
        attributes = {attribute.name: attribute for attribute in proto.attribute}
        outputs, inputs = tuple(proto.output), tuple(proto.input)
        domain = _domain(proto.domain)
        return cls(proto.op_type, inputs, outputs, attributes, domain, proto.name)

    def changed(self, *, inputs: Iterable[str], output: str, **attributes: Any) -> Self:
        """Return the node with other inputs, another output, and some other attributes."""
        protos = {key: helper.make_attribute(key, value) for key, value in attributes.items()}
        return replace(
            self, inputs=tuple(inputs), outputs=(output,), name=output,
            attributes={**self.attributes, **protos},
        )  # fmt: skip

    def write(self) -> onnx.NodeProto:
        proto = helper.make_node(
            self.op, self.inputs, self.outputs, name=self.name, domain=self.domain
        )
        proto.attribute.extend(self.attributes.values())
        return proto

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return the attribute as a Python value: text as str, several numbers as a list."""
        if name not in self.attributes:
            return default
        value = helper.get_attribute_value(self.attributes[name])
        if isinstance(value, bytes):
            return value.decode()
        return value if isinstance(value, (int, float, onnx.TensorProto)) else list(value)

    def input(self, index: int) -> str:
        """Return the name of an input; empty if the node does not have it."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def is_a(self, op: str) -> bool:
        """Return True if this is ONNX's own operator `op`."""
        return self.op == op and not self.domain

    @property
    def has_body(self) -> bool:
        """Return True for a loop or branch, which has a graph inside."""
        bodies = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
        return any(attribute.type in bodies for attribute in self.attributes.values())


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order; `constants` has initializers and values of Constant nodes."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, onnx.TensorProto]
    inputs: tuple[onnx.ValueInfoProto, ...]
    outputs: tuple[onnx.ValueInfoProto, ...]
    opsets: Mapping[str, int]
    ir_version: int

    @classmethod
    def read(cls, model: onnx.ModelProto) -> Graph:
        constants = {tensor.name: tensor for tensor in model.graph.initializer}
        nodes = []
        for proto in model.graph.node:
            node = Node.read(proto)
            if node.op == "Constant" and "value" in node.attributes:
                constants[node.outputs[0]] = node.attributes["value"].t
            else:
                nodes.append(node)
        inputs = tuple(value for value in model.graph.input if value.name not in constants)
        opsets = {_domain(entry.domain): entry.version for entry in model.opset_import}
        outputs = tuple(model.graph.output)
        return cls(tuple(nodes), constants, inputs, outputs, opsets, model.ir_version)

    def write(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            [node.write() for node in self.nodes], "network", self.inputs, self.outputs
        )
        for name, tensor in self.constants.items():
            initializer = graph.initializer.add()
            initializer.CopyFrom(tensor)
            initializer.name = name
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=self.ir_version)

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        return {name: node for node in self.nodes for name in node.outputs}

    @cached_property
    def uses(self) -> Counter[str]:
        """Count how often each value is read; an output of the graph counts as one."""
        read = Counter(name for node in self.nodes for name in node.inputs)
        return read + Counter(value.name for value in self.outputs)

    def maker(self, name: str, op: str) -> Node:
        """Return the node that makes `name`. Raises NoMatch unless its operator is `op`."""
        node = self.producers.get(name)
        if node is None or not node.is_a(op):
            raise NoMatch(f"{name} is not made by {op}")
        return node

    def only_use(self, name: str) -> None:
        """Raise NoMatch if `name` is read more than once."""
        if self.uses[name] != 1:
            raise NoMatch(f"{name} is also read elsewhere")

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return the index in `nodes` of the node that makes each value."""
        return {name: index for index, node in enumerate(self.nodes) for name in node.outputs}

    @cached_property
    def readers(self) -> Mapping[str, Sequence[Node]]:
        """Return the nodes that read each value, one for each time that they read it."""
        found: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                found[name].append(node)
        return found

    @cached_property
    def fixed(self) -> Mapping[str, Fixed]:
        """Return what is known of all values with a fixed shape."""
        return {**inferred(self), **{name: Fixed.of(each) for name, each in self.constants.items()}}

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a value. Raises NoMatch if it is not fixed."""
        if name not in self.fixed:
            raise NoMatch(f"the shape of {name} is not fixed")
        return self.fixed[name].shape

    def bytes(self, name: str) -> int:
        """Return the size of a value. Raises NoMatch if its shape is not fixed."""
        return math.prod(self.shape(name)) * self.fixed[name].numbers.itemsize

    def array(self, name: str) -> Array:
        """Return a constant's value. Raises NoMatch if it is not a constant."""
        if name not in self.constants:
            raise NoMatch(f"{name} is not a constant")
        return numpy_helper.to_array(self.constants[name])

    def first_outputs(self, count: int) -> Graph:
        """Return the graph of the first `count` outputs alone."""
        return replace(self, outputs=self.outputs[:count]).swept()

    def weights(self, name: str) -> Array:
        """Return a constant of float32, the only kind that passes do arithmetic with."""
        values = self.array(name)
        require(values.dtype == np.float32, f"{name} is not float32")
        return values

    def bias(self, conv: Node) -> Array:
        """Return the bias of a convolution, one number per output channel; zeros if it has none."""
        if conv.input(2):
            return self.weights(conv.input(2))
        return np.zeros(self.weights(conv.input(1)).shape[0], np.float32)

    def swept(self) -> Graph:
        """Return the graph without nodes and constants that no output needs."""
        needed = {value.name for value in self.outputs}
        kept = []
        for node in reversed(self.nodes):
            if node.has_body or needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        if any(node.has_body for node in kept):
            return self  # a body may read any value by name
        constants = {name: value for name, value in self.constants.items() if name in needed}
        return replace(self, nodes=tuple(reversed(kept)), constants=constants)


class Fixed(NamedTuple):
    """The shape of a value that is the same in every run, and the type of its numbers."""

    shape: tuple[int, ...]
    numbers: np.dtype[Any]

    @classmethod
    def of(cls, tensor: onnx.TensorProto) -> Self:
        return cls(tuple(tensor.dims), helper.tensor_dtype_to_np_dtype(tensor.data_type))


def inferred(graph: Graph) -> dict[str, Fixed]:
    """Infer shapes with onnx, with large constants replaced by inputs without values."""
    large = {name: value for name, value in graph.constants.items() if _size(value) > _SMALL}
    small = {name: value for name, value in graph.constants.items() if name not in large}
    stubs = [
        helper.make_tensor_value_info(name, value.data_type, value.dims)
        for name, value in large.items()
    ]
    skeleton = replace(graph, constants=small, inputs=(*graph.inputs, *stubs)).write()
    try:
        known = onnx.shape_inference.infer_shapes(skeleton, data_prop=True).graph
    except onnx.shape_inference.InferenceError:
        return {}  # onnx does not understand the graph; onnxruntime may
    values = [*known.value_info, *known.input, *known.output]
    declared = {value.name: value.type.tensor_type for value in values}
    return {
        name: Fixed(
            tuple(axis.dim_value for axis in each.shape.dim),
            helper.tensor_dtype_to_np_dtype(each.elem_type),
        )
        for name, each in declared.items()
        if each.elem_type
        and each.shape.dim
        and all(axis.HasField("dim_value") for axis in each.shape.dim)
    }


def _domain(name: str) -> str:
    """Return the domain as ONNX abbreviates it: its own has two names."""
    return "" if name == "ai.onnx" else name


def _size(tensor: onnx.TensorProto) -> int:
    return math.prod(tensor.dims)
