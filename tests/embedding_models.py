"""Small networks that find red squares as MTCNN finds faces, and photos with such faces.

A face is a red square, on anything without red. How red its reddest pixel is, is its score. An
orange part tells two faces apart. The embedding networks average a face in 5 × 5 parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.contracts.faces import FacesDocument

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]
Shape = list[int | str]
Align = Literal["box", "points", "landmarks"]

SIDES: Final[dict[Align, int]] = {"box": 160, "points": 112, "landmarks": 150}
PARTS: Final = 5
DIMENSION: Final = 3 * PARTS**2
GREY: Final = 90
# Eyes, nose and corners of the mouth in a face, as shares of its side.
FIVE: Final = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))
MTCNN: Final = ("pnet", "rnet", "onet")

_RED: Final = np.array([1, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1) / 255
_STEEP: Final = 1e4
_CELL: Final = 12
_LEAST, _MOST = 0.36, 0.78  # share of what a network sees that is red, if it is a face


@dataclass(frozen=True)
class Square:
    """A face: where it begins, its side in pixels, how red it is, and the part that is orange."""

    left: int
    top: int
    side: int
    score: float = 1.0
    mark: int = 0  # 0…24, from the top left


def draw(width: int, height: int, *squares: Square) -> Pixels:
    """Return a grey photo with faces."""
    photo = np.full((height, width, 3), GREY, np.uint8)
    for each in squares:
        face = photo[each.top : each.top + each.side, each.left : each.left + each.side]
        face[:] = round(255 * each.score), 0, 0
        part = each.side // PARTS
        down, across = divmod(each.mark, PARTS)
        orange = face[down * part : (down + 1) * part, across * part : (across + 1) * part]
        orange[..., 1] = round(80 * each.score)
    return photo


class _Graph:
    """Collects the nodes and constants of a network that looks at red."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Array | float) -> str:
        name = f"constant{len(self.constants)}"
        whole = np.asarray(value)
        typed = whole if whole.dtype == np.int64 else whole.astype(np.float32)
        self.constants.append(numpy_helper.from_array(typed, name))
        return name

    def node(self, kind: str, *sources: str, target: str = "", **attributes: Any) -> str:
        target = target or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(sources), [target], **attributes))
        return target

    def less(self, one: str, other: str | float) -> str:
        return self.node("Sub", one, other if isinstance(other, str) else self.constant(other))

    def times(self, *factors: str, target: str = "") -> str:
        product, *rest = factors
        for place, factor in enumerate(rest, start=1):
            product = self.node("Mul", product, factor, target=target if place == len(rest) else "")
        return product

    def clipped(self, value: str) -> str:
        return self.node("Clip", value, self.constant(0.0), self.constant(1.0))

    def above(self, value: str, least: float) -> str:
        """1 where a value is above `least`, 0 where it is below."""
        return self.clipped(self.times(self.less(value, least), self.constant(_STEEP)))

    def below(self, value: str, most: float) -> str:
        return self.clipped(self.times(self.less(value, most), self.constant(-_STEEP)))

    def red(self) -> str:
        return self.clipped(self.node("Conv", "pixels", self.constant(_RED)))

    def model(self, source: Shape, **targets: Shape) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "faces",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, source)],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in targets.items()
            ],
            self.constants,
        )
        opset = helper.make_opsetid("", 17)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
        onnx.checker.check_model(model)
        return model


def pnet() -> onnx.ModelProto:
    """Return the network that looks for faces that fill most of 12 × 12 pixels."""
    net = _Graph()
    red = net.red()
    steps = (np.arange(_CELL) + 0.5) / _CELL - 0.5
    mean = np.full((_CELL, _CELL), 1 / _CELL**2)
    kernel = np.stack([mean, mean * steps, mean * steps[:, None]])[:, None]
    window: dict[str, Any] = {"kernel_shape": [_CELL] * 2, "strides": [2, 2], "pads": [0, 0, 1, 1]}
    sums = net.node("Conv", red, net.constant(kernel), **window)
    net.nodes.append(helper.make_node("Split", [sums], ["mass", "across", "down"], axis=1))
    peak = net.node("Add", net.node("MaxPool", red, **window), net.constant(1e-6))
    share = net.node("Div", "mass", peak)
    some = net.node("Add", "mass", net.constant(1e-6))
    moves = [net.node("Div", moment, some) for moment in ("across", "down")]
    beside = net.node("Add", *(net.node("Abs", move) for move in moves))
    centred = net.clipped(net.node("Sub", net.constant(1.0), net.times(beside, net.constant(2.0))))
    limits = net.above(share, _LEAST), net.below(share, _MOST), net.above(peak, 0.3)
    score = net.times(centred, *limits)
    net.node("Squeeze", score, net.constant(np.array([1])), target="scores")
    # A proposed box lacks the first row and column of what the network sees.
    high = [net.times(move, net.constant(_CELL / (_CELL - 1))) for move in moves]
    low = [net.less(move, 1 / (_CELL - 1)) for move in high]
    net.node("Concat", *low, *high, target="offsets", axis=1)
    return net.model(
        ["n", 3, "h", "w"], offsets=["n", 4, "rows", "columns"], scores=["n", "rows", "columns"]
    )


def rnet() -> onnx.ModelProto:
    """Return the network that keeps what is a red square in the middle of 24 × 24 pixels."""
    net = _Graph()
    _, _, _, good, _ = _measured(net, 24)
    net.node("Reshape", good, net.constant(np.array([-1])), target="scores")
    four = net.constant(np.zeros((1, 4)))
    net.node(
        "Mul", net.node("Reshape", good, net.constant(np.array([-1, 1]))), four, target="offsets"
    )
    return net.model(["n", 3, 24, 24], offsets=["n", 4], scores=["n"])


