"""Add the layers of networks that take pictures: convolution, pooling, batch norm, dense layers.

Values are batch × channels × rows × columns; kernels are outputs × inputs × rows × columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from containers.model_downloader.conversion.network import Network, Numbers
from containers.model_downloader.conversion.pickled import NotConverted
from containers.model_downloader.conversion.weights import Weight, Weights

Padding = Mapping[str, str | int | Sequence[int]]  # attributes of an operator

# TensorFlow pads to ⌈size ÷ stride⌉ values. With a stride of 2 it pads an even picture only below
# and on the right; the same padding on both sides would shift each such layer by a pixel.
SAME: Final[Padding] = {"auto_pad": "SAME_UPPER"}
NONE: Final[Padding] = {}


class Layer(NamedTuple):
    """The numbers of a convolution. Those of a group of channels see no others."""

    kernel: Numbers
    bias: Numbers
    groups: int = 1

    def divided(self, by: float) -> Layer:
        """Return the layer for an input that is still to be divided."""
        return self._replace(kernel=self.kernel / by)

    def scaled(self, scale: Numbers, shift: Numbers) -> Layer:
        """Return the layer with what multiplies its outputs, and then adds to them, folded in.

        `scale` and `shift` have a number for each output, in double precision.
        """
        kernel, bias = self.kernel * scale[:, None, None, None], self.bias * scale + shift
        return Layer(kernel, bias, self.groups)


def batch_norm(
    gamma: Weight, beta: Weight, mean: Weight, variance: Weight, *, epsilon: float
) -> tuple[Numbers, Numbers]:
    """Return what a trained batch norm multiplies each channel by, and adds to it.

    Raises NotConverted if a variance is negative.
    """
    if (variance < 0).any():
        raise NotConverted("it has a negative variance")
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    return scale, beta - mean * scale


def of_tensorflow(kernel: Weight) -> Weight:
    """Return a kernel of rows × columns × inputs × outputs as outputs × inputs × rows × columns."""
    return kernel.transpose(3, 2, 0, 1)


def depthwise_of_tensorflow(kernel: Weight) -> Layer:
    """Return the layer, without a bias, of a kernel of rows × columns × channels × 1."""
    turned = kernel.transpose(2, 3, 0, 1)
    return Layer(turned, np.zeros(len(turned)), groups=len(turned))


@dataclass
class Pictures(Network):
    """A network of pictures, made of `weights`."""

    weights: Weights = field(kw_only=True)

    def centred(self, source: str, mean: Sequence[float]) -> str:
        """Subtract each channel's mean.

        A convolution that pads cannot do that with its bias: padding is of the mean colour.
        """
        values = np.array(mean)[:, None, None]
        return self.node("Sub", [source, self.numbers("mean", values)], "centred")

    def convolved(
        self, source: str, name: str, layer: Layer, *, stride: int = 1, padding: Padding = NONE
    ) -> str:
        numbers = (("kernel", layer.kernel), ("bias", layer.bias))
        inputs = [source, *(self.numbers(f"{name}.{what}", each) for what, each in numbers)]
        more = {"strides": [stride, stride], "group": layer.groups, **padding}
        return self.node("Conv", inputs, name, **more)

    def largest(
        self, source: str, name: str, *, size: int, stride: int, padding: Padding = NONE
    ) -> str:
        """Take the largest value of squares of `size`."""
        more = {"kernel_shape": [size, size], "strides": [stride, stride], **padding}
        return self.node("MaxPool", [source], name, **more)

    def mean(self, source: str, name: str, *, size: int, stride: int) -> str:
        """Take the mean value of squares of `size`."""
        shape, strides = [size, size], [stride, stride]
        return self.node("AveragePool", [source], name, kernel_shape=shape, strides=strides)

    def dense(self, source: str, name: str, weight: Numbers, bias: Numbers | None = None) -> str:
        """Multiply batch × inputs by a weight of inputs × outputs, and add the bias."""
        inputs = [source, self.numbers(f"{name}.weight", weight)]
        if bias is not None:
            inputs.append(self.numbers(f"{name}.bias", bias))
        return self.node("Gemm", inputs, name)

    def relu(self, source: str) -> str:
        return self.node("Relu", [source], f"{source}/relu")

    def padded(self, source: str, name: str, *, channels: int = 0, pixels: int = 0) -> str:
        """Add channels of zeros, and rows below and columns on the right."""
        if not channels and not pixels:
            return source
        ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self.node("Pad", [source, self.constant(f"{name}.pads", ends)], name)
