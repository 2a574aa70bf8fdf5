"""A deformable convolution spelt out, as exporters did before ONNX had the operator.

Sampling place = regular grid + learnt offset; the four pixels around it are gathered from the
padded input and weighted bilinearly; the samples, times a learnt mask, are laid out as tiles that
an ordinary convolution with a stride of its kernel then reads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.bench.standins.layers import (
    add,
    batch_norm,
    concat,
    conv,
    mul,
    relu,
    reshape,
    scaled,
    sigmoid,
    transpose,
)
from tests.bench.standins.net import Array, Net, Value


@dataclass(frozen=True)
class Geometry:
    kernel: tuple[int, int]
    pads: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    offset_groups: int = 1

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def extra(self) -> tuple[int, int]:
        """A border of zeros for samples that fall outside, where padding leaves none."""
        return int(self.pads[0] == 0), int(self.pads[1] == 0)

    def out(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = (
            (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for side, pad, dilation, kernel, stride in zip(
                size, self.pads, self.dilations, self.kernel, self.strides, strict=True
            )
        )
        return height, width

    def grid(self, out: tuple[int, int]) -> Array:
        """1×1×taps×2×H×W: where each tap of an undeformed kernel lies in the padded input."""
        rows, columns, tap_rows, tap_columns = (
            np.arange(count) * step + start
            for count, step, start in (
                (out[0], self.strides[0], self.extra[0]),
                (out[1], self.strides[1], self.extra[1]),
                (self.kernel[0], self.dilations[0], 0),
                (self.kernel[1], self.dilations[1], 0),
            )
        )
        y = tap_rows[:, None, None, None] + rows[None, None, :, None]
        x = tap_columns[None, :, None, None] + columns[None, None, None, :]
        shape = (*self.kernel, *out)
        both = [np.broadcast_to(axis, shape).reshape(self.taps, *out) for axis in (y, x)]
        return np.stack(both, axis=1)[None, None].astype(np.float32)


def deformable_layer(net: Net, x: Value, name: str, channels: int, kernel: int) -> Value:
    """A learnt offset and mask, the convolution they bend, its normalisation and rectifier."""
    pad = kernel // 2
    geometry = Geometry((kernel, kernel), (pad, pad))
    offset = conv(net, x, f"{name}.offset", 2 * kernel**2, kernel)
    mask = conv(net, x, f"{name}.modulator", kernel**2, kernel)
    bent = spelt_out(
        net, x, name, channels, geometry, offset=offset, mask=scaled(net, sigmoid(net, mask), 2)
    )
    biased = add(net, bent, np.zeros((1, channels, 1, 1), np.float32))
    return relu(net, batch_norm(net, biased, f"{name}.bn"))


def spelt_out(  # noqa: PLR0913 - a deformable convolution has that many
    net: Net, x: Value, name: str, channels: int, geometry: Geometry,
    *, offset: Value, mask: Value | None,
) -> Value:  # fmt: skip
    """Without its bias, which follows as an addition of its own."""
    batch, groups, (height, width) = x.shape[0], geometry.offset_groups, offset.size
    moved = reshape(net, offset, batch, groups, geometry.taps, 2, height, width)
    place = net.node("Add", geometry.grid((height, width)), moved, shape=moved.shape)
    floor = net.node("Floor", place, shape=place.shape)
    weights = _bilinear_weights(net, place, floor)
    samples = _neighbours(net, x, floor, geometry)
    products = [mul(net, weight, taken) for weight, taken in zip(weights, samples, strict=True)]
    value = net.node("Sum", *products, shape=products[0].shape)
    if mask is not None:
        value = mul(net, value, reshape(net, mask, batch, groups, 1, geometry.taps, height, width))
    return _convolved_tiles(net, value, name, channels, geometry)


def _bilinear_weights(net: Net, place: Value, floor: Value) -> list[Value]:
    past = net.node("Sub", place, floor, shape=place.shape)
    y, x = _cut(net, past, 0), _cut(net, past, 1)
    one = np.array(1, np.float32)
    y_left, x_left = (net.node("Sub", one, each, shape=each.shape) for each in (y, x))
    pairs = ((x_left, y_left), (x, y), (x_left, y), (x, y_left))
    batch, groups, taps, _, *out = place.shape
    return [reshape(net, mul(net, *pair), batch, groups, 1, taps, *out) for pair in pairs]


def _neighbours(net: Net, x: Value, floor: Value, geometry: Geometry) -> list[Value]:
    batch, groups, taps, _, *out = floor.shape
    margin = [pad + extra for pad, extra in zip(geometry.pads, geometry.extra, strict=True)]
    size = [side + 2 * each for side, each in zip(x.size, margin, strict=True)]
    pads = np.array([0, 0, *margin, 0, 0, *margin], np.int64)
    padded = net.node("Pad", x, pads, shape=(batch, x.channels, *size), mode="constant")
    grouped = reshape(net, padded, batch, groups, x.channels // groups, *size)
    last = transpose(net, grouped, 0, 1, 3, 4, 2)
    whole = net.node("Cast", floor, shape=floor.shape, to=7)
    first = [_cut(net, whole, axis) for axis in (0, 1)]
    second = [add(net, each, np.array(1, np.int64)) for each in first]
    (top, left), (bottom, right) = (
        [_inside(net, each, side) for each, side in zip(pair, size, strict=True)]
        for pair in (first, second)
    )
    corners = ((top, left), (bottom, right), (bottom, left), (top, right))
    count, channels = taps * out[0] * out[1], last.shape[-1]
    found = []
    for corner in corners:
        flat = [reshape(net, each, batch, groups, count, 1) for each in corner]
        index = concat(net, *flat, axis=3)
        shape = (batch, groups, count, channels)
        taken = net.node("GatherND", last, index, shape=shape, batch_dims=2)
        turned = transpose(net, taken, 0, 1, 3, 2)
        found.append(reshape(net, turned, batch, groups, channels, taps, *out))
    return found


def _convolved_tiles(net: Net, value: Value, name: str, channels: int, geometry: Geometry) -> Value:
    batch, groups, each, _, height, width = value.shape
    rows, columns = geometry.kernel
    apart = reshape(net, value, batch, groups * each, rows, columns, height, width)
    woven = transpose(net, apart, 0, 1, 4, 2, 5, 3)
    tiles = reshape(net, woven, batch, groups * each, height * rows, width * columns)
    spread = (2 / (groups * each * geometry.taps)) ** 0.5
    weight = net.parameter(f"{name}.weight", channels, groups * each, rows, columns, spread=spread)
    shape = (batch, channels, height, width)
    return net.node(
        "Conv", tiles, weight, shape=shape, kernel_shape=[rows, columns], strides=[rows, columns],
        group=1,
    )  # fmt: skip


def _cut(net: Net, x: Value, index: int) -> Value:
    """x[:, :, :, index:index+1], without a step."""
    shape = (*x.shape[:3], 1, *x.shape[4:])
    bounds = (np.array([number], np.int64) for number in (index, index + 1, 3))
    return net.node("Slice", x, *bounds, shape=shape)


def _inside(net: Net, index: Value, side: int) -> Value:
    low, high = np.array(0, np.int64), np.array(side - 1, np.int64)
    return net.node("Clip", index, low, high, shape=index.shape)
