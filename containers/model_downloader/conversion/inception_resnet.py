"""Convert Inception-ResNet v1 (Szegedy et al., 2016), as facenet-pytorch publishes it for faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx

from containers.model_downloader.conversion.checkpoint import Checkpoint
from containers.model_downloader.conversion.network import Numbers
from containers.model_downloader.conversion.pictures import Layer, Pictures, batch_norm
from containers.model_downloader.conversion.weights import Weights

_PIXELS: Final = "pixels"
_SIDE: Final = 160
_GREY: Final = 127.5
_RANGE: Final = 128.0  # as it was trained: not 127.5
_EPSILON: Final = 0.001
# Of training: the classes, which are people, and how many batches each batch norm has seen.
_CLASSES: Final = ("logits.weight", "logits.bias")
_COUNTER: Final = ".num_batches_tracked"


def inception_resnet_v1(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network from batch × 3 × 160 × 160 of RGB in 0…255 to `embedding`, batch × 512.

    Batch norms are folded into the layers before them. The embedding is not normalised.
    """
    tensors = checkpoint.tensors()
    weights = Weights({name: each for name, each in tensors.items() if not _counts(name)})
    net = Pictures(weights=weights)
    value = _stem(net)
    for block in range(5):
        value = _residual(net, value, f"repeat_1.{block}", share=0.17, branches=[1, 2, 3])
    value = _reduced(net, value, "mixed_6a", branches=[1, 3])
    for block in range(10):
        value = _residual(net, value, f"repeat_2.{block}", share=0.10, branches=[1, 3])
    value = _reduced(net, value, "mixed_7a", branches=[2, 2, 3])
    for block in range(5):
        value = _residual(net, value, f"repeat_3.{block}", share=0.20, branches=[1, 3])
    # The last block has no ReLU.
    value = _added(net, value, "block8", share=1.0, branches=[1, 3])
    pooled = net.node("GlobalAveragePool", [value], "mean_pixel")
    weight = weights.take("last_linear.weight", None, None)
    scale, shift = _norm(net, "last_bn", len(weight))
    features = net.node("Flatten", [pooled], "features")
    net.dense(features, "embedding", (weight * scale[:, None]).T, shift)
    weights.require_all_taken(but=_CLASSES)
    return net.model((_PIXELS, ["batch", 3, _SIDE, _SIDE]), ("embedding", ["batch", len(weight)]))


def _counts(name: str) -> bool:
    return name.endswith(_COUNTER)


def _stem(net: Pictures) -> str:
    value = net.centred(_PIXELS, [_GREY] * 3)
    first = _layer(net, "conv2d_1a").divided(_RANGE)
    value = net.relu(net.convolved(value, "conv2d_1a", first, stride=2))
    value = _convolved(net, value, "conv2d_2a")
    value = _convolved(net, value, "conv2d_2b", whole=True)
    value = net.largest(value, "maxpool_3a", size=3, stride=2)
    value = _convolved(net, value, "conv2d_3b")
    value = _convolved(net, value, "conv2d_4a")
    return _convolved(net, value, "conv2d_4b", stride=2)


def _residual(
    net: Pictures, source: str, name: str, *, share: float, branches: Sequence[int]
) -> str:
    return net.relu(_added(net, source, name, share=share, branches=branches))


def _added(net: Pictures, source: str, name: str, *, share: float, branches: Sequence[int]) -> str:
    """Add a share of what the branches make of the source. `branches` counts their convolutions."""
    ends = [
        _branch(net, source, f"{name}.branch{place}", count) for place, count in enumerate(branches)
    ]
    joined = net.node("Concat", ends, f"{name}/joined", axis=1)
    kernel = net.weights.take(f"{name}.conv2d.weight", None, None, 1, 1)
    width = len(kernel)
    layer = Layer(kernel, net.weights.take(f"{name}.conv2d.bias", width))
    scaled = layer.scaled(np.full(width, share), np.zeros(width))
    return net.node("Add", [net.convolved(joined, f"{name}.conv2d", scaled), source], name)


def _reduced(net: Pictures, source: str, name: str, *, branches: Sequence[int]) -> str:
    """Halve the picture: join a pooling, and branches that end with a stride of 2."""
    ends = [
        _branch(net, source, f"{name}.branch{place}", count, stride=2)
        for place, count in enumerate(branches)
    ]
    pooled = net.largest(source, f"{name}/pooled", size=3, stride=2)
    return net.node("Concat", [*ends, pooled], name, axis=1)


def _branch(net: Pictures, source: str, name: str, count: int, *, stride: int = 1) -> str:
    """Add `count` convolutions. The last one has the stride; if that is 2, it does not pad."""
    for place in range(count - 1):
        source = _convolved(net, source, f"{name}.{place}", whole=True)
    last = f"{name}.{count - 1}" if count > 1 else name
    return _convolved(net, source, last, stride=stride, whole=stride == 1)


def _convolved(
    net: Pictures, source: str, name: str, *, stride: int = 1, whole: bool = False
) -> str:
    """Convolve, with batch norm and ReLU. `whole` pads so that the size stays."""
    layer = _layer(net, name)
    rows, columns = (side // 2 if whole else 0 for side in layer.kernel.shape[2:])
    padding = {"pads": [rows, columns, rows, columns]}
    return net.relu(net.convolved(source, name, layer, stride=stride, padding=padding))


def _layer(net: Pictures, name: str) -> Layer:
    """Take a convolution without a bias, and fold its batch norm in."""
    kernel = net.weights.take(f"{name}.conv.weight", None, None, None, None)
    width = len(kernel)
    return Layer(kernel, np.zeros(width)).scaled(*_norm(net, f"{name}.bn", width))


def _norm(net: Pictures, name: str, width: int) -> tuple[Numbers, Numbers]:
    gamma, beta, mean, variance = (
        net.weights.take(f"{name}.{what}", width)
        for what in ("weight", "bias", "running_mean", "running_var")
    )
    return batch_norm(gamma, beta, mean, variance, epsilon=_EPSILON)
