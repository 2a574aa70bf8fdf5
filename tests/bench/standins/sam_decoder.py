"""Segment Anything's decoders with their prompt encoder, as their ONNX exporters write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from tests.bench.standins.layers import (
    add,
    concat,
    conv,
    cut,
    gelu,
    layer_norm,
    linear,
    matmul,
    mul,
    relu,
    reshape,
    resize,
    softmax,
    transpose,
)
from tests.bench.standins.net import Net, Value
from tests.bench.standins.sam import channel_norm

_WIDTH: Final = 256
_HEADS: Final = 8
_MASKS: Final = 4
_SIDE: Final = 64  # of the embedding
_LOW: Final = 256
_CANVAS: Final = 1024
_NAMES: Final = {"output0": "masks", "output1": "iou_predictions", "output2": "low_res_masks"}


def sam_decoder(marks: int = 2) -> onnx.ModelProto:
    """An embedding and so many marks to 4 masks of any size, their scores, and 4 of 256 × 256."""
    net = Net()
    embedding = net.input("image_embeddings", 1, _WIDTH, _SIDE, _SIDE)
    coordinates = net.input("point_coords", 1, marks, 2)
    labels = net.input("point_labels", 1, marks)
    earlier = net.input("mask_input", 1, 1, _LOW, _LOW)
    has_earlier = net.input("has_mask_input", 1)
    size = net.input("orig_im_size", 2)
    own = net.parameter("tokens", 1, 1 + _MASKS, _WIDTH, spread=0.5)
    tokens = concat(net, own, _sparse(net, coordinates, labels), axis=1)
    picture = add(net, embedding, _dense(net, earlier, has_earlier))
    tokens, picture = _two_way(net, tokens, picture)
    low = _hyper(net, tokens, picture)
    scores = reshape(net, _mlp(net, cut(net, tokens, 1, 0, 1), "iou", (_WIDTH, _WIDTH, _MASKS)),
                     1, _MASKS)  # fmt: skip
    return _named(net.model(_enlarged(net, low, size), scores, low))


def sam2_decoder(marks: int = 1, *, folded: bool = False) -> onnx.ModelProto:
    """The decoder of 2.1: three features and so many marks to 3 masks of 256 × 256 and scores.

    It appends the padding to the marks, and drops the first mask. `folded` has the positions of the
    embedding's places, as a simplified file has them.
    """
    net = Net()
    embedding = net.input("image_embed", 1, _WIDTH, _SIDE, _SIDE)
    fine = net.input("high_res_feats_0", 1, _WIDTH // 8, _LOW, _LOW)
    middle = net.input("high_res_feats_1", 1, _WIDTH // 4, _LOW // 2, _LOW // 2)
    coordinates = net.input("point_coords", 1, marks, 2)
    labels = net.input("point_labels", 1, marks)
    earlier = net.input("mask_input", 1, 1, _LOW, _LOW)
    has_earlier = net.input("has_mask_input", 1)
    coordinates = add(net, coordinates, np.array(0.5, np.float32))
    coordinates = concat(net, coordinates, _constant(net, np.zeros((1, 1, 2))), axis=1)
    labels = concat(net, labels, _constant(net, -np.ones((1, 1))), axis=1)
    own = net.parameter("tokens", 1, 2 + _MASKS, _WIDTH, spread=0.5)
    tokens = concat(net, own, _sparse(net, coordinates, labels), axis=1)
    picture = add(net, embedding, _dense(net, earlier, has_earlier))
    tokens, picture = _two_way(net, tokens, picture, None if folded else _places(net))
    low = _hyper(net, tokens, picture, first=2, features=(middle, fine))
    scores = _mlp(net, cut(net, tokens, 1, 1, 2), "iou", (_WIDTH, _WIDTH, _MASKS))
    scores = net.node("Sigmoid", reshape(net, scores, 1, _MASKS), shape=(1, _MASKS))
    least, most = (np.array(value, np.float32) for value in (-32, 32))
    kept = cut(net, low, 1, 1, _MASKS)
    clamped = net.node("Clip", kept, least, most, shape=kept.shape)
    return _renamed(net.model(clamped, cut(net, scores, 1, 1, _MASKS)))


def _constant(net: Net, values: npt.ArrayLike) -> Value:
    array = np.asarray(values, np.float32)
    return net.constant(f"constant_{array.size}_{array.sum():g}", array)


def _places(net: Net) -> Value:
    """Where the embedding's places are, as waves."""
    rows, columns = (np.mgrid[:_SIDE, :_SIDE] + 0.5) * 2 / _SIDE - 1
    grid = np.stack([columns.ravel(), rows.ravel()], axis=-1)[None].astype(np.float32)
    waves = matmul(net, net.constant("fixed.grid", grid), net.parameter("waves", 2, _WIDTH // 2))
    waves = mul(net, waves, np.array(2 * math.pi, np.float32))
    return concat(net, *(net.node(op, waves, shape=waves.shape) for op in ("Sin", "Cos")), axis=2)


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    shape = _renamed(model).graph.output[0].type.tensor_type.shape
    for axis, name in zip(shape.dim[2:], ("height", "width"), strict=True):
        axis.dim_param = name
    return model


def _renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    for node in model.graph.node:
        node.output[:] = [_NAMES.get(name, name) for name in node.output]
    for output in model.graph.output:
        output.name = _NAMES[output.name]
    return model


def _sparse(net: Net, coordinates: Value, labels: Value) -> Value:
    """Where the marks are, as waves, and what each of them is."""
    marks = labels.shape[1]
    placed = mul(net, coordinates, np.array(2 / _CANVAS, np.float32))
    placed = net.node("Sub", placed, np.array(1, np.float32), shape=placed.shape)
    waves = matmul(net, placed, net.parameter("waves", 2, _WIDTH // 2))
    waves = mul(net, waves, np.array(2 * math.pi, np.float32))
    sines = (net.node(op, waves, shape=waves.shape) for op in ("Sin", "Cos"))
    encoded = concat(net, *sines, axis=2)
    each = reshape(net, labels, 1, marks, 1)
    for label in range(-1, 4):
        same = net.node("Equal", each, np.array(label, np.float32), shape=each.shape)
        weight = net.node("Cast", same, shape=each.shape, to=TensorProto.FLOAT)
        meaning = net.parameter(f"label{label}", 1, 1, _WIDTH, spread=0.5)
        encoded = add(net, encoded, mul(net, weight, meaning))
    return encoded


def _dense(net: Net, earlier: Value, has_earlier: Value) -> Value:
    x = conv(net, earlier, "mask.0", 4, 2, stride=2, pad=0)
    x = gelu(net, channel_norm(net, x, "mask.1"))
    x = conv(net, x, "mask.2", 16, 2, stride=2, pad=0)
    x = gelu(net, channel_norm(net, x, "mask.3"))
    x = mul(net, conv(net, x, "mask.4", _WIDTH, 1), has_earlier)
    lacks = net.node("Sub", np.array(1, np.float32), has_earlier, shape=(1,))
    nothing = net.parameter("no_mask", 1, _WIDTH, 1, 1, spread=0.1)
    return add(net, x, mul(net, nothing, lacks))


def _two_way(
    net: Net, marks: Value, picture: Value, places: Value | None = None
) -> tuple[Value, Value]:
    """Marks look at each other and at the picture, and it at them, twice; then once more."""
    area = _SIDE * _SIDE
    x = transpose(net, reshape(net, picture, 1, _WIDTH, area), 0, 2, 1)
    places = places or net.parameter("fixed.places", 1, area, _WIDTH, spread=0.5)
    tokens = marks
    for index in range(2):
        name = f"layers.{index}"
        query = add(net, tokens, marks) if index else tokens
        seen = _attention(net, query, query, tokens, f"{name}.self", _WIDTH)
        tokens = layer_norm(net, add(net, tokens, seen) if index else seen, f"{name}.norm1")
        query, key = add(net, tokens, marks), add(net, x, places)
        seen = _attention(net, query, key, x, f"{name}.to_picture", _WIDTH // 2)
        tokens = layer_norm(net, add(net, tokens, seen), f"{name}.norm2")
        wide = _mlp(net, tokens, f"{name}.mlp", (8 * _WIDTH, _WIDTH))
        tokens = layer_norm(net, add(net, tokens, wide), f"{name}.norm3")
        query, key = add(net, x, places), add(net, tokens, marks)
        seen = _attention(net, query, key, tokens, f"{name}.to_marks", _WIDTH // 2)
        x = layer_norm(net, add(net, x, seen), f"{name}.norm4")
    query, key = add(net, tokens, marks), add(net, x, places)
    seen = _attention(net, query, key, x, "final", _WIDTH // 2)
    tokens = layer_norm(net, add(net, tokens, seen), "final.norm")
    return tokens, reshape(net, transpose(net, x, 0, 2, 1), *picture.shape)


def _attention(  # noqa: PLR0913, PLR0917 - attention takes three values
    net: Net, query: Value, key: Value, value: Value, name: str, width: int
) -> Value:
    each = width // _HEADS

    def headed(x: Value, part: str) -> Value:
        split = reshape(net, linear(net, x, f"{name}.{part}", width), 1, x.shape[1], _HEADS, each)
        return transpose(net, split, 0, 2, 1, 3)

    q, k, v = headed(query, "q"), headed(key, "k"), headed(value, "v")
    scores = mul(net, matmul(net, q, transpose(net, k, 0, 1, 3, 2)),
                 np.array(each**-0.5, np.float32))  # fmt: skip
    seen = transpose(net, matmul(net, softmax(net, scores), v), 0, 2, 1, 3)
    return linear(net, reshape(net, seen, 1, query.shape[1], width), f"{name}.out", _WIDTH)


def _mlp(net: Net, x: Value, name: str, widths: Sequence[int]) -> Value:
    *inner, last = widths
    for index, width in enumerate(inner):
        x = relu(net, linear(net, x, f"{name}.{index}", width))
    return linear(net, x, f"{name}.{len(inner)}", last)


def _hyper(
    net: Net, tokens: Value, picture: Value, *, first: int = 1, features: Sequence[Value] = ()
) -> Value:
    """Each mask's token becomes the weights of its sum over the enlarged embedding.

    `first` is the place of the first mask's token; finer features are added while it is enlarged.
    """
    middle, fine = features or (None, None)
    x = _doubled(net, picture, "up.0", 64)
    x = gelu(net, channel_norm(net, add(net, x, middle) if middle else x, "up.1"))
    x = _doubled(net, x, "up.3", 32)
    x = gelu(net, add(net, x, fine) if fine else x)
    weights = [
        _mlp(net, cut(net, tokens, 1, first + index, first + index + 1), f"hyper.{index}",
             (_WIDTH, _WIDTH, 32))
        for index in range(_MASKS)
    ]  # fmt: skip
    flat = reshape(net, x, 1, 32, _LOW * _LOW)
    return reshape(net, matmul(net, concat(net, *weights, axis=1), flat), 1, _MASKS, _LOW, _LOW)


def _doubled(net: Net, x: Value, name: str, channels: int) -> Value:
    weight = net.parameter(f"{name}.weight", x.channels, channels, 2, 2, spread=x.channels**-0.5)
    bias = net.parameter(f"{name}.bias", channels, spread=0.05)
    shape = (1, channels, *(2 * side for side in x.size))
    return net.node("ConvTranspose", x, weight, bias, shape=shape, strides=[2, 2])


def _enlarged(net: Net, low: Value, size: Value) -> Value:
    """To the canvas, without its padding, and then to the size that is asked for."""
    large = resize(net, low, (_CANVAS, _CANVAS), alignment="half_pixel")
    longest = net.node("ReduceMax", size, shape=(1,), keepdims=1)
    scale = net.node("Div", np.array([_CANVAS], np.float32), longest, shape=(1,))
    rounded = net.node("Floor", add(net, mul(net, size, scale), np.array(0.5, np.float32)),
                       shape=(2,))  # fmt: skip
    ends = net.node("Cast", rounded, shape=(2,), to=TensorProto.INT64)
    starts, axes = np.array([0, 0], np.int64), np.array([2, 3], np.int64)
    cropped = net.node("Slice", large, starts, ends, axes, shape=large.shape)
    asked = net.node("Cast", size, shape=(2,), to=TensorProto.INT64)
    sizes = net.node("Concat", np.array([1, _MASKS], np.int64), asked, shape=(4,), axis=0)
    return net.node(
        "Resize", cropped, None, None, sizes, shape=large.shape, mode="linear",
        coordinate_transformation_mode="half_pixel",
    )  # fmt: skip
