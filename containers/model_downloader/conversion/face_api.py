"""Convert the networks of face-api: detectors, landmarks, expressions, age and gender, recognition.

The architectures are those of `@vladmandic/face-api` 1.7.15, and the tensors have its names. Each
network takes `pixels`, batch × 3 × rows × columns of RGB in 0…255, already resized.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx

from containers.model_downloader.conversion.pictures import (
    NONE,
    SAME,
    Layer,
    Padding,
    Pictures,
    batch_norm,
    depthwise_of_tensorflow,
    of_tensorflow,
)
from containers.model_downloader.conversion.weights import Weight, Weights

_PIXELS: Final = "pixels"
_WHITE: Final = 255.0
_MEAN: Final = (122.782, 117.001, 104.298)  # of every network but the two detectors
_CROPS: Final = ("batch", 3, 112, 112)

_SSD_SIDE: Final = 512
_SSD_GREY: Final = 127.5
_SSD_PLACES: Final = 14
_SSD_HALVED: Final = (2, 4, 6, 12)  # places whose depthwise convolution has a stride of 2
_SSD_FIRST_GRID: Final = 11  # the place whose output is the first of six grids
_SSD_CLASSES: Final = 3
_SSD_FACE: Final = 1  # of the classes; face-api does not read the others
_SSD_EPSILON: Final = 0.001
# Of the graph that the file was made of: what face-api does to pixels stands in its code.
_SSD_UNUSED: Final = ("Preprocessor/mul/x", "Preprocessor/sub/y")

_TINY_MEAN: Final = (117.001, 114.697, 97.404)
_TINY_SLOPE: Final = 0.1  # of its leaky ReLU

_DLIB_SIDE: Final = 150
_DLIB_POOLED: Final = 35  # the side of what enters the first block
_DLIB_BLOCKS: Final = (
    "conv32_1", "conv32_2", "conv32_3",
    "conv64_down", "conv64_1", "conv64_2", "conv64_3",
    "conv128_down", "conv128_1", "conv128_2",
    "conv256_down", "conv256_1", "conv256_2", "conv256_down_out",
)  # fmt: skip


def ssd(weights: Weights) -> onnx.ModelProto:
    """Return the detector: one shot (Liu et al., 2016) with MobileNet (Howard et al., 2017).

    `pixels` is 1 × 3 × 512 × 512. `boxes` is 1 × anchors × (top, left, bottom, right) in shares of
    the picture, and `scores` 1 × anchors, each the probability of a face.
    """
    net = Pictures(weights=weights)
    net.numbers("zero", np.array(0.0))
    net.numbers("six", np.array(6.0))
    value = net.centred(_PIXELS, [_SSD_GREY] * 3)
    value = _pointwise(net, value, "MobilenetV1/Conv2d_0", stride=2, white=_SSD_GREY)
    grids = []
    for place in range(1, _SSD_PLACES):
        name = f"MobilenetV1/Conv2d_{place}"
        value = _depthwise(net, value, name, stride=2 if place in _SSD_HALVED else 1)
        value = _pointwise(net, value, name)
        if place == _SSD_FIRST_GRID:
            grids.append(value)
    grids.append(value)
    for place in range(8):
        value = _pointwise(net, value, f"Prediction/Conv2d_{place}", stride=1 + place % 2)
        if place % 2:
            grids.append(value)
    predicted = [_predicted(net, grid, place) for place, grid in enumerate(grids)]
    offsets, logits = zip(*predicted, strict=True)
    net.node("Sigmoid", [net.node("Concat", logits, "logits", axis=1)], "scores")
    anchors = weights.take("Output/extra_dim", 1, None, 4)
    _decoded(net, net.node("Concat", offsets, "offsets", axis=1), anchors)
    weights.require_all_taken(but=_SSD_UNUSED)
    count = anchors.shape[1]
    return net.model(
        (_PIXELS, [1, 3, _SSD_SIDE, _SSD_SIDE]), ("boxes", [1, count, 4]), ("scores", [1, count])
    )


def _pointwise(net: Pictures, source: str, name: str, *, stride: int = 1, white: float = 1) -> str:
    """Convolve all channels, after division by `white`."""
    name = f"{name}_pointwise"
    kernel = of_tensorflow(net.weights.take(f"{name}/weights", None, None, None, None))
    layer = Layer(kernel, net.weights.take(f"{name}/convolution_bn_offset", len(kernel)))
    made = net.convolved(source, name, layer.divided(white), stride=stride, padding=SAME)
    return _clipped(net, made)


def _depthwise(net: Pictures, source: str, name: str, *, stride: int) -> str:
    """Convolve each channel by itself."""
    name = f"{name}_depthwise"
    layer = depthwise_of_tensorflow(net.weights.take(f"{name}/depthwise_weights", 3, 3, None, 1))
    gamma, beta, mean, variance = (
        net.weights.take(f"{name}/BatchNorm/{what}", layer.groups)
        for what in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    norm = batch_norm(gamma, beta, mean, variance, epsilon=_SSD_EPSILON)
    made = net.convolved(source, name, layer.scaled(*norm), stride=stride, padding=SAME)
    return _clipped(net, made)


def _clipped(net: Pictures, source: str) -> str:
    return net.node("Clip", [source, "zero", "six"], f"{source}/clipped")


def _predicted(net: Pictures, grid: str, place: int) -> tuple[str, str]:
    """Return a grid's offsets, 1 × anchors × 4, and its logits of a face, 1 × anchors."""
    prefix = f"Prediction/BoxPredictor_{place}"
    boxes = _plain_layer(net, f"{prefix}/BoxEncodingPredictor", "weights", "biases")
    classes = _plain_layer(net, f"{prefix}/ClassPredictor", "weights", "biases")
    kernel, bias = (each[_SSD_FACE::_SSD_CLASSES] for each in (classes.kernel, classes.bias))
    return (
        _flat(net, net.convolved(grid, f"{prefix}/boxes", boxes), [1, -1, 4]),
        _flat(net, net.convolved(grid, f"{prefix}/faces", Layer(kernel, bias)), [1, -1]),
    )


