"""Small networks with the inputs and outputs of face-api's, to which a face is a coloured square.

`python -m tests.face_models` writes those that the image's self-test runs, and its photo.

A square is found if it is brighter than what is around it, and if its sides are those of a window:
for SSD an eighth or a quarter of the network's side, wherever it lies on a grid of half of that;
for the tiny detector exactly one cell. Landmarks are a fixed pattern around the middle of the
light. Red faces are happy men, green ones neutral, blue ones sad women; brighter ones are older.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from containers.face_analyzer.pose import HEAD, USED

Engine = Literal["ssd", "tiny-yolo"]
Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

SIDE: Final = 128
WINDOWS: Final = (16, 32)  # pixels of the network's input: sides of faces
CELL: Final = 32  # of the tiny detector
RED: Final = (255, 0, 0)
BLUE: Final = (0, 0, 255)
FILES: Final = ("detection.onnx", "landmarks.onnx", "expressions.onnx", "ages.onnx")
NAME: Final = "squares"
OVERLAP: Final = 0.4

_SQUARES: Final = Path(__file__).parents[1] / "containers" / "face_analyzer"
_CROP: Final = 112
_ANCHOR: Final = 1.603231  # cells: the width of the tiny detector's first
_ANCHOR_TALL: Final = 2.094468


def photo(*squares: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> Pixels:
    """Return a black photo of a size (width, height) with red squares (left, top, side)."""
    return painted(*((*square, RED) for square in squares), size=size)


def painted(
    *squares: tuple[int, int, int, tuple[int, int, int]], size: tuple[int, int] = (320, 240)
) -> Pixels:
    """Return a black photo with squares (left, top, side, colour)."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, side, colour in squares:
        pixels[max(top, 0) : top + side, max(left, 0) : left + side] = colour
    return pixels


