"""Segment Anything 2.1's picture encoders: Hiera, a neck, and the decoder's two projections."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import onnx

from tests.bench.standins.layers import (
    add,
    conv,
    layer_norm,
    linear,
    matmul,
    mlp,
    reshape,
    scaled,
    softmax,
    transpose,
)
from tests.bench.standins.net import Net, Value
from tests.bench.standins.sam import joined, partitioned

_WINDOWS: Final = (8, 4, 14, 7)  # by stage
_OUT: Final = 256
_PROJECTED: Final = (32, 64)  # channels of the finest features
_NAMES: Final = {
    "output0": "high_res_feats_0",
    "output1": "high_res_feats_1",
    "output2": "image_embed",
}


@dataclass(frozen=True)
class Hiera:
    """`folded` has the exporter's sums of positions, as a simplified file has them."""

    width: int
    heads: int
    stages: tuple[int, ...]
    whole: tuple[int, ...]  # blocks in which everything sees everything
    ground: int  # the side of the positions that are enlarged
    side: int = 1024
    folded: bool = False


TINY: Final = Hiera(width=96, heads=1, stages=(1, 2, 7, 2), whole=(5, 7, 9), ground=7)
BASE_PLUS: Final = Hiera(
    width=112, heads=2, stages=(2, 3, 16, 3), whole=(12, 16, 20), ground=14, folded=True
)


def sam2_encoder(spec: Hiera) -> onnx.ModelProto:
    """A normalised photo, 1×3×side×side, to three features."""
    net = Net()
    photo = net.input("image", 1, 3, spec.side, spec.side)
    patches = conv(net, photo, "patches", spec.width, 7, stride=4, pad=3)
    x = add(net, transpose(net, patches, 0, 2, 3, 1), _positions(net, spec))
    ends = [end - 1 for end in accumulate(spec.stages)]
    width, heads, stage, features = spec.width, spec.heads, 0, []
    for index in range(sum(spec.stages)):
        window = 0 if index in spec.whole else _WINDOWS[stage]
        pools = index - 1 in ends
        if pools:
            width, heads, stage = 2 * width, 2 * heads, stage + 1
        x = _block(net, x, f"blocks.{index}", width, heads, window, pools=pools)
        if index in ends:
            features.append(transpose(net, x, 0, 3, 1, 2))
    return _named(net.model(*_neck(net, features)))


def features_of_noise() -> onnx.ModelProto:
    """A photo to the three features, without the encoder between."""
    net = Net()
    photo = net.input("image", 1, 3, 1024, 1024)
    patches = conv(net, photo, "patches", 8, 4, stride=4, pad=0)
    features = (
        conv(net, patches, f"features.{index}", channels, stride, stride=stride, pad=0)
        for index, (channels, stride) in enumerate(zip((*_PROJECTED, _OUT), (1, 2, 4), strict=True))
    )
    return _named(net.model(*features))


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    for node in model.graph.node:
        node.output[:] = [_NAMES.get(name, name) for name in node.output]
    for output in model.graph.output:
        output.name = _NAMES[output.name]
    return model


def _positions(net: Net, spec: Hiera) -> Value:
    """A coarse ground that is enlarged, and a window that is repeated."""
    side, window = spec.side // 4, _WINDOWS[0]
    shape = (1, spec.width, side, side)
    if spec.folded:
        ground, windows = (
            net.parameter(f"fixed.{name}", *shape, spread=0.1) for name in ("ground", "windows")
        )
    else:
        small = net.parameter("ground", 1, spec.width, spec.ground, spec.ground, spread=0.1)
        ground = net.node(
            "Resize", small, None, None, np.array(shape, np.int64), shape=shape, mode="cubic",
            coordinate_transformation_mode="half_pixel", cubic_coeff_a=-0.75,
        )  # fmt: skip
        one = net.parameter("window", 1, spec.width, window, window, spread=0.1)
        repeats = np.array([1, 1, side // window, side // window], np.int64)
        windows = net.node("Tile", one, repeats, shape=shape)
    return transpose(net, add(net, ground, windows), 0, 2, 3, 1)


def _block(  # noqa: PLR0913, PLR0917 - what distinguishes one block from another
    net: Net, x: Value, name: str, width: int, heads: int, window: int, *, pools: bool
) -> Value:
    inner = layer_norm(net, x, f"{name}.norm1")
    shortcut = x
    if x.shape[3] != width:
        shortcut = _pooled(net, linear(net, inner, f"{name}.proj", width))
    padded = inner
    if window:
        inner, padded = partitioned(net, inner, window)
    seen = _attention(net, inner, f"{name}.attn", width, heads, pools=pools)
    if window:
        batch, height, across, _ = padded.shape
        halved = 2 if pools else 1
        left = Value(padded.name, (batch, height // halved, across // halved, width))
        seen = joined(net, seen, left, shortcut.shape)
    x = add(net, shortcut, seen)
    return add(net, x, mlp(net, layer_norm(net, x, f"{name}.norm2"), f"{name}.mlp"))


def _attention(  # noqa: PLR0913 - as above
    net: Net, x: Value, name: str, width: int, heads: int, *, pools: bool
) -> Value:
    """B×H×W×C, each place looking at all others of its window; with `pools`, fewer look."""
    batch, rows, columns, _ = x.shape
    area, each = rows * columns, width // heads
    mixed = reshape(net, linear(net, x, f"{name}.qkv", 3 * width), batch, area, 3, heads, each)
    query, key, value = (
        reshape(net, part, batch, area, heads, each) for part in net.split(mixed, 3, axis=2)
    )
    if pools:
        query = _pooled(net, reshape(net, query, batch, rows, columns, width))
        rows, columns = query.shape[1:3]
        query = reshape(net, query, batch, rows * columns, heads, each)
    root = each**-0.25
    query = scaled(net, transpose(net, query, 0, 2, 1, 3), root)
    key = scaled(net, transpose(net, key, 0, 2, 3, 1), root)
    seen = softmax(net, matmul(net, query, key))
    seen = transpose(net, matmul(net, seen, transpose(net, value, 0, 2, 1, 3)), 0, 2, 1, 3)
    return linear(
        net, reshape(net, seen, batch, rows, columns, width), f"{name}.proj", width, gain=0.5
    )


def _pooled(net: Net, x: Value) -> Value:
    turned = transpose(net, x, 0, 3, 1, 2)
    shape = (*turned.shape[:2], *(side // 2 for side in turned.size))
    pooled = net.node("MaxPool", turned, shape=shape, kernel_shape=[2, 2], strides=[2, 2])
    return transpose(net, pooled, 0, 2, 3, 1)


def _neck(net: Net, features: list[Value]) -> list[Value]:
    """Project every size; add the coarsest to the next one, which is the embedding."""
    *fine, third, coarsest = (
        conv(net, each, f"neck.{index}", _OUT, 1) for index, each in enumerate(features)
    )
    size = np.array(third.shape, np.int64)
    enlarged = net.node(
        "Resize", coarsest, None, None, size, shape=third.shape, mode="nearest",
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    )  # fmt: skip
    embedding = add(net, third, enlarged)
    flat = reshape(net, embedding, 1, _OUT, third.size[0] * third.size[1])
    flat = add(net, transpose(net, flat, 2, 0, 1), net.parameter("no_memory", 1, 1, _OUT))
    embedding = reshape(net, transpose(net, flat, 1, 2, 0), *third.shape)
    projected = (
        conv(net, each, f"conv_s{index}", channels, 1)
        for index, (each, channels) in enumerate(zip(fine, _PROJECTED, strict=True))
    )
    return [*projected, embedding]
