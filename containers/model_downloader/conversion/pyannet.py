"""Convert PyanNet, pyannote's network for speaker segmentation (Bredin and Laurent, 2021)."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx

from containers.model_downloader.conversion.checkpoint import Checkpoint
from containers.model_downloader.conversion.network import Network
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.weights import Weight, Weights

_LEAST_HZ: Final = 50.0  # the lowest frequency of a filter, and its narrowest band
_POOLED: Final = 3  # values that a pooling takes the largest of
_EPSILON: Final = 1e-5
_MOST_STRIDE: Final = 1000  # samples


def pyannet(checkpoint: Checkpoint) -> onnx.ModelProto:
    """Return the network from sound to the probability that each speaker speaks.

    It takes batch × 1 × samples, and returns batch × frames × classes in 0…1: classes are
    independent of each other. Raises NotConverted for another architecture.
    """
    weights = Weights(checkpoint.tensors("state_dict"))
    net = Network()
    value, width = _sinc_net(net, weights, checkpoint)
    value = net.node("Transpose", [value], "frames", perm=[2, 0, 1])
    layers = weights.count("lstm.weight_ih_l{}")
    if not layers:
        raise NotConverted("it has no LSTM")
    for layer in range(layers):
        value, _, width = net.lstm(value, weights, layer=layer, width=width)
    value = net.node("Transpose", [value], "states", perm=[1, 0, 2])
    for layer in range(weights.count("linear.{}.weight")):
        name = f"linear.{layer}"
        value = net.leaky(net.linear(value, weights, name, width=width))
        width = len(weights.take(f"{name}.bias", None))
    net.node("Sigmoid", [net.linear(value, weights, "classifier", width=width)], "probabilities")
    classes = len(weights.take("classifier.bias", None))
    weights.require_all_taken()
    return net.model(
        ("sound", ["batch", 1, "samples"]), ("probabilities", ["batch", "frames", classes])
    )  # fmt: skip


def _sinc_net(net: Network, weights: Weights, checkpoint: Checkpoint) -> tuple[str, int]:
    """Add SincNet: three convolutions, each followed by pooling, normalisation and leaky ReLU.

    The first one's filters are band-pass filters. Returns its output, batch × width × frames, and
    the width.
    """
    stride = checkpoint.value(int, "hyper_parameters", "sincnet", "stride")
    rate = checkpoint.value(int, "hyper_parameters", "sincnet", "sample_rate")
    if not 1 <= stride <= _MOST_STRIDE or rate <= 0:
        raise NotConverted(f"its filters have the stride {stride} at {rate} Hz")
    value = _normalised(net, weights, "sound", "wav_norm1d", width=1)
    filters = band_pass_filters(weights, rate=rate)
    kernels = net.constant("sincnet.filters", filters)
    value = net.node("Conv", [value, kernels], "sincnet/filtered", strides=[stride])
    value, width = net.node("Abs", [value], "sincnet/magnitude"), len(filters)
    for layer in range(3):
        if layer:
            name = f"sincnet.conv1d.{layer}"
            kernel = weights.take(f"{name}.weight", None, width, None)
            bias = weights.take(f"{name}.bias", len(kernel))
            made = [net.constant(f"{name}.weight", kernel), net.constant(f"{name}.bias", bias)]
            value, width = net.node("Conv", [value, *made], name), len(kernel)
        value = net.node(
            "MaxPool", [value], f"sincnet.pool.{layer}",
            kernel_shape=[_POOLED], strides=[_POOLED],
        )  # fmt: skip
        value = net.leaky(_normalised(net, weights, value, f"norm1d.{layer}", width=width))
    return value, width


def _normalised(net: Network, weights: Weights, source: str, name: str, *, width: int) -> str:
    """Give each channel a mean of 0 and a variance of 1 over time, then scale and shift it."""
    scale, shift = (
        net.constant(f"sincnet.{name}.{what}", weights.take(f"sincnet.{name}.{what}", width))
        for what in ("weight", "bias")
    )
    inputs = [source, scale, shift]
    return net.node("InstanceNormalization", inputs, f"sincnet/{name}", epsilon=_EPSILON)


def band_pass_filters(weights: Weights, *, rate: int) -> Weight:
    """Return filters × 1 × length, at `rate` Hz: even ones, then odd ones (Pariente et al., 2020).

    A pair lets through what lies between two frequencies, which were trained. Angles reach hundreds
    of radians: in float32, as PyTorch has them, their sines would lose four of seven digits.
    """
    prefix = "sincnet.conv1d.0.filterbank"
    trained = weights.take(f"{prefix}.low_hz_", None, 1).astype(np.float64)
    band = weights.take(f"{prefix}.band_hz_", len(trained), 1).astype(np.float64)
    window = weights.take(f"{prefix}.window_", None).astype(np.float64)  # its left half
    angle = weights.take(f"{prefix}.n_", 1, len(window)).astype(np.float64)  # 2π × time, below 0
    if not angle.all():
        raise NotConverted(f"its {prefix}.n_ is 0 somewhere")
    low = _LEAST_HZ + np.abs(trained)
    high = np.clip(low + _LEAST_HZ + np.abs(band), _LEAST_HZ, rate / 2)
    width = 2 * (high - low)
    if not (width > 0).all():
        raise NotConverted("it has a filter that lets nothing through")
    left, right = low * angle, high * angle
    even = (np.sin(right) - np.sin(left)) / (angle / 2) * window
    odd = (np.cos(left) - np.cos(right)) / (angle / 2) * window
    filters = np.concatenate(
        [
            np.concatenate([even, width, even[:, ::-1]], axis=1),
            np.concatenate([odd, np.zeros_like(width), -odd[:, ::-1]], axis=1),
        ]
    ) / np.concatenate([width, width])
    rounded: Weight = filters[:, None].astype(np.float32)
    return rounded
