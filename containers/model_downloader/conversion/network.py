"""Build an ONNX network of the layers that converted networks share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from containers.model_downloader.conversion.checkpoint import Array
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.weights import Weight, Weights

_OPSET: Final = 17
_IR_VERSION: Final = 8
# PyTorch has the gates input, forget, cell and output; ONNX has input, output, forget and cell.
_GATES: Final = (0, 3, 1, 2)
_SLOPE: Final = 0.01  # PyTorch's of a leaky ReLU
_DIRECTIONS: Final = {1: "forward", 2: "bidirectional"}

Numbers = npt.NDArray[np.floating[Any]]
Shape = Sequence[int | str]
Value = tuple[str, Shape]  # an input or output of a network: its name and shape


class Recurrent(NamedTuple):
    """An LSTM's outputs: all states, time × batch × (directions × hidden), and the last ones.

    The last states are directions × batch × hidden.
    """

    states: str
    last: str
    width: int


@dataclass
class Network:
    """Collects nodes and weights in order. Names of values are those of the nodes' outputs."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, op: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:  # noqa: ANN401 - of the operator
        self.nodes.append(helper.make_node(op, [*inputs], [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: Array | Sequence[int]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def numbers(self, name: str, values: Numbers) -> str:
        """Add computed numbers as float32. Raises NotConverted if one is too large, or none."""
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.ascontiguousarray(values, np.float32)
        if not np.isfinite(rounded).all():
            raise NotConverted(f"its {name} has numbers that are not finite")
        return self.constant(name, rounded)

    def linear(self, source: str, weights: Weights, name: str, *, width: int) -> str:
        """Multiply the last axis, of `width`, by the layer's weights and add its bias."""
        weight = weights.take(f"{name}.weight", None, width)
        bias = weights.take(f"{name}.bias", len(weight))
        product = self.node(
            "MatMul", [source, self.constant(f"{name}.weight", weight.T)], f"{name}/product"
        )
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)], name)

    def leaky(self, source: str) -> str:
        return self.node("LeakyRelu", [source], f"{source}/leaky", alpha=_SLOPE)

    def lstm(self, source: str, weights: Weights, *, layer: int, width: int) -> Recurrent:
        """Run layer `layer` of the LSTM called `lstm` over time × batch × `width`.

        It is bidirectional if it has weights of the reverse direction.
        """
        reverse = f"lstm.weight_ih_l{layer}_reverse" in weights
        ends = [f"_l{layer}", *([f"_l{layer}_reverse"] if reverse else [])]
        hidden = weights.take(f"lstm.weight_hh{ends[0]}", None, None).shape[1]
        shapes = {"weight_ih": (width,), "weight_hh": (hidden,), "bias_ih": (), "bias_hh": ()}
        taken = {
            what: np.stack(
                [_gates(weights.take(f"lstm.{what}{end}", 4 * hidden, *more)) for end in ends]
            )
            for what, more in shapes.items()
        }
        name = f"lstm.{layer}"
        inputs = [
            source,
            self.constant(f"{name}.w", taken["weight_ih"]),
            self.constant(f"{name}.r", taken["weight_hh"]),
            self.constant(f"{name}.b", np.concatenate([taken["bias_ih"], taken["bias_hh"]], 1)),
        ]
        outputs = [f"{name}/each", f"{name}/last"]
        self.nodes.append(
            helper.make_node(
                "LSTM", inputs, outputs, name=name, hidden_size=hidden,
                direction=_DIRECTIONS[len(ends)],
            )
        )  # fmt: skip
        # Time × directions × batch × hidden, to time × batch × (directions × hidden).
        order = self.node("Transpose", [outputs[0]], f"{name}/order", perm=[0, 2, 1, 3])
        flat = self.constant(f"{name}.flat", np.array([0, 0, -1], np.int64))
        states = self.node("Reshape", [order, flat], f"{name}/states")
        return Recurrent(states, outputs[1], hidden * len(ends))

    def model(self, taken: Value, *given: Value) -> onnx.ModelProto:
        """Return the network with this input and these outputs, checked."""
        inputs, outputs = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
            for ends in ([taken], given)
        )
        graph = helper.make_graph(self.nodes, "converted", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return model


def _gates(weight: Weight) -> Weight:
    """Put the four gates of the first axis into ONNX's order."""
    gates = np.split(weight, 4)
    return np.concatenate([gates[place] for place in _GATES])
