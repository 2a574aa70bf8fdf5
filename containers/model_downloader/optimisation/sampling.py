"""Build the expression that exporters write for a deformable convolution's sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.model_downloader.optimisation.graph import Array
from containers.model_downloader.optimisation.terms import Term, term

_CORNERS: Final = ((0, 0), (1, 1), (1, 0), (0, 1))  # (below, right), in exporters' order


@dataclass(frozen=True)
class Sampling:
    """The sampling of a deformable convolution, as far as its constants define it."""

    batch: int
    groups: int
    kernel: tuple[int, int]
    out: tuple[int, int]
    channels: int
    padded: tuple[int, int]
    margin: tuple[int, int]  # zeros on each side of the input
    grid: Array  # 1×1×K×2×H×W: where an undeformed kernel samples

    @property
    def pads(self) -> tuple[int, int]:
        """Return the convolution's own padding; exporters add at least one more on each side."""
        y, x = (int(first) for first in self.grid[0, 0, 0, :, 0, 0])
        return self.margin[0] - y, self.margin[1] - x

    @property
    def strides(self) -> tuple[int, int]:
        y, x = self.grid[0, 0, 0]
        return _step(y[:, 0]), _step(x[0])

    @property
    def dilations(self) -> tuple[int, int]:
        y, x = self.grid[0, 0, :, :, 0, 0].reshape(*self.kernel, 2).transpose(2, 0, 1)
        return _step(y[:, 0]), _step(x[0])

    def regular_grid(self) -> Array:
        """Return the grid that these pads, strides and dilations define."""
        axes = zip(self.margin, self.pads, self.kernel, self.out, strict=True)
        positions = [
            (margin - pad + np.arange(kernel) * dilation)[:, None] + np.arange(out) * stride
            for (margin, pad, kernel, out), dilation, stride in zip(
                axes, self.dilations, self.strides, strict=True
            )
        ]
        shape = (*self.kernel, *self.out)
        y = np.broadcast_to(positions[0][:, None, :, None], shape)
        x = np.broadcast_to(positions[1][None, :, None, :], shape)
        return np.stack([y, x], axis=2).reshape(self.grid.shape)


def tiles(sampling: Sampling, *, source: str, offset: str, mask: str | None) -> Term:
    """Return the whole expression above the convolution, as exporters write it."""
    batch, groups, (height, width) = sampling.batch, sampling.groups, sampling.out
    area = sampling.kernel[0] * sampling.kernel[1]
    place = term("Add", sampling.grid, _reshape(offset, batch, groups, area, 2, height, width))
    floor = term("Floor", place)
    inside = _reshape(
        term("Pad", source, _ints(0, 0, *sampling.margin, 0, 0, *sampling.margin)),
        batch, groups, sampling.channels, *sampling.padded,
    )  # fmt: skip
    padded = term("Transpose", inside, perm=[0, 1, 3, 4, 2])
    value = term(
        "Sum",
        *(
            term(
                "Mul",
                _weight(sampling, place, floor, corner),
                _taken(sampling, padded, floor, corner),
            )
            for corner in _CORNERS
        ),
    )
    if mask is not None:
        value = term("Mul", value, _reshape(mask, batch, groups, 1, area, height, width))
    channels = groups * sampling.channels
    split = _reshape(value, batch, channels, *sampling.kernel, height, width)
    turned = term("Transpose", split, perm=[0, 1, 4, 2, 5, 3])
    tall, wide = height * sampling.kernel[0], width * sampling.kernel[1]
    return _reshape(turned, batch, channels, tall, wide)


def _weight(sampling: Sampling, place: Term, floor: Term, corner: tuple[int, int]) -> Term:
    """Return the bilinear weight of the (below, right) neighbour."""
    past = term("Sub", place, floor)
    y, x = _part(past, 0), _part(past, 1)
    one = np.ones((), np.float32)
    factor_x = x if corner[1] else term("Sub", one, x)
    factor_y = y if corner[0] else term("Sub", one, y)
    area = sampling.kernel[0] * sampling.kernel[1]
    product = term("Mul", factor_x, factor_y)
    return _reshape(product, sampling.batch, sampling.groups, 1, area, *sampling.out)


def _taken(sampling: Sampling, padded: Term, floor: Term, corner: tuple[int, int]) -> Term:
    """Return the gathered (below, right) neighbours of all places."""
    batch, groups, (height, width) = sampling.batch, sampling.groups, sampling.out
    area = sampling.kernel[0] * sampling.kernel[1]
    whole = term("Cast", floor, to=7)
    rows = []
    for axis in (0, 1):
        index = _part(whole, axis)
        if corner[axis]:
            index = term("Add", index, _ints(1))
        kept = term("Clip", index, _ints(0), _ints(sampling.padded[axis] - 1))
        rows.append(_reshape(kept, batch, groups, area * height * width, 1))
    taken = term("GatherND", padded, term("Concat", *rows, axis=3), batch_dims=2)
    turned = term("Transpose", taken, perm=[0, 1, 3, 2])
    return _reshape(turned, batch, groups, sampling.channels, area, height, width)


def _step(positions: Array) -> int:
    return int(positions[1] - positions[0]) if len(positions) > 1 else 1


def _part(value: Term, index: int) -> Term:
    return term("Slice", value, _ints(index), _ints(index + 1), _ints(3))


def _reshape(value: Term | str, *shape: int) -> Term:
    return term("Reshape", value, _ints(*shape))


def _ints(*numbers: int) -> Array:
    return np.array(numbers, np.int64)