def ssd(side: int = SIDE) -> onnx.ModelProto:
    """Return a network from pixels, 1×3×side×side, to boxes, 1×n×4, and scores, 1×n."""
    nodes = [helper.make_node("ReduceMax", ["pixels"], ["light"], axes=[1], keepdims=1)]
    constants: dict[str, Array] = {"minus_one": np.array([1, -1], np.int64)}
    places = []
    for window in WINDOWS:
        constants[f"kernel{window}"] = _centre_less_surround(window)
        nodes += [
            helper.make_node(
                "Conv", ["light", f"kernel{window}"], [f"match{window}"],
                strides=[window // 2] * 2, pads=[window] * 4,
            ),
            helper.make_node("Reshape", [f"match{window}", "minus_one"], [f"flat{window}"]),
        ]  # fmt: skip
        starts = np.arange(0, side - window + 1, window // 2) / side
        top, left = (each.ravel() for each in np.meshgrid(starts, starts, indexing="ij"))
        share = window / side
        places.append(np.stack([top, left, top + share, left + share], axis=1))
    constants["places"] = np.concatenate(places)[None].astype(np.float32)
    nodes += [
        helper.make_node("Concat", [f"flat{window}" for window in WINDOWS], ["matches"], axis=1),
        helper.make_node("Mul", ["matches", "two"], ["doubled"]),
        helper.make_node("Sub", ["doubled", "one"], ["above"]),
        helper.make_node("Clip", ["above", "zero", "one"], ["scores"]),
        helper.make_node("Identity", ["places"], ["boxes"]),
    ]
    constants |= {
        name: np.array(value, np.float32) for value, name in enumerate(("zero", "one", "two"))
    }
    count = boxes_of(side)
    outputs: dict[str, list[int | str]] = {"boxes": [1, count, 4], "scores": [1, count]}
    return _model(nodes, constants, [1, 3, side, side], outputs)


def boxes_of(side: int) -> int:
    """Return how many boxes the network `ssd` returns."""
    return sum(((side - window) // (window // 2) + 1) ** 2 for window in WINDOWS)


def tiny() -> onnx.ModelProto:
    """Return a network from pixels, 1×3×h×w, to a grid, 1×25×(h/32)×(w/32)."""
    never = np.full((1, 25, 1, 1), -20, np.float32)
    never[0, :4, 0, 0] = 0, 0, -np.log(_ANCHOR), -np.log(_ANCHOR_TALL)
    never[0, 4, 0, 0] = -5
    gain = np.zeros((25, 1, 1, 1), np.float32)
    gain[4] = 10  # so a perfect match has the logit 5
    constants: dict[str, Array] = {
        "kernel": _centre_less_surround(CELL),
        "gain": gain,
        "never": never,
    }
    nodes = [
        helper.make_node("ReduceMax", ["pixels"], ["light"], axes=[1], keepdims=1),
        helper.make_node(
            "Conv", ["light", "kernel"], ["match"], strides=[CELL] * 2, pads=[CELL] * 4
        ),
        helper.make_node("Conv", ["match", "gain"], ["scores"]),
        helper.make_node("Add", ["scores", "never"], ["grid"]),
    ]
    return _model(nodes, constants, [1, 3, "h", "w"], {"grid": [1, 25, "rows", "columns"]})


def landmarks() -> onnx.ModelProto:
    """Return a network from crops, n×3×112×112, to 68 points around the middle of the light."""
    places = ((np.arange(_CROP) + 0.5) / _CROP).astype(np.float32)
    constants: dict[str, Array] = {
        "across": places[None, None],
        "down": places[None, :, None],
        "pattern": (pattern() - 0.5).astype(np.float32)[None],
        "least": np.array(1e-3, np.float32),
        "flat": np.array([-1, 136], np.int64),
    }
    nodes = [
        helper.make_node("ReduceMax", ["pixels"], ["light"], axes=[1], keepdims=0),
        helper.make_node("ReduceSum", ["light", "axes"], ["sum"], keepdims=1),
        helper.make_node("Add", ["sum", "least"], ["all"]),
    ]
    constants["axes"] = np.array([1, 2], np.int64)
    for name in ("across", "down"):
        nodes += [
            helper.make_node("Mul", ["light", name], [f"{name}_light"]),
            helper.make_node("ReduceSum", [f"{name}_light", "axes"], [f"{name}_sum"], keepdims=1),
            helper.make_node("Div", [f"{name}_sum", "all"], [f"{name}_middle"]),
        ]
    nodes += [
        helper.make_node("Concat", ["across_middle", "down_middle"], ["middle"], axis=2),
        helper.make_node("Add", ["middle", "pattern"], ["each"]),
        helper.make_node("Reshape", ["each", "flat"], ["points"]),
    ]
    return _model(nodes, constants, ["n", 3, _CROP, _CROP], {"points": ["n", 136]})


def pattern() -> Array:
    """Return where the landmarks lie in a face that fills its crop, 68×2, of 1.

    Those that give the pose are of a head that looks into the camera; the others form a ring.
    """
    turns = 2 * np.pi * np.arange(68) / 68
    points = 0.5 + 0.3 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for landmark, (x, y, _) in zip(USED, HEAD, strict=True):
        points[landmark] = 0.5 + x / 20, 0.6 + y / 20
    return points


def expressions() -> onnx.ModelProto:
    """Return a network from crops to probabilities, n×7."""
    weights = np.zeros((3, 7), np.float32)
    weights[0, 1] = weights[1, 0] = weights[2, 2] = 8 / 255
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shape: list[int | str] = ["n", 3, _CROP, _CROP]
    return _model(nodes, {"weights": weights}, shape, {"probabilities": ["n", 7]})


def ages() -> onnx.ModelProto:
    """Return a network from crops to ages in years, n×1, and male and female, n×2."""
    weights = np.zeros((3, 2), np.float32)
    weights[0, 0] = weights[2, 1] = 8 / 255
    years = np.full((3, 1), 80 / 255, np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "years"], ["age"]),
        helper.make_node("MatMul", ["colour", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["gender"], axis=1),
    ]
    constants: dict[str, Array] = {"weights": weights, "years": years}
    outputs: dict[str, list[int | str]] = {"age": ["n", 1], "gender": ["n", 2]}
    return _model(nodes, constants, ["n", 3, _CROP, _CROP], outputs)


def stock_faces(folder: Path, name: str = NAME, engine: Engine = "ssd") -> str:
    """Build the four networks into `folder`; return the TOML row of a model called `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    detection = ssd() if engine == "ssd" else tiny()
    networks = (detection, landmarks(), expressions(), ages())
    contents = {
        f"{name}.{file}": network.SerializeToString()
        for file, network in zip(FILES, networks, strict=True)
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return faces_row(name, engine, contents.items())


def faces_row(name: str, engine: Engine, files: Iterable[tuple[str, bytes]]) -> str:
    """Return the TOML row of networks that are these files."""
    lines = [
        "[[models]]", f'name = "{name}"', 'container = "face-analyzer"',
        'summary = "For tests: a face is a square."', f'engine = "{engine}"', 'licence = "MIT"',
        "commercial = true", "memory_mb = 512", f"[models.{engine}]", f"side = {SIDE}",
        f"overlap = {OVERLAP}",
    ]  # fmt: skip
    lines += [f"boxes = {boxes_of(SIDE)}"] if engine == "ssd" else []
    for file, content in files:
        digest = hashlib.sha256(content).hexdigest()
        lines += ["[[models.files]]", f'name = "{file}"', f'digest = "sha256:{digest}"']
        lines += [f'urls = ["file:{file}"]']
    return "\n".join(lines) + "\n"


def self_test_files() -> Mapping[str, bytes]:
    """Return what the image's self-test needs, by path below the container's folder."""
    buffer = io.BytesIO()
    Image.fromarray(painted((40, 80, 40, RED), (160, 80, 80, BLUE))).save(buffer, "PNG")
    networks = (ssd(), landmarks(), expressions(), ages())
    contents = {
        f"{NAME}.{file}": network.SerializeToString()
        for file, network in zip(FILES, networks, strict=True)
    }
    row = faces_row(NAME, "ssd", contents.items()).encode()
    inside = {f"squares/{file}": content for file, content in contents.items()}
    return {**inside, "squares/catalogue.toml": row, "golden/photo.png": buffer.getvalue()}


def _centre_less_surround(window: int) -> Array:
    """Return a filter: the mean of a window less that of what is around it, as far as it is wide.

    The window at the photo's corner begins with the first pixel, so the filter needs `window`
    pixels of padding.
    """
    kernel = np.full((3 * window, 3 * window), -1 / (8 * window**2), np.float32)
    kernel[window : 2 * window, window : 2 * window] = 1 / window**2
    return (kernel / 255)[None, None]


def _model(
    nodes: list[onnx.NodeProto],
    constants: Mapping[str, Array],
    source: list[int | str],
    targets: Mapping[str, list[int | str]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, source)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in targets.items()
        ],
        [numpy_helper.from_array(each, name) for name, each in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    for path, content in self_test_files().items():
        (_SQUARES / path).write_bytes(content)
    sys.exit()
