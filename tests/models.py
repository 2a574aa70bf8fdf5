"""Small ONNX models with the saliency family's true contract, built by the tests themselves.

Their answers can be computed by hand, so that a test can assert pixels exactly.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.declared.catalogue import Catalogue, load_catalogue
from tests.sam2_models import stock_sam2
from tests.sam_models import stock_sam

REMOVER: Final = "background-remover"
SHIPPED: Final = load_catalogue(Path(__file__).parents[1])
SALIENCY, SAM, SAM2 = (SHIPPED.engines[REMOVER][name] for name in ("saliency", "sam", "sam2"))
PLAIN: Final = {
    "input_size": 64, "scale": 255.0, "mean": (0, 0, 0), "std": (1, 1, 1), "activation": "none",
}  # fmt: skip
SIZE = 64
HOSTED = """
[[models]]
name = "hosted"
summary = "For tests."
engine = "bedrock"
licence = "MIT"
commercial = true
memory_mb = 512

[models.bedrock]
model_id = "us.test.remove-background-v1:0"
largest_side = 256
smallest_side = 64
widest = 2.5
"""
_OPSET = [helper.make_opsetid("", 17)]
_SIDE = 448  # of the slow matrices: 0.8 MB, too small for anybody to optimise


def brightness() -> onnx.ModelProto:
    """Saliency = mean of the three channels: white is subject, black is background."""
    nodes = [helper.make_node("ReduceMean", ["photo"], ["saliency"], axes=[1], keepdims=1)]
    return _model(nodes)


def hungry() -> onnx.ModelProto:
    """Asks for 256 TiB, more than any process can address, unless the picture is grey."""
    shape = numpy_helper.from_array(np.array([2**20, 2**26], dtype=np.int64), "huge")
    one = numpy_helper.from_array(np.array([1], dtype=np.int64), "one")
    nodes = [
        *_one_unless_grey("busy"),
        helper.make_node("Mul", ["huge", "busy"], ["wanted"]),
        helper.make_node("Max", ["wanted", "one"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["ocean"]),
        helper.make_node("ReduceMax", ["ocean"], ["drop"], keepdims=0),
        helper.make_node("ReduceMean", ["photo"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["mean", "drop"], ["saliency"]),
    ]
    return _model(nodes, [shape, one])


def slow(rounds: int = 20_000) -> onnx.ModelProto:
    """Brightness, after `rounds` matrix products (a few ms each) unless the picture is grey."""
    matrix = helper.make_tensor_value_info("m", TensorProto.FLOAT, [_SIDE, _SIDE])
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["m", "m"], ["product"]),
            helper.make_node("Clip", ["product", "zero", "zero"], ["next_m"]),
            helper.make_node("Identity", ["keep_going"], ["still_going"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("keep_going", TensorProto.BOOL, []),
            matrix,
        ],
        [
            helper.make_tensor_value_info("still_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_m", TensorProto.FLOAT, [_SIDE, _SIDE]),
        ],
        [numpy_helper.from_array(np.array(0, dtype=np.float32), "zero")],
    )
    constants = [
        numpy_helper.from_array(np.array(rounds, dtype=np.int64), "rounds"),
        numpy_helper.from_array(np.array(True), "go"),  # noqa: FBT003
        numpy_helper.from_array(np.zeros((_SIDE, _SIDE), dtype=np.float32), "start"),
    ]
    nodes = [
        *_one_unless_grey("busy"),
        helper.make_node("Mul", ["rounds", "busy"], ["needed"]),
        helper.make_node("Loop", ["needed", "go", "start"], ["end"], body=body),
        helper.make_node("ReduceMax", ["end"], ["nothing"], keepdims=0),
        helper.make_node("ReduceMean", ["photo"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["mean", "nothing"], ["saliency"]),
    ]
    return _model(nodes, constants)


def _one_unless_grey(name: str) -> list[onnx.NodeProto]:
    """The int64 number 0 for the picture that staging tries networks on, 1 for any other."""
    middle, small = (
        numpy_helper.from_array(np.array(value, dtype=np.float32)) for value in (0.5, 1e-3)
    )
    return [
        helper.make_node("Constant", [], [f"{name}_middle"], value=middle),
        helper.make_node("Constant", [], [f"{name}_small"], value=small),
        helper.make_node("Sub", ["photo", f"{name}_middle"], [f"{name}_difference"]),
        helper.make_node("Abs", [f"{name}_difference"], [f"{name}_distance"]),
        helper.make_node("ReduceMax", [f"{name}_distance"], [f"{name}_most"], keepdims=0),
        helper.make_node("Greater", [f"{name}_most", f"{name}_small"], [f"{name}_any"]),
        helper.make_node("Cast", [f"{name}_any"], [name], to=TensorProto.INT64),
    ]


def _model(
    nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto] | None = None
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "saliency",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("saliency", TensorProto.FLOAT, [1, 1, SIZE, SIZE])],
        constants or [],
    )
    return helper.make_model(graph, opset_imports=_OPSET, ir_version=8)


@dataclass(frozen=True)
class Shelf:
    """A mirror folder with model files, and a catalogue file that describes them."""

    folder: Path
    catalogue: Path

    @property
    def mirror(self) -> str:
        return str(self.folder)


def stock(folder: Path) -> Shelf:
    """Build every test model into `folder`, one row and one file each.

    `hungry-with-fallback` is `hungry` with `brightness` to fall back on; `buggy`, `endless`,
    `vanishing` and `tampered` are there for the execution tests to spoil; `research` is not for
    commercial use; `missing` has a row and no file; `pointer` and `pointer2` take prompts,
    `hosted` is Bedrock's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, model, extra in (
        ("brightness", brightness(), ""),
        ("matting", brightness(), 'output = "alpha"'),
        ("hungry", hungry(), ""),
        ("hungry-with-fallback", hungry(), 'fallback = "brightness"'),
        ("slow", slow(), ""),
        ("buggy", brightness(), ""),
        ("endless", slow(), ""),
        ("vanishing", brightness(), ""),
        ("tampered", brightness(), ""),
        ("research", brightness(), ""),
    ):
        content = model.SerializeToString(deterministic=True)
        (folder / f"{name}.onnx").write_bytes(content)
        rows.append(catalogue_row(name, hashlib.sha256(content).hexdigest(), extra=extra))
    rows[-1] = for_research(rows[-1])
    rows.append(catalogue_row("missing", hashlib.sha256(b"nobody has this").hexdigest()))
    rows += [stock_sam(folder), stock_sam2(folder), HOSTED]
    catalogue = folder / "models.toml"
    catalogue.write_text("\n".join(rows))
    return Shelf(folder, catalogue)


def only(*rows: str, folder: Path) -> Catalogue:
    """A catalogue of these rows alone, of the background remover; the first is its default."""
    own = SHIPPED.model_copy(update={"rows": (), "defaults": {}})
    made = own.with_rows(tomllib.loads("\n".join(rows))["models"], folder)
    return made.with_defaults([made.rows[0].name])


def catalogue_row(name: str, sha256: str, *, extra: str = "") -> str:
    """One TOML row: RGB divided by 255, nothing else done to it."""
    return f"""
[[models]]
name = "{name}"
summary = "For tests."
engine = "saliency"
licence = "MIT"
commercial = true
memory_mb = 512
{extra}

[models.saliency]
input_size = {SIZE}
scale = 255.0
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
activation = "none"

[[models.files]]
name = "{name}.onnx"
digest = "sha256:{sha256}"
"""


def for_research(row: str) -> str:
    """The same row under CC-BY-NC-4.0, a licence that rules out commercial use."""
    return row.replace('"MIT"\ncommercial = true', '"CC-BY-NC-4.0"\ncommercial = false')