def onet() -> onnx.ModelProto:
    """Return the network that measures the red square in 48 × 48 pixels, and how red it is."""
    net = _Graph()
    across, down, side, good, peak = _measured(net, 48)
    net.node("Reshape", net.times(good, peak), net.constant(np.array([-1])), target="scores")
    half = net.times(side, net.constant(0.5))
    low = [net.less(middle, half) for middle in (across, down)]
    high = [net.less(net.node("Add", middle, half), 1.0) for middle in (across, down)]
    _column(net, [*low, *high], "offsets")
    points = [
        net.node("Add", middle, net.times(side, net.constant(point[axis] - 0.5)))
        for axis, middle in enumerate((across, down))
        for point in FIVE
    ]
    _column(net, points, "points")
    return net.model(["n", 3, 48, 48], offsets=["n", 4], scores=["n"], points=["n", 10])


def _measured(net: _Graph, pixels: int) -> tuple[str, str, str, str, str]:
    """Return a square's middle, its side (shares), 1 if it is a face, and how red it is."""
    red = net.red()
    axes: dict[str, Any] = {"axes": [2, 3], "keepdims": 1}
    peak = net.node("Add", net.node("ReduceMax", red, **axes), net.constant(1e-6))
    mass = net.node("Add", net.node("ReduceMean", red, **axes), net.constant(1e-6))
    share = net.node("Div", mass, peak)
    steps = (np.arange(pixels) + 0.5) / pixels
    across, down = (
        net.node("Div", net.node("ReduceMean", net.times(red, at), **axes), mass)
        for at in (
            net.constant(steps.reshape(1, 1, 1, -1)),
            net.constant(steps.reshape(1, 1, -1, 1)),
        )
    )
    inside = np.pad(np.zeros((pixels - 2, pixels - 2)), 1, constant_values=1)
    border = net.node("ReduceMax", net.times(red, net.constant(inside[None, None])), **axes)
    good = net.times(
        net.above(share, _LEAST),
        net.below(share, _MOST),
        net.above(peak, 0.3),
        net.below(net.node("Div", border, peak), 0.7),
    )
    return across, down, net.node("Sqrt", share), good, peak


def _column(net: _Graph, values: Sequence[str], target: str) -> None:
    whole = net.node("Concat", *values, axis=1)
    net.node("Flatten", whole, target=target)


def embedding(side: int, *, batch: int | str = "n") -> onnx.ModelProto:
    """Return the network that averages side × side pixels in 5 × 5 parts, around grey."""
    net = _Graph()
    part = side // PARTS
    means = net.node("AveragePool", "pixels", kernel_shape=[part] * 2, strides=[part] * 2)
    net.node("Flatten", net.less(means, float(GREY)), target="embedding")
    return net.model([batch, 3, side, side], embedding=[batch, DIMENSION])


def networks(align: Align) -> dict[str, bytes]:
    """Return the files of a row, by name, in the order of its engine."""
    made = {"embedding.onnx": embedding(SIDES[align])}
    if align != "landmarks":
        made = {f"{name}.onnx": _MAKERS[name]() for name in MTCNN} | made
    return {name: model.SerializeToString() for name, model in made.items()}


_MAKERS: Final = {"pnet": pnet, "rnet": rnet, "onet": onet}


def stock_embedder(folder: Path, name: str, align: Align = "box", **fields: object) -> str:
    """Build networks into `folder`; return the TOML row of a model called `name`.

    `fields` replace those of the row, such as its licence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.{file}": content for file, content in networks(align).items()}
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return embedder_row(name, files, align, **fields)


def embedder_row(name: str, files: dict[str, bytes], align: Align, **fields: object) -> str:
    """Return the TOML row of networks that are these files."""
    engine = "dlib-resnet" if align == "landmarks" else "facenet"
    table = {"dimension": DIMENSION, "same_above": 0.9, "least_score": 0.95, "least_side": 60}
    own: dict[str, object] = {"align": align, "side": SIDES[align]}
    if align == "landmarks":
        own = {"detector": "face-api-ssd"}
    row = {
        "name": name, "container": "face-embedder", "summary": "For tests: a face is a red square.",
        "engine": engine, "licence": "MIT", "commercial": True, "memory_mb": 512,
    } | fields  # fmt: skip
    lines = ["[[models]]", *_written(row), f"[models.{engine}]", *_written(table | own)]
    for file, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        lines += ["[[models.files]]", *_written({"name": file, "digest": f"sha256:{digest}"})]
    return "\n".join(lines) + "\n"


def _written(fields: dict[str, object]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in fields.items()]


def _value(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def landmarks(square: Square) -> tuple[tuple[float, float], ...]:
    """Return 68 points of a face: eyes and mouth where they are, the others in the middle."""
    eyes, mouth = FIVE[:2], (0.5, 0.75)
    shares = [(0.5, 0.5)] * 36 + [eyes[0]] * 6 + [eyes[1]] * 6 + [mouth] * 20
    return tuple(
        (square.left + across * square.side, square.top + down * square.side)
        for across, down in shares
    )


def analysed(
    width: int, height: int, *squares: Square, points: int = 68, model: str = "face-api-ssd"
) -> FacesDocument:
    """Return what the analyzer would say of a photo with these faces."""
    faces = [
        {
            "detection": {
                "box": {"x": each.left, "y": each.top, "width": each.side, "height": each.side},
                "score": each.score,
            },
            "landmarks": landmarks(each)[:points],
        }
        for each in squares
    ]
    fields = {"width": width, "height": height, "faces": faces, "model": model}
    return FacesDocument.model_validate(fields | {"weights_sha256": "0" * 64})