def _flat(net: Pictures, source: str, shape: list[int]) -> str:
    """Put a grid's anchors in a row, those of a cell next to each other: channels come last."""
    last = net.node("Transpose", [source], f"{source}/last", perm=[0, 2, 3, 1])
    sizes = net.constant(f"{source}.shape", np.array(shape, np.int64))
    return net.node("Reshape", [last, sizes], f"{source}/flat")


def _decoded(net: Pictures, offsets: str, anchors: Weight) -> None:
    """Add `boxes`: each anchor moved by a tenth of its offset, and stretched by e to a fifth."""
    size = anchors[..., 2:] - anchors[..., :2]
    centre = anchors[..., :2] + size / 2
    moved, stretched = (_pair(net, offsets, name, at) for name, at in (("moved", 0), ("grown", 2)))
    step = net.node("Mul", [moved, net.numbers("tenth", size / 10)], "step")
    middle = net.node("Add", [step, net.numbers("centre", centre)], "middle")
    power = net.node("Mul", [stretched, net.numbers("fifth", np.array(0.2))], "power")
    factor = net.node("Exp", [power], "factor")
    reach = net.node("Mul", [factor, net.numbers("half", size / 2)], "reach")
    corners = [net.node(op, [middle, reach], f"corner/{op}") for op in ("Sub", "Add")]
    net.node("Concat", corners, "boxes", axis=2)


def _pair(net: Pictures, source: str, name: str, at: int) -> str:
    """Take two values of the last axis."""
    ends = (("first", at), ("end", at + 2), ("axis", 2))
    places = [net.constant(f"{name}.{what}", np.array([one], np.int64)) for what, one in ends]
    return net.node("Slice", [source, *places], name)


def tiny(weights: Weights) -> onnx.ModelProto:
    """Return the small detector, YOLO 2 (Redmon and Farhadi, 2017) of separable convolutions.

    `pixels` is 1 × 3 × rows × columns, multiples of 32. `grid` is 1 × 25 × rows/32 × columns/32: of
    each cell's 5 anchors four offsets and a score, before the sigmoid.
    """
    net = Pictures(weights=weights)
    value = net.centred(_PIXELS, _TINY_MEAN)
    # Alone among those of 3 × 3 pixels it does not pad, as published.
    first = _plain_layer(net, "conv0", "filters", "bias").divided(_WHITE)
    value = net.convolved(value, "conv0", first)
    for place in range(1, 6):
        value = _pooled(net, value, place, stride=2)
        value = _separable(net, value, f"conv{place}", padding={"pads": [1, 1, 1, 1]})
    value = _plain(net, _pooled(net, value, 6, stride=1), "conv8")
    net.node("Identity", [value], "grid")
    numbers = weights.take("conv8/bias", None).size
    weights.require_all_taken()
    return net.model(
        (_PIXELS, [1, 3, "rows", "columns"]), ("grid", [1, numbers, "cell_rows", "cell_columns"])
    )


