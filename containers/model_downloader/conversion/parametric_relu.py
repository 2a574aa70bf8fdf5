"""Add PReLU layers, as convolutions that onnxruntime runs without changing the order of values.

A PReLU multiplies negative values by a slope of their channel. onnxruntime has no such layer for
the order in which it runs convolutions, so it would convert all values, twice. With relu(x) as
what is above 0, prelu(x) = relu(x) - slope · relu(-x): one convolution of single pixels makes both,
the next adds them up. For MTCNN, that takes less than half the time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from containers.model_downloader.conversion.network import Numbers
from containers.model_downloader.conversion.pictures import Layer, Padding, Pictures

_BLOCK: Final = 16  # channels: convolutions of a multiple of it keep their order of values
_STRIDE: Final = 2
_UP: Final[Padding] = {"ceil_mode": 1}  # the last window may reach beyond the picture

Places = npt.NDArray[np.intp]


def activated(net: Pictures, source: str, name: str, layer: Layer, slopes: Numbers) -> str:
    """Add a convolution and its PReLU, with a slope for each output.

    Here and below, channels of zeros fill the result up to whole blocks.
    """
    value = net.convolved(source, name, _blocks(layer))
    return _prelu(net, value, name, slopes, np.zeros(0, np.intp))


def pooled(  # noqa: PLR0913 - what two layers are made of
    net: Pictures, source: str, name: str, layer: Layer, slopes: Numbers, *, size: int
) -> str:
    """Add a convolution, its PReLU, and the largest values of squares of `size`, 2 pixels apart.

    The largest values are taken first, because fewer are left then. With a slope below 0, the
    PReLU of the largest x is not the largest PReLU. That is max(x, slope · x), so the largest
    slope · x is taken, too.
    """
    falling = np.flatnonzero(slopes < 0)
    scaled = layer.scaled(slopes, np.zeros(len(slopes)))
    both = Layer(
        np.concatenate([layer.kernel, scaled.kernel[falling]]),
        np.concatenate([layer.bias, scaled.bias[falling]]),
    )
    value = net.convolved(source, name, _blocks(both))
    largest = net.largest(value, f"{name}/pool", size=size, stride=_STRIDE, padding=_UP)
    return _prelu(net, largest, name, slopes, falling)


def _prelu(net: Pictures, source: str, name: str, slopes: Numbers, falling: Places) -> str:
    """Add the PReLU of the first channels; those of `falling` channels × their slopes follow them.

    With m = max(x, y), the larger of a `falling` channel x and its y is y + relu(x - y).
    """
    count = len(slopes)
    one = np.eye(_whole(count + len(falling)))
    rising = np.setdiff1d(np.arange(count), falling)
    x, y = one[falling], one[count : count + len(falling)]
    parts = np.concatenate([one[rising], -one[rising], x - y, y, -y])
    outputs = np.concatenate([rising, rising, falling, falling, falling])
    ones = np.ones(len(falling))
    shares = np.concatenate([np.ones(len(rising)), -slopes[rising], ones, ones, -ones])
    halves = net.relu(net.convolved(source, f"{name}/halves", _blocks(_pixels(parts))))
    sums = np.zeros((count, _whole(len(parts))))
    sums[outputs, np.arange(len(parts))] = shares
    return net.convolved(halves, f"{name}/prelu", _blocks(_pixels(sums)))


def for_blocks(weight: Numbers, axis: int) -> Numbers:
    """Return a weight whose `axis` zeros fill up to whole blocks, as they do these outputs."""
    ends = [(0, 0)] * weight.ndim
    ends[axis] = (0, _whole(weight.shape[axis]) - weight.shape[axis])
    return np.pad(weight, ends)


def _pixels(matrix: Numbers) -> Layer:
    """Return the convolution that multiplies each pixel's channels by outputs × channels."""
    return Layer(matrix[:, :, None, None], np.zeros(len(matrix)))


def _blocks(layer: Layer) -> Layer:
    """Return the layer with outputs of zeros up to the next whole block."""
    return Layer(for_blocks(layer.kernel, 0), for_blocks(layer.bias, 0))


def _whole(channels: int) -> int:
    return -(-channels // _BLOCK) * _BLOCK
