"""Segment Anything's picture encoder: a plain vision transformer, mostly in windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from tests.bench.standins.layers import (
    add,
    conv,
    cut,
    layer_norm,
    linear,
    matmul,
    mlp,
    reshape,
    scaled,
    softmax,
    transpose,
)
from tests.bench.standins.net import Array, Net, Value


@dataclass(frozen=True)
class Vit:
    width: int = 768
    heads: int = 12
    depth: int = 12
    whole: tuple[int, ...] = (2, 5, 8, 11)  # blocks in which everything sees everything
    window: int = 14
    side: int = 1024
    height: int = 684
    patch: int = 16
    out: int = 256


def sam_encoder(spec: Vit = Vit()) -> onnx.ModelProto:
    """A photo, height×side×3 in 0 … 255, to its embedding, 1×out×(side / patch)²."""
    net = Net()
    photo = net.input("input_image", spec.height, spec.side, 3)
    patches = conv(net, _prepared(net, photo, spec), "patches", spec.width, spec.patch,
                   stride=spec.patch, pad=0)  # fmt: skip
    x = transpose(net, patches, 0, 2, 3, 1)
    x = add(net, x, net.parameter("position", *x.shape, spread=0.1))
    for index in range(spec.depth):
        window = 0 if index in spec.whole else spec.window
        x = _block(net, x, f"blocks.{index}", heads=spec.heads, window=window)
    neck = conv(net, transpose(net, x, 0, 3, 1, 2), "neck.0", spec.out, 1, bias=False)
    neck = channel_norm(net, neck, "neck.1")
    neck = conv(net, neck, "neck.2", spec.out, 3, bias=False)
    return net.model(channel_norm(net, neck, "neck.3"))


def _prepared(net: Net, photo: Value, spec: Vit) -> Value:
    """Channels first, normalised, with zeros below up to a square."""
    first = reshape(net, transpose(net, photo, 2, 0, 1), 1, 3, spec.height, spec.side)
    centred = net.node("Sub", first, _per_channel(123.675, 116.28, 103.53), shape=first.shape)
    spread = _per_channel(58.395, 57.12, 57.375)
    normal = net.node("Div", centred, spread, shape=first.shape)
    below = np.array([0, 0, 0, 0, 0, 0, spec.side - spec.height, 0], np.int64)
    return net.node("Pad", normal, below, shape=(1, 3, spec.side, spec.side))


def _block(net: Net, x: Value, name: str, *, heads: int, window: int) -> Value:
    inner = layer_norm(net, x, f"{name}.norm1")
    if window:
        windows, padded = partitioned(net, inner, window)
        seen = _attention(net, windows, f"{name}.attn", heads)
        inner = joined(net, seen, padded, x.shape)
    else:
        inner = _attention(net, inner, f"{name}.attn", heads)
    x = add(net, x, inner)
    return add(net, x, mlp(net, layer_norm(net, x, f"{name}.norm2"), f"{name}.mlp"))


def _attention(net: Net, x: Value, name: str, heads: int) -> Value:
    """B×H×W×C, each place looking at all others of its own picture."""
    batch, rows, columns, channels = x.shape
    area, each = rows * columns, channels // heads
    mixed = reshape(net, linear(net, x, f"{name}.qkv", 3 * channels), batch, area, 3, heads, each)
    turned = reshape(net, transpose(net, mixed, 2, 0, 3, 1, 4), 3, batch * heads, area, each)
    query, key, value = (
        reshape(net, part, batch * heads, area, each) for part in net.split(turned, 3, axis=0)
    )
    scores = matmul(net, scaled(net, query, each**-0.5), transpose(net, key, 0, 2, 1))
    scores = _positioned(net, scores, query, name, (rows, columns))
    seen = reshape(net, matmul(net, softmax(net, scores), value), batch, heads, rows, columns, each)
    joined = reshape(net, transpose(net, seen, 0, 2, 3, 1, 4), batch, rows, columns, channels)
    return linear(net, joined, f"{name}.proj", channels, gain=0.5)


def _positioned(net: Net, scores: Value, query: Value, name: str, size: tuple[int, int]) -> Value:
    """The scores plus what rows and columns add by their distance."""
    count, _, each = query.shape
    rows, columns = size
    places = reshape(net, query, count, rows, columns, each)
    by_row = net.parameter(f"{name}.rows", rows, each, rows, spread=0.05)
    by_column = net.parameter(f"{name}.columns", columns, each, columns, spread=0.05)
    row_scores = matmul(net, places, by_row)
    turned = matmul(net, transpose(net, places, 0, 2, 1, 3), by_column)
    column_scores = transpose(net, turned, 0, 2, 1, 3)
    grid = reshape(net, scores, count, rows, columns, rows, columns)
    grid = add(net, grid, reshape(net, row_scores, count, rows, columns, rows, 1))
    grid = add(net, grid, reshape(net, column_scores, count, rows, columns, 1, columns))
    return reshape(net, grid, *scores.shape)


def partitioned(net: Net, x: Value, window: int) -> tuple[Value, Value]:
    batch, height, width, channels = x.shape
    rows, columns = (-side % window for side in (height, width))
    shape = (batch, height + rows, width + columns, channels)
    below = np.array([0, 0, 0, 0, 0, rows, columns, 0], np.int64)
    padded = net.node("Pad", x, below, shape=shape) if rows or columns else x
    down, across = shape[1] // window, shape[2] // window
    grid = reshape(net, padded, batch, down, window, across, window, channels)
    turned = transpose(net, grid, 0, 1, 3, 2, 4, 5)
    return reshape(net, turned, batch * down * across, window, window, channels), padded


def joined(net: Net, windows: Value, padded: Value, shape: tuple[int, ...]) -> Value:
    window, channels = windows.shape[1], windows.shape[3]
    down, across = padded.shape[1] // window, padded.shape[2] // window
    grid = reshape(net, windows, shape[0], down, across, window, window, channels)
    whole = reshape(net, transpose(net, grid, 0, 1, 3, 2, 4, 5), *padded.shape)
    if padded.shape == shape:
        return whole
    return cut(net, cut(net, whole, 1, 0, shape[1]), 2, 0, shape[2])


def channel_norm(net: Net, x: Value, name: str) -> Value:
    """Layer normalisation over the channels, spelt out."""
    one = (x.shape[0], 1, *x.size)
    mean = net.node("ReduceMean", x, shape=one, axes=[1], keepdims=1)
    centred = net.node("Sub", x, mean, shape=x.shape)
    square = net.node("Pow", centred, np.array(2, np.float32), shape=x.shape)
    spread = net.node("ReduceMean", square, shape=one, axes=[1], keepdims=1)
    spread = net.node("Sqrt", add(net, spread, np.array(1e-6, np.float32)), shape=one)
    normal = net.node("Div", centred, spread, shape=x.shape)
    gain = net.parameter(f"{name}.weight", x.channels, 1, 1, spread=0.1, centre=1)
    shift = net.parameter(f"{name}.bias", x.channels, 1, 1, spread=0.1)
    gained = net.node("Mul", normal, gain, shape=x.shape)
    return add(net, gained, shift)


def _per_channel(*numbers: float) -> Array:
    return np.array(numbers, np.float32).reshape(1, 3, 1, 1)
