"""Define the starter's network: a small residual U-Net with pyramid pooling.

It uses dense 3×3 convolutions: at this size they train and run faster on a CPU than depth-wise
ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT_SIZE: Final = 256  # photos are stretched to INPUT_SIZE² RGB, (value/255 - MEAN) / STD
MEAN: Final = 0.5
STD: Final = 0.25
WIDTHS: Final = (16, 32, 64, 112, 144)  # channels at strides 2, 4, 8, 16, 32
DEPTHS: Final = (0, 1, 2, 3, 2)  # residual blocks at each
_POOLED: Final = 36
_POOLS: Final = (1, 2, 4)


class Starter(nn.Module):
    """N×3×S×S in, S a multiple of 32; N×1×S×S logits out, plus N×1×S/16×S/16 while training."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(_convolution(before, width, stride=2), *map(Residual, [width] * depth))
            for before, width, depth in zip(inputs, WIDTHS, DEPTHS, strict=True)
        )
        self.surroundings = Surroundings(WIDTHS[-1])
        self.merges = nn.ModuleList(
            _convolution(below + width, width) for width, below in pairwise(WIDTHS)
        )
        self.coarse = nn.Conv2d(WIDTHS[3], 1, 1)
        self.head = nn.Conv2d(WIDTHS[0], 1, 3, padding=1)

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        features, current = [], photo
        for stage in self.stages:
            current = stage(current)
            features.append(current)
        current = self.surroundings(current)
        coarse = photo
        for level in reversed(range(len(self.merges))):
            current = self.merges[level](torch.cat([_doubled(current), features[level]], 1))
            if level == 3:
                coarse = self.coarse(current)
        return _doubled(self.head(current)), coarse


class Residual(nn.Module):
    """Two 3×3 convolutions with a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(self.first(features)))


class Surroundings(nn.Module):
    """Pyramid pooling: each place also gets the mean of its half, its quarter and the whole."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.views = nn.ModuleList(_convolution(width, _POOLED, kernel=1) for _ in _POOLS)
        self.mix = _convolution(width + _POOLED * len(_POOLS), width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        size = features.shape[-2:]
        views = [
            functional.interpolate(
                view(functional.adaptive_avg_pool2d(features, cells)), size, mode="bilinear"
            )
            for cells, view in zip(_POOLS, self.views, strict=True)
        ]
        mixed: Tensor = self.mix(torch.cat([features, *views], 1))
        return mixed


def _convolution(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
