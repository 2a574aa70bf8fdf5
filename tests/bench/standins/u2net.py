"""U-2-Net: a U of small Us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from tests.bench.standins.layers import add, concat, conv, conv_relu, resize, sigmoid
from tests.bench.standins.net import Net, Value

SIDE = 320


@dataclass(frozen=True)
class Stage:
    """A small U; a `dilated` one reaches far by dilation instead of pooling."""

    depth: int
    inner: int
    out: int
    dilated: bool = False


DOWN = (
    Stage(7, 32, 64), Stage(6, 32, 128), Stage(5, 64, 256), Stage(4, 128, 512),
    Stage(4, 256, 512, dilated=True), Stage(4, 256, 512, dilated=True),
)  # fmt: skip
UP = (
    Stage(4, 256, 512, dilated=True), Stage(4, 128, 256), Stage(5, 64, 128), Stage(6, 32, 64),
    Stage(7, 16, 64),
)  # fmt: skip
SMALL_DOWN = tuple(Stage(each.depth, 16, 64, each.dilated) for each in DOWN)
SMALL_UP = tuple(Stage(each.depth, 16, 64, each.dilated) for each in UP)


def u2net(
    down: Sequence[Stage] = DOWN, up: Sequence[Stage] = UP, *, side: int = SIDE
) -> onnx.ModelProto:
    """1×3×side² to seven maps 1×1×side², the first made of the others."""
    net = Net()
    x = photo = net.input("input.1", 1, 3, side, side)
    left = []
    for index, stage in enumerate(down):
        x = _small_u(net, x if index == 0 else _pooled(net, x), f"stage{index + 1}", stage)
        left.append(x)
    right = [left[-1]]
    for index, stage in enumerate(up):
        beside = left[-2 - index]
        grown = resize(net, right[-1], beside.size, alignment="half_pixel")
        right.append(_small_u(net, concat(net, grown, beside), f"stage{len(up) - index}d", stage))
    sides = [
        resize(
            net, conv(net, each, f"side{index}", 1, 3, gain=0.3), photo.size, alignment="half_pixel"
        )
        for index, each in enumerate(reversed(right))
    ]
    fused = conv(net, concat(net, *sides), "outconv", 1, 1)
    return net.model(*(sigmoid(net, each) for each in (fused, *sides)))


def u2netp() -> onnx.ModelProto:
    return u2net(SMALL_DOWN, SMALL_UP)


def _small_u(net: Net, x: Value, name: str, stage: Stage) -> Value:
    start = conv_relu(net, x, f"{name}.in", stage.out)
    left = [conv_relu(net, start, f"{name}.1", stage.inner)]
    for index in range(2, stage.depth):
        dilation = 2 ** (index - 1) if stage.dilated else 1
        source = left[-1] if stage.dilated else _pooled(net, left[-1])
        left.append(conv_relu(net, source, f"{name}.{index}", stage.inner, dilation=dilation))
    deepest = 2 ** (stage.depth - 1) if stage.dilated else 2
    x = conv_relu(net, left[-1], f"{name}.{stage.depth}", stage.inner, dilation=deepest)
    for index in range(stage.depth - 1, 0, -1):
        beside = left[index - 1]
        if x.size != beside.size:
            x = resize(net, x, beside.size, alignment="half_pixel")
        channels = stage.inner if index > 1 else stage.out
        dilation = 2 ** (index - 1) if stage.dilated else 1
        joined = concat(net, x, beside)
        x = conv_relu(net, joined, f"{name}.{index}d", channels, dilation=dilation)
    return add(net, x, start)


def _pooled(net: Net, x: Value) -> Value:
    height, width = (-(-side // 2) for side in x.size)
    return net.node(
        "MaxPool", x, shape=(1, x.channels, height, width),
        kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1,
    )  # fmt: skip
