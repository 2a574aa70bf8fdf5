"""Small ONNX networks of Silero's contract, whose answers can be computed by hand."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Kind = Literal["loudness", "counting", "context"]

LOUD: Final = 10.0  # times the mean of the absolute samples is the probability of speech
SOON: Final = 100.0  # so many steps bring "counting" from 0 to 1

_CONTEXT: Final = 64
_ROW: Final = """
[[models]]
name = "{name}"
container = "audio-reader"
summary = "For tests: what is loud is speech."
engine = "silero"
licence = "MIT"
commercial = true
memory_mb = 512
silero = {{ onset = 0.5, offset = 0.35 }}

[[models.files]]
name = "{file}"
digest = "sha256:{digest}"
urls = ["file:{file}"]
"""


def stock_voice(folder: Path, kind: Kind = "loudness") -> Path:
    """Write a network.

    Speech is, for "loudness", what is loud; for "counting", as probable as many steps were heard;
    for "context", as probable as the oldest sample that the network sees. All need the rate.
    """
    nodes: dict[Kind, list[NodeProto]] = {
        "loudness": [
            helper.make_node("Slice", ["input", "context", "all", "axis"], ["step"]),
            helper.make_node("Abs", ["step"], ["loud"]),
            helper.make_node("ReduceMean", ["loud"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["mean", "gain"], ["answer"]),
        ],
        "counting": [
            helper.make_node("Slice", ["state", "zeros", "ones", "axes"], ["count"]),
            helper.make_node("Reshape", ["count", "shape"], ["counted"]),
            helper.make_node("Div", ["counted", "soon"], ["answer"]),
        ],
        "context": [helper.make_node("Slice", ["input", "zero", "one64", "axis"], ["answer"])],
    }
    rated = [
        helper.make_node("Cast", ["sr"], ["rate"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["rate", "right"], ["share"]),
        helper.make_node("Mul", ["answer", "share"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "nothing", "certain"], ["output"]),
        helper.make_node("Add", ["state", "certain"], ["stateN"]),
    ]
    graph = helper.make_graph(
        [*nodes[kind], *rated],
        kind,
        [
            helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, None]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [2, None, 128]),
            helper.make_tensor_value_info("sr", TensorProto.INT64, []),
        ],
        [
            helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 1]),
            helper.make_tensor_value_info("stateN", TensorProto.FLOAT, [None, None, None]),
        ],
        [_constant(name, value) for name, value in _constants().items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path = folder / f"{kind}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def voice_row(weights: Path, name: str) -> str:
    """Return a catalogue's row of a network in the catalogue's folder."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return _ROW.format(name=name, file=weights.name, digest=digest)


@functools.cache
def _constants() -> dict[str, npt.NDArray[Any]]:
    return {
        "context": np.array([_CONTEXT]), "all": np.array([2**31]), "axis": np.array([1]),
        "zero": np.array([0]), "one64": np.array([1]), "zeros": np.array([0, 0, 0]),
        "ones": np.array([1, 1, 1]), "axes": np.array([0, 1, 2]), "shape": np.array([1, 1]),
        "gain": np.array([[LOUD]], np.float32), "soon": np.array([[SOON]], np.float32),
        "right": np.array(16_000, np.float32), "nothing": np.array(0, np.float32),
        "certain": np.array(1, np.float32),
    }  # fmt: skip


def _constant(name: str, value: object) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)
