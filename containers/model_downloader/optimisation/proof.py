"""Compare the results of an optimised network with the published one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from containers.model_downloader.optimisation.in_parts import InParts
from containers.model_downloader.optimisation.offline import lean_options
from containers.model_downloader.optimisation.order import Activation
from containers.model_downloader.optimisation.pictures import Tensor
from pipeline.weights.staged import (
    MASK_ERROR,
    MAX_DIFFERENCE,
    STEP_ERROR,
    Precision,
    Proof,
)

Numbers = npt.NDArray[np.float64]


def answers(
    network: Path, drawn: list[Tensor], *, outputs: int = 1, as_it_is: bool = False
) -> list[Tensor]:
    """Return the first output for each drawn input, or the numbers of the first `outputs` in a row.

    `as_it_is` loads a network that was optimised offline.
    """
    options = lean_options()
    if as_it_is:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0].name
    targets = [output.name for output in session.get_outputs()[:outputs]]
    return [_in_a_row(session.run(targets, {source: each})) for each in drawn]


def _in_a_row(given: list[Tensor]) -> Tensor:
    first, *more = given
    return np.concatenate([each.ravel() for each in given]) if more else first


def published_answers(
    network: Path, drawn: list[Tensor], *, outputs: int = 1, memory_mb: int
) -> list[Tensor]:
    """Return what `answers` does for a published network, in this memory.

    A network of one output that does not fit runs in parts, which takes about as long.
    """
    parts = InParts.of(network, memory_mb * 2**20) if outputs == 1 else None
    if parts is None or parts.fits:
        del parts  # it holds the weights
        return answers(network, drawn, outputs=outputs)
    (source,) = parts.inputs
    return [parts.run({source: each}) for each in drawn]


def compared(
    plain: list[Tensor], lean: list[Tensor], *, precision: Precision, activation: Activation
) -> Proof:
    """Return how far two networks' results differ, and the bounds; NaN if any value is NaN."""
    pairs = list(zip(plain, lean, strict=True))
    if activation == "softmax":
        return _compared_by_step([(_shares(a), _shares(b)) for a, b in pairs], precision)
    differences = [_widest(a, b) for a, b in pairs]
    errors = [float(np.abs(_mask(a, activation) - _mask(b, activation)).mean()) for a, b in pairs]
    return Proof(
        pictures=len(pairs),
        max_difference=float(np.max(differences)),
        max_difference_allowed=MAX_DIFFERENCE[precision],
        mask_error=float(np.max(errors)),
        mask_error_allowed=MASK_ERROR[precision],
    )


def _compared_by_step(pairs: list[tuple[Numbers, Numbers]], precision: Precision) -> Proof:
    """Compare probabilities, 1×steps×characters, step by step."""
    moved = [np.abs(a - b).sum(axis=-1) / 2 for a, b in pairs]
    return Proof(
        pictures=len(pairs),
        steps=sum(each.size for each in moved),
        steps_changed=sum(int((a.argmax(-1) != b.argmax(-1)).sum()) for a, b in pairs),
        max_difference=float(np.max([_widest(a, b) for a, b in pairs])),
        max_difference_allowed=MAX_DIFFERENCE[precision],
        mask_error=float(np.max([each.mean() for each in moved])),
        mask_error_allowed=STEP_ERROR[precision],
    )


def _widest(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    return float(np.abs(a - b).max())


def _mask(answer: Tensor, activation: Activation) -> Numbers:
    numbers = answer.astype(np.float64)
    return 1 / (1 + np.exp(-numbers)) if activation == "sigmoid" else numbers


def _shares(answer: Tensor) -> Numbers:
    """Return the softmax of the last axis."""
    numbers = answer.astype(np.float64)
    powers = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
    shares: Numbers = powers / powers.sum(axis=-1, keepdims=True)
    return shares