def _pooled(net: Pictures, source: str, place: int, *, stride: int) -> str:
    value = net.node("LeakyRelu", [source], f"{source}/leaky", alpha=_TINY_SLOPE)
    return net.largest(value, f"pool{place}", size=2, stride=stride, padding=SAME)


def _plain(
    net: Pictures, source: str, name: str, *, stride: int = 1, padding: Padding = NONE
) -> str:
    """Convolve all channels."""
    layer = _plain_layer(net, name, "filters", "bias")
    return net.convolved(source, name, layer, stride=stride, padding=padding)


def _plain_layer(net: Pictures, name: str, kernel: str, bias: str) -> Layer:
    """Take a convolution's numbers, which the network's tensors call `kernel` and `bias`."""
    taken = of_tensorflow(net.weights.take(f"{name}/{kernel}", None, None, None, None))
    return Layer(taken, net.weights.take(f"{name}/{bias}", len(taken)))


def _separable(
    net: Pictures, source: str, name: str, *, stride: int = 1, padding: Padding = SAME
) -> str:
    """Convolve each channel by itself, then mix the channels."""
    each = depthwise_of_tensorflow(net.weights.take(f"{name}/depthwise_filter", 3, 3, None, 1))
    apart = net.convolved(source, f"{name}/each", each, stride=stride, padding=padding)
    mixing = of_tensorflow(net.weights.take(f"{name}/pointwise_filter", 1, 1, each.groups, None))
    layer = Layer(mixing, net.weights.take(f"{name}/bias", len(mixing)))
    return net.convolved(apart, name, layer)


def landmarks(weights: Weights) -> onnx.ModelProto:
    """Return the network from batch × 3 × 112 × 112 to `points`, batch × 136.

    They are x and y of 68 points, in shares of the crop.
    """
    net = Pictures(weights=weights)
    width = _classified(net, _dense_features(net), "fc", "points")
    weights.require_all_taken()
    return net.model((_PIXELS, _CROPS), ("points", ["batch", width]))


def expressions(weights: Weights) -> onnx.ModelProto:
    """Return the network from batch × 3 × 112 × 112 to `probabilities`, batch × 7.

    They are of neutral, happy, sad, angry, fearful, disgusted and surprised.
    """
    net = Pictures(weights=weights)
    width = _classified(net, _dense_features(net), "fc", "logits")
    net.node("Softmax", ["logits"], "probabilities", axis=1)
    weights.require_all_taken()
    return net.model((_PIXELS, _CROPS), ("probabilities", ["batch", width]))


def _dense_features(net: Pictures) -> str:
    """Add four blocks, in which a layer gets the sum of all before it; return batch × channels."""
    value = _entered(net, "dense0/conv0")
    for block in range(4):
        name = f"dense{block}/conv"
        if block:
            value = net.relu(_separable(net, value, f"{name}0", stride=2))
        summed = value
        for layer in range(1, 4):
            made = _separable(net, value, f"{name}{layer}")
            summed = net.node("Add", [summed, made], f"{name}{layer}/sum")
            value = net.relu(summed)
    return _averaged(net, value)


def _entered(net: Pictures, name: str) -> str:
    """Centre the pixels of a face, scale them to 1, and halve the picture."""
    layer = _plain_layer(net, name, "filters", "bias").divided(_WHITE)
    centred = net.centred(_PIXELS, _MEAN)
    return net.relu(net.convolved(centred, name, layer, stride=2, padding=SAME))


def _averaged(net: Pictures, source: str) -> str:
    """Return the mean of 7 × 7 pixels, which are all, as batch × channels."""
    pooled = net.mean(source, "mean_pixel", size=7, stride=2)
    return net.node("Flatten", [pooled], "features")


def _classified(net: Pictures, source: str, name: str, output: str) -> int:
    """Add a dense layer that ends in `output`; return its width."""
    weight = net.weights.take(f"{name}/weights", None, None)
    bias = net.weights.take(f"{name}/bias", weight.shape[1])
    net.dense(source, output, weight, bias)
    return bias.size


