"""wav2vec 2.0 with a layer for CTC: sound of any length in, characters every 320 samples out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import onnx

from tests.bench.standins.layers import (
    add,
    gelu,
    layer_norm,
    linear,
    matmul,
    mlp,
    mul,
    scaled,
    softmax,
    transpose,
)
from tests.bench.standins.net import Net, Value

KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
CHARACTERS = 32
_SAMPLES = 16_000  # to write the shapes down with; the network takes any number


@dataclass(frozen=True)
class Listener:
    """The channels of the convolutions; layers, width and heads of the transformer.

    `near` is how many steps each step knows the place of, by a convolution in `groups`. The
    characters' logits have a spread of about `peaks`.
    """

    channels: int = 512
    width: int = 768
    depth: int = 12
    heads: int = 12
    near: int = 128
    groups: int = 16
    peaks: float = 10.0


BASE = Listener()


def wav2vec2(size: Listener = BASE) -> onnx.ModelProto:
    """Of the shape of `wav2vec2-base-960h`, unless told another."""
    net = Net()
    sound = net.input("input_values", 1, _SAMPLES)
    axis = np.array([1], np.int64)
    x = net.node("Unsqueeze", sound, axis, shape=(1, 1, _SAMPLES))
    for index, (kernel, stride) in enumerate(zip(KERNELS, STRIDES, strict=True)):
        x = _conv(net, x, f"feature.{index}", size.channels, kernel, stride=stride)
        x = gelu(net, _each_channel_normal(net, x, "feature.norm") if index == 0 else x)
    x = layer_norm(net, transpose(net, x, 0, 2, 1), "projection.norm")
    x = linear(net, x, "projection", size.width)
    x = layer_norm(net, add(net, x, _places(net, x, size)), "encoder.norm")
    for index in range(size.depth):
        name = f"encoder.{index}"
        x = layer_norm(net, add(net, x, _attention(net, x, name, size.heads)), f"{name}.norm1")
        x = layer_norm(net, add(net, x, mlp(net, x, f"{name}.mlp")), f"{name}.norm2")
    logits = linear(net, x, "characters", CHARACTERS, gain=size.peaks)
    return _of_any_length(net.model(logits))


def _conv(  # noqa: PLR0913 - a convolution has that many
    net: Net, x: Value, name: str, channels: int, kernel: int,
    *, stride: int = 1, pad: int = 0, groups: int = 1,
) -> Value:  # fmt: skip
    """Of sound, N×C×steps, without a bias."""
    inside = x.channels // groups
    spread = math.sqrt(2 / (inside * kernel))
    weight = net.parameter(f"{name}.weight", channels, inside, kernel, spread=spread)
    steps = (x.shape[2] + 2 * pad - kernel) // stride + 1
    return net.node(
        "Conv", x, weight, shape=(1, channels, steps), kernel_shape=[kernel], strides=[stride],
        dilations=[1], pads=[pad, pad], group=groups,
    )  # fmt: skip


def _each_channel_normal(net: Net, x: Value, name: str) -> Value:
    """Normalise each channel over all steps: one group a channel, as it is exported."""
    ones, zeros = np.ones(x.channels, np.float32), np.zeros(x.channels, np.float32)
    normal = net.node("InstanceNormalization", x, ones, zeros, shape=x.shape, epsilon=1e-5)
    scale = net.parameter(f"{name}.weight", x.channels, 1, spread=0.1, centre=1)
    return add(net, mul(net, normal, scale), net.parameter(f"{name}.bias", x.channels, 1))


def _places(net: Net, x: Value, size: Listener) -> Value:
    turned = transpose(net, x, 0, 2, 1)
    pad = size.near // 2
    wide = _conv(
        net, turned, "places", size.width, size.near, pad=pad, groups=size.groups
    )  # one step too many
    bounds = [np.array([number], np.int64) for number in (0, -1, 2, 1)]
    found = net.node("Slice", wide, *bounds, shape=turned.shape)
    return transpose(net, gelu(net, found), 0, 2, 1)


def _attention(net: Net, x: Value, name: str, heads: int) -> Value:
    width = x.shape[-1]
    queries = scaled(net, linear(net, x, f"{name}.query", width), 1 / math.sqrt(width // heads))
    keys, values = (linear(net, x, f"{name}.{part}", width) for part in ("key", "value"))
    queries, keys, values = (_by_head(net, each, heads) for each in (queries, keys, values))
    found = matmul(
        net, softmax(net, matmul(net, queries, transpose(net, keys, 0, 1, 3, 2))), values
    )
    joined = _reshaped(net, transpose(net, found, 0, 2, 1, 3), x.shape, (1, -1, width))
    return linear(net, joined, f"{name}.out", width)


def _by_head(net: Net, x: Value, heads: int) -> Value:
    _, steps, width = x.shape
    each = width // heads
    split = _reshaped(net, x, (1, steps, heads, each), (1, -1, heads, each))
    return transpose(net, split, 0, 2, 1, 3)


def _reshaped(net: Net, x: Value, shape: tuple[int, ...], told: tuple[int, ...]) -> Value:
    return net.node("Reshape", x, np.array(told, np.int64), shape=shape)


def _of_any_length(model: onnx.ModelProto) -> onnx.ModelProto:
    for value, name in ((model.graph.input[0], "samples"), (model.graph.output[0], "steps")):
        value.type.tensor_type.shape.dim[1].dim_param = name
    return model
