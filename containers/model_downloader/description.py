"""Describe an ONNX file's input and output by running it once."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

import numpy as np

from containers.model_downloader.networks import (
    RGB_CHANNELS,
    Shape,
    Sizes,
    Tensor,
    fits,
    named_failures,
    open_quietly,
)
from pipeline.contracts.weights import NetworkDescription, NetworkQuestion
from pipeline.errors import WeightsMismatch

_RSS_UNITS_PER_MB: Final = 2**20 if sys.platform == "darwin" else 2**10


def describe(question: NetworkQuestion) -> NetworkDescription:
    """Run the file on a gradient from preprocessed black to white, and describe the result.

    Raises WeightsMismatch if it is not a network from one image to one map of the same size.
    """
    path = question.path
    session = open_quietly(path)
    (taken, *more), given = session.get_inputs(), session.get_outputs()[0]
    if more:
        names = ", ".join(one.name for one in (taken, *more))
        raise WeightsMismatch(f"{path.name} takes more inputs than one image: {names}")
    side = _side(path, taken.shape, question.input_size)
    gradient = _gradient(side, question.black, question.white)
    with named_failures(path, "does not run"):
        (output,) = session.run([given.name], {taken.name: gradient})
    if output.shape[-2:] != (side, side) or not np.isfinite(output).all():
        raise WeightsMismatch(f"{path.name} returns {output.shape}, not one map of {side}×{side}")
    return NetworkDescription(
        input_size=side,
        output_name=given.name,
        output_shape=output.shape,
        lowest=float(output.min()),
        highest=float(output.max()),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_UNITS_PER_MB,
    )


def _side(path: Path, shape: Shape, wanted: int | None) -> int:
    """Return the side of the network's input: its fixed one, or `wanted` if it has none."""
    fixed = [axis for axis in shape[2:] if isinstance(axis, int)]
    side = wanted or (fixed[0] if fixed else None)
    if side is None:
        raise WeightsMismatch(f"{path.name} takes images of any size; pass --input-size")
    if not fits(shape, (1, RGB_CHANNELS, side, side), Sizes()):
        raise WeightsMismatch(f"{path.name} takes {shape}, not [1, 3, {side}, {side}]")
    return side


def _gradient(side: int, black: float, white: float) -> Tensor:
    ramp = np.linspace(black, white, side, dtype=np.float32)
    return np.broadcast_to(ramp, (1, RGB_CHANNELS, side, side)).copy()