def ages(weights: Weights) -> onnx.ModelProto:
    """Return the network from batch × 3 × 112 × 112 to `age` and `gender` (Chollet, 2017).

    `age` is batch × 1 in years, and `gender` the probabilities of male and female, batch × 2.
    """
    net = Pictures(weights=weights)
    value = _entered(net, "entry_flow/conv_in")
    value = _reduced(net, value, "entry_flow/reduction_block_0", active=value)
    value = _reduced(net, value, "entry_flow/reduction_block_1", active=net.relu(value))
    for block in range(weights.count("middle_flow/main_block_{}/separable_conv0/bias")):
        made = value
        for layer in range(3):
            name = f"middle_flow/main_block_{block}/separable_conv{layer}"
            made = _separable(net, net.relu(made), name)
        value = net.node("Add", [made, value], f"middle_flow/main_block_{block}")
    value = _reduced(net, value, "exit_flow/reduction_block", active=net.relu(value))
    value = net.relu(_separable(net, value, "exit_flow/separable_conv"))
    features = _averaged(net, value)
    _classified(net, features, "fc/age", "age")
    _classified(net, features, "fc/gender", "logits")
    net.node("Softmax", ["logits"], "gender", axis=1)
    weights.require_all_taken()
    return net.model((_PIXELS, _CROPS), ("age", ["batch", 1]), ("gender", ["batch", 2]))


def _reduced(net: Pictures, source: str, name: str, *, active: str) -> str:
    """Halve the picture. `active` is the source after a ReLU."""
    made = _separable(net, active, f"{name}/separable_conv0")
    made = _separable(net, net.relu(made), f"{name}/separable_conv1")
    pooled = net.largest(made, f"{name}/pooled", size=3, stride=2, padding=SAME)
    # The expansion takes the source itself, as published, not its ReLU.
    beside = _plain(net, source, f"{name}/expansion_conv", stride=2, padding=SAME)
    return net.node("Add", [pooled, beside], name)


def recognition(weights: Weights) -> onnx.ModelProto:
    """Return dlib's residual network from batch × 3 × 150 × 150 to `embedding`, batch × 128.

    The embedding is not normalised.
    """
    net = Pictures(weights=weights)
    value = net.centred(_PIXELS, _MEAN)
    layer = _scaled_layer(net, "conv32_down").divided(_WHITE)
    value = net.relu(net.convolved(value, "conv32_down", layer, stride=2))
    value = net.largest(value, "pooled", size=3, stride=2)
    side, channels = _DLIB_POOLED, len(layer.bias)
    for block in _DLIB_BLOCKS:
        value, side, channels = _residual(net, value, block, side=side, channels=channels)
    pooled = net.node("GlobalAveragePool", [value], "mean_pixel")
    weight = weights.take("fc", channels, None)
    net.dense(net.node("Flatten", [pooled], "features"), "embedding", weight)
    weights.require_all_taken()
    side = _DLIB_SIDE
    return net.model((_PIXELS, ["batch", 3, side, side]), ("embedding", ["batch", weight.shape[1]]))


def _residual(
    net: Pictures, source: str, name: str, *, side: int, channels: int
) -> tuple[str, int, int]:
    """Add a block; return its output, side and channels. One called `…_down…` halves the side."""
    down = "_down" in name
    first = _scaled_layer(net, f"{name}/conv1")
    stride, padding = (2, NONE) if down else (1, SAME)
    made = net.convolved(source, f"{name}/conv1", first, stride=stride, padding=padding)
    second = _scaled_layer(net, f"{name}/conv2")
    made = net.convolved(net.relu(made), f"{name}/conv2", second, padding=SAME)
    width, beside = len(second.bias), source
    if down:
        # The convolution does not pad, so it may make a pixel fewer than the mean of 2 × 2 pixels,
        # and it makes more channels. Zeros fill up: below, on the right, and as the last channels.
        halved, convolved = side // 2, (side - 1) // 2
        beside = net.mean(source, f"{name}/halved", size=2, stride=2)
        beside = net.padded(beside, f"{name}/wide", channels=width - channels)
        made = net.padded(made, f"{name}/whole", pixels=halved - convolved)
        side = halved
    return net.relu(net.node("Add", [made, beside], name)), side, width


def _scaled_layer(net: Pictures, name: str) -> Layer:
    """Take a convolution of all channels whose outputs are then scaled and shifted."""
    layer = _plain_layer(net, f"{name}/conv", "filters", "bias")
    scale, shift = (
        net.weights.take(f"{name}/scale/{what}", len(layer.bias)).astype(np.float64)
        for what in ("weights", "biases")
    )
    return layer.scaled(scale, shift)
