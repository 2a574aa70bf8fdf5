"""Swin: attention in windows that shift by half from block to block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.bench.standins.layers import (
    add,
    concat,
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
class Swin:
    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(self.width * 2**stage for stage in range(len(self.depths)))


LARGE = Swin(width=192, depths=(2, 2, 18, 2), heads=(6, 12, 24, 48), window=12)
TINY = Swin(width=96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24), window=7)


def swin(net: Net, photo: Value, spec: Swin) -> list[Value]:
    """The features of every stage, N×C×H×W, from a quarter of the photo's size down."""
    patches = conv(net, photo, "bb.patches", spec.width, 4, stride=4, pad=0)
    x = layer_norm(net, _rows(net, patches), "bb.patches.norm")
    height, width = patches.size
    features = []
    for stage, (depth, heads) in enumerate(zip(spec.depths, spec.heads, strict=True)):
        size = (height, width)
        for index in range(depth):
            shift = 0 if index % 2 == 0 else spec.window // 2
            name = f"bb.{stage}.{index}"
            x = _block(net, x, name, size, heads=heads, window=spec.window, shift=shift)
        features.append(_picture(net, layer_norm(net, x, f"bb.{stage}.norm"), size))
        if stage + 1 < len(spec.depths):
            x = _merged(net, x, f"bb.{stage}.merge", size)
            height, width = (height + 1) // 2, (width + 1) // 2
    return features


def _block(  # noqa: PLR0913 - what a block is told
    net: Net, x: Value, name: str, size: tuple[int, int], *, heads: int, window: int, shift: int
) -> Value:
    channels = x.shape[-1]
    whole = reshape(net, layer_norm(net, x, f"{name}.norm1"), 1, *size, channels)
    padded = _padded(net, whole, window)
    rows, columns = padded.shape[1:3]
    windows = _windows(net, _rolled(net, padded, shift), window)
    mask = _mask(net, rows, columns, window, shift) if shift else None
    attended = _attention(net, windows, f"{name}.attn", heads, mask)
    joined = _joined(net, attended, rows, columns, window)
    back = _rolled(net, joined, -shift)
    if (rows, columns) != size:
        back = cut(net, cut(net, back, 1, 0, size[0]), 2, 0, size[1])
    x = add(net, x, reshape(net, back, *x.shape))
    return add(net, x, mlp(net, layer_norm(net, x, f"{name}.norm2"), f"{name}.mlp"))


def _attention(net: Net, windows: Value, name: str, heads: int, mask: Value | None) -> Value:
    count, area, channels = windows.shape
    each = channels // heads
    mixed = reshape(
        net, linear(net, windows, f"{name}.qkv", 3 * channels), count, area, 3, heads, each
    )
    turned = transpose(net, mixed, 2, 0, 3, 1, 4)
    query, key, value = (
        net.node("Gather", turned, np.array(part), shape=turned.shape[1:], axis=0)
        for part in range(3)
    )
    scores = matmul(net, scaled(net, query, each**-0.5), transpose(net, key, 0, 1, 3, 2))
    scores = add(net, scores, net.parameter(f"{name}.position", 1, heads, area, area, spread=0.5))
    if mask is not None:
        apart = reshape(net, scores, 1, count, heads, area, area)
        scores = reshape(net, add(net, apart, mask), count, heads, area, area)
    seen = matmul(net, softmax(net, scores), value)
    return linear(
        net, reshape(net, transpose(net, seen, 0, 2, 1, 3), count, area, channels),
        f"{name}.proj", channels, gain=0.5,
    )  # fmt: skip


def _padded(net: Net, x: Value, window: int) -> Value:
    """1×H×W×C with zeros below and to the right, up to whole windows."""
    rows, columns = (-side % window for side in x.shape[1:3])
    if not rows and not columns:
        return x
    shape = (1, x.shape[1] + rows, x.shape[2] + columns, x.shape[3])
    return net.node("Pad", x, np.array([0, 0, 0, 0, 0, rows, columns, 0], np.int64), shape=shape)


def _rolled(net: Net, x: Value, shift: int) -> Value:
    """Moved up and to the left by `shift`, what leaves coming in again at the other side."""
    if not shift:
        return x
    for axis in (1, 2):
        side = x.shape[axis]
        start = shift % side
        x = concat(net, cut(net, x, axis, start, side), cut(net, x, axis, 0, start), axis=axis)
    return x


def _windows(net: Net, x: Value, window: int) -> Value:
    _, rows, columns, channels = x.shape
    grid = reshape(net, x, 1, rows // window, window, columns // window, window, channels)
    turned = transpose(net, grid, 0, 1, 3, 2, 4, 5)
    return reshape(net, turned, rows * columns // window**2, window**2, channels)


def _joined(net: Net, windows: Value, rows: int, columns: int, window: int) -> Value:
    channels = windows.shape[-1]
    grid = reshape(net, windows, 1, rows // window, columns // window, window, window, channels)
    return reshape(net, transpose(net, grid, 0, 1, 3, 2, 4, 5), 1, rows, columns, channels)


def _mask(net: Net, rows: int, columns: int, window: int, shift: int) -> Value:
    """1×windows×1×area×area: -100 between places that only the roll has brought together."""
    regions = np.add.outer(_bands(rows, window, shift) * 3, _bands(columns, window, shift))
    grid = regions.reshape(rows // window, window, columns // window, window)
    tiles = grid.transpose(0, 2, 1, 3).reshape(-1, window**2)
    apart: Array = np.where(tiles[:, None] == tiles[:, :, None], 0, -100).astype(np.float32)
    return net.constant(f"fixed.mask.{rows}x{columns}", apart[None, :, None])


def _bands(side: int, window: int, shift: int) -> Array:
    bands = np.zeros(side, np.int64)
    bands[-window:-shift], bands[-shift:] = 1, 2
    return bands


def _merged(net: Net, x: Value, name: str, size: tuple[int, int]) -> Value:
    """Two by two neighbours to one of twice the width."""
    picture = _padded(net, reshape(net, x, 1, *size, x.shape[-1]), 2)
    rows, columns = picture.shape[1:3]
    corners = [
        cut(net, cut(net, picture, 1, top, rows, step=2), 2, left, columns, step=2)
        for left in (0, 1)
        for top in (0, 1)
    ]
    wide = concat(net, *corners, axis=3)
    flat = reshape(net, wide, 1, rows * columns // 4, wide.shape[-1])
    return linear(net, layer_norm(net, flat, f"{name}.norm"), name, 2 * x.shape[-1], bias=False)


def _rows(net: Net, picture: Value) -> Value:
    """N×C×H×W to N×HW×C."""
    batch, channels, height, width = picture.shape
    return transpose(net, reshape(net, picture, batch, channels, height * width), 0, 2, 1)


def _picture(net: Net, x: Value, size: tuple[int, int]) -> Value:
    return transpose(net, reshape(net, x, 1, *size, x.shape[-1]), 0, 3, 1, 2)
