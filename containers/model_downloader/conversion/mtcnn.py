"""Convert the three networks of MTCNN (Zhang et al., 2016), as facenet-pytorch publishes them.

Each takes `pixels`, batch × 3 × rows × columns of RGB in 0…255, already resized. `offsets` are of
left, top, right and bottom, in shares of the box; `scores` are probabilities of a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from onnx import helper

from containers.model_downloader.conversion.checkpoint import Checkpoint
from containers.model_downloader.conversion.network import Numbers
from containers.model_downloader.conversion.parametric_relu import activated, for_blocks, pooled
from containers.model_downloader.conversion.pictures import Layer, Pictures
from containers.model_downloader.conversion.weights import Weights

_PIXELS: Final = "pixels"
_GREY: Final = 127.5
_RANGE: Final = 128.0  # as it was trained: not 127.5
_SIDE: Final = 3  # of the crop, when it is flattened
_POINTS: Final = 10  # x of five points, then y
_REST: Final = 11  # channels of zeros, so that pnet's answers are 16
_SECOND: Final = np.array([1], np.int64)  # axis


def pnet(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network that looks at each 12 × 12 pixels of a picture, 2 pixels apart.

    `offsets` is batch × 4 × rows × columns, `scores` batch × rows × columns.
    """
    net = Pictures(weights=Weights(checkpoint.tensors()))
    value, width = _convolutions(net, pools=[2, 0, 0])
    face, bias = _face_against_none(net, "conv4_1", width, 1, 1)
    sides = net.weights.take("conv4_2.weight", 4, width, 1, 1)
    # One convolution, of a whole block: two small ones would convert the order of their input.
    kernel = np.concatenate([sides, face, np.zeros((_REST, width, 1, 1))])
    biases = np.concatenate([net.weights.take("conv4_2.bias", 4), bias, np.zeros(_REST)])
    answers = net.convolved(value, "answers", Layer(for_blocks(kernel, 1), biases))
    parts = net.constant("parts", np.array([4, 1, _REST], np.int64))
    net.nodes.append(
        helper.make_node("Split", [answers, parts], ["offsets", "logits", "rest"], axis=1)
    )
    score = net.node("Sigmoid", ["logits"], "score")
    net.node("Squeeze", [score, net.constant("channel", _SECOND)], "scores")
    net.weights.require_all_taken()
    return net.model(
        (_PIXELS, ["batch", 3, "rows", "columns"]),
        ("offsets", ["batch", 4, "place_rows", "place_columns"]),
        ("scores", ["batch", "place_rows", "place_columns"]),
    )


def rnet(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network that looks at crops of 24 × 24 pixels.

    `offsets` is batch × 4, `scores` batch.
    """
    net = Pictures(weights=Weights(checkpoint.tensors()))
    value, channels = _convolutions(net, pools=[3, 3, 0])
    value, width = _flattened(net, value, 4, channels)
    _scores(net, value, "dense5_1", width)
    _linear(net, value, "dense5_2", width, ("offsets", 4))
    net.weights.require_all_taken()
    return net.model(
        (_PIXELS, ["batch", 3, 24, 24]), ("offsets", ["batch", 4]), ("scores", ["batch"])
    )


def onet(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network that looks at crops of 48 × 48 pixels.

    `offsets` is batch × 4, `scores` batch, and `points` batch × 10: x of the eyes, the nose and the
    corners of the mouth, then y, in shares of the box.
    """
    net = Pictures(weights=Weights(checkpoint.tensors()))
    value, channels = _convolutions(net, pools=[3, 3, 2, 0])
    value, width = _flattened(net, value, 5, channels)
    _scores(net, value, "dense6_1", width)
    _linear(net, value, "dense6_2", width, ("offsets", 4))
    _linear(net, value, "dense6_3", width, ("points", _POINTS))
    net.weights.require_all_taken()
    return net.model(
        (_PIXELS, ["batch", 3, 48, 48]),
        ("offsets", ["batch", 4]),
        ("scores", ["batch"]),
        ("points", ["batch", _POINTS]),
    )


def _convolutions(net: Pictures, *, pools: Sequence[int]) -> tuple[str, int]:
    """Add convolutions, each followed by a PReLU and, unless its size is 0, a pooling.

    Returns the last output and its channels.
    """
    value, width = _PIXELS, 3
    for place, size in enumerate(pools, start=1):
        name = f"conv{place}"
        kernel = net.weights.take(f"{name}.weight", None, width, None, None).astype(np.float64)
        width = len(kernel)
        bias = net.weights.take(f"{name}.bias", width)
        layer = _centred(Layer(kernel, bias)) if place == 1 else Layer(for_blocks(kernel, 1), bias)
        slopes = net.weights.take(f"prelu{place}.weight", width).astype(np.float64)
        if size:
            value = pooled(net, value, name, layer, slopes, size=size)
        else:
            value = activated(net, value, name, layer, slopes)
    return value, width


def _centred(layer: Layer) -> Layer:
    """Return the layer for pixels of 0…255. It does not pad, so its bias can hold the centre."""
    scaled = layer.divided(_RANGE)
    return scaled._replace(bias=scaled.bias - _GREY * scaled.kernel.sum(axis=(1, 2, 3)))


def _flattened(net: Pictures, source: str, place: int, channels: int) -> tuple[str, int]:
    """Flatten a crop, and add a dense layer with a PReLU; return its output and width."""
    weight = net.weights.take(f"dense{place}.weight", None, channels * _SIDE**2)
    width = len(weight)
    # The weights come from MATLAB's Caffe, whose crops are columns × rows × channels; ours are
    # channels × rows × columns.
    turned = weight.reshape(width, _SIDE, _SIDE, channels).transpose(3, 2, 1, 0)
    flat = net.node("Flatten", [source], "flat")
    bias = net.weights.take(f"dense{place}.bias", width)
    whole = for_blocks(turned, 0).reshape(-1, width)
    value = net.dense(flat, f"dense{place}", whole, bias)
    slopes = net.numbers(f"prelu{place}.slopes", net.weights.take(f"prelu{place}.weight", width))
    return net.node("PRelu", [value, slopes], f"prelu{place}"), width


def _linear(net: Pictures, source: str, name: str, width: int, given: tuple[str, int]) -> None:
    """Add the output `given`, of a name and a size."""
    output, size = given
    weight = net.weights.take(f"{name}.weight", size, width)
    net.dense(source, output, weight.T, net.weights.take(f"{name}.bias", size))


def _scores(net: Pictures, source: str, name: str, width: int) -> None:
    weight, bias = _face_against_none(net, name, width)
    score = net.node("Sigmoid", [net.dense(source, "logits", weight.T, bias)], "score")
    net.node("Squeeze", [score, net.constant("class", _SECOND)], "scores")


def _face_against_none(net: Pictures, name: str, *shape: int) -> tuple[Numbers, Numbers]:
    """Return the weights of the second class less those of the first.

    The sigmoid of that one logit is the second of the two probabilities that softmax would make.
    """
    weight = net.weights.take(f"{name}.weight", 2, *shape)
    bias = net.weights.take(f"{name}.bias", 2)
    return weight[1:] - weight[:1], bias[1:] - bias[:1]
