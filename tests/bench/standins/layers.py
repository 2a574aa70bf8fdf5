"""The layers the stand-ins are made of, spelt as an exporter spells them."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from tests.bench.standins.net import Array, Net, Value

Alignment = Literal["align_corners", "half_pixel"]


def conv(  # noqa: PLR0913 - a convolution has that many
    net: Net, x: Value, name: str, channels: int, kernel: int,
    *, stride: int = 1, dilation: int = 1, pad: int | None = None, bias: bool = True,
    gain: float = 1.0,
) -> Value:  # fmt: skip
    """Padded to keep its size unless `pad` says otherwise."""
    pad = dilation * (kernel // 2) if pad is None else pad
    spread = gain / math.sqrt(x.channels * kernel**2)
    weight = net.parameter(f"{name}.weight", channels, x.channels, kernel, kernel, spread=spread)
    inputs = [x, weight]
    if bias:
        inputs.append(net.parameter(f"{name}.bias", channels, spread=0.05))
    reach = dilation * (kernel - 1) + 1
    height, width = ((side + 2 * pad - reach) // stride + 1 for side in x.size)
    return net.node(
        "Conv", *inputs, shape=(x.shape[0], channels, height, width),
        kernel_shape=[kernel] * 2, strides=[stride] * 2, dilations=[dilation] * 2,
        pads=[pad] * 4, group=1,
    )  # fmt: skip


def conv_relu(net: Net, x: Value, name: str, channels: int, **options: Any) -> Value:
    """A convolution with its batch normalisation folded in, and a rectifier."""
    return relu(net, conv(net, x, name, channels, 3, gain=math.sqrt(2), **options))


def relu(net: Net, x: Value) -> Value:
    return net.node("Relu", x, shape=x.shape)


def sigmoid(net: Net, x: Value) -> Value:
    return net.node("Sigmoid", x, shape=x.shape)


def batch_norm(net: Net, x: Value, name: str) -> Value:
    scale = net.parameter(f"{name}.weight", x.channels, spread=0.1, centre=1)
    shift, mean = (
        net.parameter(f"{name}.{part}", x.channels, spread=0.1) for part in ("bias", "mean")
    )
    variance = net.constant(f"{name}.variance", np.full(x.channels, 0.5, np.float32))
    inputs = (x, scale, shift, mean, variance)
    return net.node("BatchNormalization", *inputs, shape=x.shape, epsilon=1e-5, momentum=0.9)


def layer_norm(net: Net, x: Value, name: str) -> Value:
    """Over the last axis."""
    scale = net.parameter(f"{name}.weight", x.shape[-1], spread=0.1, centre=1)
    shift = net.parameter(f"{name}.bias", x.shape[-1], spread=0.1)
    return net.node("LayerNormalization", x, scale, shift, shape=x.shape, axis=-1, epsilon=1e-5)


def linear(  # noqa: PLR0913 - as above
    net: Net, x: Value, name: str, width: int, *, bias: bool = True, gain: float = 1.0
) -> Value:
    spread = gain / math.sqrt(x.shape[-1])
    weight = net.parameter(f"{name}.weight", x.shape[-1], width, spread=spread)
    product = net.node("MatMul", x, weight, shape=(*x.shape[:-1], width))
    if not bias:
        return product
    return add(net, product, net.parameter(f"{name}.bias", width, spread=0.02))


def gelu(net: Net, x: Value) -> Value:
    scaled = net.node("Div", x, _number(math.sqrt(2)), shape=x.shape)
    raised = net.node("Erf", scaled, shape=x.shape)
    raised = net.node("Add", raised, _number(1), shape=x.shape)
    return mul(net, mul(net, x, raised), _number(0.5))


def mlp(net: Net, x: Value, name: str) -> Value:
    """Two layers, four times as wide between them."""
    wide = gelu(net, linear(net, x, f"{name}.fc1", 4 * x.shape[-1]))
    return linear(net, wide, f"{name}.fc2", x.shape[-1], gain=0.5)


def softmax(net: Net, x: Value) -> Value:
    return net.node("Softmax", x, shape=x.shape, axis=-1)


def add(net: Net, a: Value, b: Value | Array) -> Value:
    return net.node("Add", a, b, shape=np.broadcast_shapes(a.shape, b.shape))


def mul(net: Net, a: Value, b: Value | Array) -> Value:
    return net.node("Mul", a, b, shape=np.broadcast_shapes(a.shape, b.shape))


def matmul(net: Net, a: Value, b: Value) -> Value:
    return net.node("MatMul", a, b, shape=(*a.shape[:-1], b.shape[-1]))


def scaled(net: Net, x: Value, factor: float) -> Value:
    return mul(net, x, _number(factor))


def reshape(net: Net, x: Value, *shape: int) -> Value:
    return net.node("Reshape", x, np.array(shape, np.int64), shape=shape)


def transpose(net: Net, x: Value, *axes: int) -> Value:
    return net.node("Transpose", x, shape=[x.shape[axis] for axis in axes], perm=list(axes))


def concat(net: Net, *values: Value, axis: int = 1) -> Value:
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return net.node("Concat", *values, shape=shape, axis=axis)


def cut(  # noqa: PLR0913 - as above
    net: Net, x: Value, axis: int, start: int, end: int, *, step: int = 1
) -> Value:
    """x[…, start:end:step, …] along one axis."""
    shape = list(x.shape)
    shape[axis] = len(range(start, end, step))
    bounds = (np.array([number], np.int64) for number in (start, end, axis, step))
    return net.node("Slice", x, *bounds, shape=shape)


def resize(net: Net, x: Value, size: tuple[int, int], *, alignment: Alignment) -> Value:
    """Bilinear."""
    shape = (*x.shape[:2], *size)
    target = np.array(shape, np.int64)
    return net.node(
        "Resize", x, None, None, target, shape=shape,
        coordinate_transformation_mode=alignment, mode="linear", nearest_mode="floor",
        cubic_coeff_a=-0.75,
    )  # fmt: skip


def _number(value: float) -> Array:
    return np.array(value, np.float32)
