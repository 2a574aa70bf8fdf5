"""Convert the three networks of MTCNN (Zhang et al., 2016), as facenet-pytorch publishes them.

Each takes `pixels`, batch × 3 × rows × columns of RGB in 0…255, already resized. `offsets` are of
left, top, right and bottom, in shares of the box; `scores` are probabilities of a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx

from containers.model_downloader.conversion.checkpoint import Checkpoint
from containers.model_downloader.conversion.network import Numbers
from containers.model_downloader.conversion.pictures import Layer, Pictures
from containers.model_downloader.conversion.weights import Weights

_PIXELS: Final = "pixels"
_GREY: Final = 127.5
_RANGE: Final = 128.0  # as it was trained: not 127.5
_SIDE: Final = 3  # of the crop, when it is flattened
_POINTS: Final = 10  # x of five points, then y
_SECOND: Final = np.array([1], np.int64)  # axis


def pnet(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network that looks at each 12 × 12 pixels of a picture, 2 pixels apart.

    `offsets` is batch × 4 × rows × columns, `scores` batch × rows × columns.
    """
    net = Pictures(weights=Weights(checkpoint.tensors()))
    value, width = _convolutions(net, pools=[2, 0, 0])
    faces = Layer(*_face_against_none(net, "conv4_1", width, 1, 1))
    score = net.node("Sigmoid", [net.convolved(value, "logits", faces)], "score")
    net.node("Squeeze", [score, net.constant("channel", _SECOND)], "scores")
    kernel = net.weights.take("conv4_2.weight", 4, width, 1, 1)
    net.convolved(value, "offsets", Layer(kernel, net.weights.take("conv4_2.bias", 4)))
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
    value, width = net.centred(_PIXELS, [_GREY] * 3), 3
    for place, size in enumerate(pools, start=1):
        kernel = net.weights.take(f"conv{place}.weight", None, width, None, None)
        width = len(kernel)
        layer = Layer(kernel, net.weights.take(f"conv{place}.bias", width))
        value = net.convolved(value, f"conv{place}", layer.divided(_RANGE if place == 1 else 1))
        # ONNX aligns slopes with the last axes, so those of channels need two axes more.
        slopes = net.weights.take(f"prelu{place}.weight", width)[:, None, None]
        value = _prelu(net, value, f"prelu{place}", slopes)
        if size:
            # These round the number of windows up: the last one may reach beyond the picture.
            up = {"ceil_mode": 1}
            value = net.largest(value, f"pool{place}", size=size, stride=2, padding=up)
    return value, width


def _prelu(net: Pictures, source: str, name: str, slopes: Numbers) -> str:
    return net.node("PRelu", [source, net.numbers(f"{name}.slopes", slopes)], name)


def _flattened(net: Pictures, source: str, place: int, channels: int) -> tuple[str, int]:
    """Flatten a crop, and add a dense layer with a PReLU; return its output and width."""
    weight = net.weights.take(f"dense{place}.weight", None, channels * _SIDE**2)
    width = len(weight)
    # The weights come from MATLAB's Caffe, whose crops are columns × rows × channels; ours are
    # channels × rows × columns.
    turned = weight.reshape(width, _SIDE, _SIDE, channels).transpose(3, 2, 1, 0)
    flat = net.node("Flatten", [source], "flat")
    bias = net.weights.take(f"dense{place}.bias", width)
    value = net.dense(flat, f"dense{place}", turned.reshape(-1, width), bias)
    slopes = net.weights.take(f"prelu{place}.weight", width)
    return _prelu(net, value, f"prelu{place}", slopes), width


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
