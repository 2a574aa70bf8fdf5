"""BiRefNet: a Swin backbone at two scales, and a decoder of deformable pyramids."""

from __future__ import annotations

import math

import onnx

from tests.bench.standins.deformable import deformable_layer
from tests.bench.standins.layers import (
    add,
    concat,
    conv,
    mul,
    relu,
    reshape,
    resize,
    sigmoid,
    transpose,
)
from tests.bench.standins.net import Net, Value
from tests.bench.standins.swin import LARGE, TINY, Swin, swin

SIDE, HR_SIDE = 1024, 2048
INTER, PYRAMID, DETAIL = 64, 256, 64  # channels inside a decoder block, of its pyramid, of patches


def birefnet(
    backbone: Swin = LARGE, *, side: int = SIDE, inter: int = INTER, pyramid: int = PYRAMID
) -> onnx.ModelProto:
    """1×3×side² to logits, 1×1×side²."""
    net = Net()
    photo = net.input("input_image", 1, 3, side, side)
    x1, x2, x3, x4 = _both_scales(net, photo, backbone)
    widths = [feature.channels for feature in (x1, x2, x3, x4)]
    context = [resize(net, each, x4.size, alignment="align_corners") for each in (x1, x2, x3)]
    decoder = _Decoder(net, photo, inter=inter, pyramid=pyramid)
    x4 = decoder.block(concat(net, *context, x4), "squeeze", widths[3])
    p4 = decoder.level(x4, "4", widths[2], detail=widths[3] // 8, detail_name="ipt5")
    p3 = decoder.level(
        _joined(net, p4, x3, "lateral4"), "3", widths[1], detail=widths[3] // 8, detail_name="ipt4"
    )
    p2 = decoder.level(
        _joined(net, p3, x2, "lateral3"), "2", widths[0], detail=widths[2] // 8, detail_name="ipt3"
    )
    last = decoder.with_detail(_joined(net, p2, x1, "lateral2"), "ipt2", widths[1] // 8)
    p1 = decoder.block(last, "decoder1", widths[0] // 2)
    full = resize(net, p1, photo.size, alignment="align_corners")
    whole = decoder.with_detail(full, "ipt1", widths[0] // 8)
    return net.model(conv(net, whole, "out", 1, 1))


def birefnet_lite() -> onnx.ModelProto:
    return birefnet(TINY)


def birefnet_hr() -> onnx.ModelProto:
    return birefnet(side=HR_SIDE)


def _both_scales(net: Net, photo: Value, backbone: Swin) -> list[Value]:
    """The backbone's features at full and at half size, with the same weights, side by side."""
    half = resize(net, photo, (photo.size[0] // 2, photo.size[1] // 2), alignment="align_corners")
    full_size, half_size = swin(net, photo, backbone), swin(net, half, backbone)
    return [
        concat(net, full, resize(net, small, full.size, alignment="align_corners"))
        for full, small in zip(full_size, half_size, strict=True)
    ]


def _joined(net: Net, below: Value, feature: Value, name: str) -> Value:
    grown = resize(net, below, feature.size, alignment="align_corners")
    return add(net, grown, conv(net, feature, name, feature.channels, 1))


class _Decoder:
    def __init__(self, net: Net, photo: Value, *, inter: int, pyramid: int) -> None:
        self._net, self._photo, self._inter, self._pyramid = net, photo, inter, pyramid

    def level(self, x: Value, name: str, channels: int, *, detail: int, detail_name: str) -> Value:
        """One block, dimmed where its own guess of the gradient is low."""
        net = self._net
        block = self.block(self.with_detail(x, detail_name, detail), f"decoder{name}", channels)
        guess = relu(net, conv(net, block, f"gradient{name}", 16, 3))
        return mul(net, block, sigmoid(net, conv(net, guess, f"attention{name}", 1, 1)))

    def with_detail(self, x: Value, name: str, channels: int) -> Value:
        """`x` beside the photo itself, cut into patches as small as `x`."""
        net = self._net
        patches = resize(net, self._patches(x.size), x.size, alignment="align_corners")
        inner = conv(net, patches, f"{name}.conv1", DETAIL, 3)
        return concat(net, x, conv(net, inner, f"{name}.conv2", channels, 3))

    def block(self, x: Value, name: str, channels: int) -> Value:
        net = self._net
        inner = relu(net, conv(net, x, f"{name}.in", self._inter, 3, gain=math.sqrt(2)))
        return conv(net, self._deformable_pyramid(inner, name), f"{name}.out", channels, 3)

    def _deformable_pyramid(self, x: Value, name: str) -> Value:
        """Four deformable convolutions of different reach and the mean of all, mixed."""
        net = self._net
        branches = [
            deformable_layer(net, x, f"{name}.aspp{index}", self._pyramid, kernel)
            for index, kernel in enumerate((1, 1, 3, 7))
        ]
        mean = net.node("GlobalAveragePool", x, shape=(1, x.channels, 1, 1))
        mixed = relu(net, conv(net, mean, f"{name}.pool", self._pyramid, 1))
        spread = resize(net, mixed, x.size, alignment="align_corners")
        everything = concat(net, *branches, spread)
        return relu(net, conv(net, everything, f"{name}.mix", self._inter, 1, gain=math.sqrt(2)))

    def _patches(self, size: tuple[int, int]) -> Value:
        net = self._net
        rows, columns = (whole // part for whole, part in zip(self._photo.size, size, strict=True))
        if rows == columns == 1:
            return self._photo
        grid = reshape(net, self._photo, 1, 3, rows, size[0], columns, size[1])
        turned = transpose(net, grid, 0, 1, 2, 4, 3, 5)
        return reshape(net, turned, 1, 3 * rows * columns, *size)
