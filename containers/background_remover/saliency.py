"""Run saliency networks (U-2-Net, IS-Net, BiRefNet) as their rows describe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Literal

import numpy as np
from PIL import Image

from containers.background_remover.masks import probability, to_levels
from containers.background_remover.network import Network, Tensor
from containers.background_remover.subject import require_visible
from pipeline.declared.declaration import Declaration
from pipeline.photo.pixels import Pixels, Reserve, decode, unlimited

Stopwatch = Callable[[str], AbstractContextManager[None]]
Triple = tuple[float, float, float]

# A photo is first averaged to this many times the network's size, which is fast, and then resampled
# with a better filter. A smaller factor would change the mask.
_QUICK_SHRINK: Final = 3


class SaliencySpec(Declaration):
    """The preprocessing of a saliency network's input and output.

    The photo is stretched to `input_size`² RGB, divided by `scale` (a number, or the photo's
    largest value), then normalised with `mean` and `std`. Output 0, channel 0 is the mask, after a
    sigmoid if `activation` is one.
    """

    input_size: int
    scale: float | Literal["max"]
    mean: Triple
    std: Triple
    activation: Literal["none", "sigmoid"]


def read_picture(content: bytes, spec: SaliencySpec, *, reserve: Reserve = unlimited) -> Pixels:
    """Decode a photo to H×W×3 sRGB, upright, on white; a large JPEG at about the network's size."""
    least_side = _QUICK_SHRINK * spec.input_size
    photo = decode(content, least_side=least_side, in_srgb=True, reserve=reserve)
    return require_visible(photo)


def predict_mask(
    network: Network, spec: SaliencySpec, picture: Pixels, *, timed: Stopwatch
) -> Pixels:
    """Return the mask of an H×W×3 photo: input_size² uint8, 0 background … 255 subject."""
    with timed("prepare"):
        tensor = to_tensor(picture, spec)
    with timed("infer"):
        (output,) = network.run({network.first_input: tensor})
    return to_mask(output, spec)


def to_tensor(picture: Pixels, spec: SaliencySpec) -> Tensor:
    """Convert H×W×3 to the network's 1×3×S×S float32 input."""
    size = (spec.input_size, spec.input_size)
    whole = Image.fromarray(picture)
    stretched = whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=_QUICK_SHRINK)
    colours = np.asarray(stretched, dtype=np.float32)
    scale = max(float(colours.max()), 1e-6) if spec.scale == "max" else spec.scale
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    normalised = (colours / np.float32(scale) - mean) / std
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], dtype=np.float32)


def to_mask(output: Tensor, spec: SaliencySpec) -> Pixels:
    """Convert output 0 (1×C×H×W, or fewer leading axes) to an H×W uint8 mask, unstretched."""
    saliency = np.asarray(output, dtype=np.float32).reshape(-1, *output.shape[-2:])[0]
    if np.isnan(saliency).any():
        raise ValueError("the network returned NaN")
    return to_levels(probability(saliency) if spec.activation == "sigmoid" else saliency)
