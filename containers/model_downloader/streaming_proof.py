"""Prove that a network that runs piece by piece gives the answer of one run over the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from containers.model_downloader.networks import Array, named_failures, open_quietly
from containers.model_downloader.optimisation.proof import compared
from pipeline.weights.staged import CarriedState, Proof

# A run of one frame is shorter than any padding; two of a length in a row show what is carried.
_PIECES: Final = (1, 2, 13, 1, 40, 40, 30)  # frames
FRAMES: Final = sum(_PIECES)
_TRIALS: Final = 3


class NotStreamed(Exception):
    """The network has a part that cannot be carried from run to run."""


def feeds(session: ort.InferenceSession, trial: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """Yield noise in the shapes of the declared trial, `FRAMES` long."""
    axes = {value.name: time_axis(value) for value in session.get_inputs()}
    dice = np.random.default_rng(7)
    for strength in range(1, _TRIALS + 1):
        yield {
            name: strength * dice.standard_normal(_long(values.shape, axes[name]), dtype=np.float32)
            for name, values in trial.items()
        }


def time_axis(value: ort.NodeArg) -> int:
    open_axes = [place for place, axis in enumerate(value.shape) if not isinstance(axis, int)]
    if len(open_axes) != 1:
        raise NotStreamed(f"its input {value.name} has the shape {value.shape}: one axis is time")
    return open_axes[0]


def _long(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], FRAMES, *shape[axis + 1 :])


def compare(
    published: Path,
    streaming: Path,
    states: Sequence[CarriedState],
    times: Sequence[int],
    feeds: Sequence[Mapping[str, Array]],
) -> Proof:
    """Compare the streaming network's runs over pieces with the published one's over the whole.

    `times` has the axis of time in each published output. Raises NotStreamed if they differ.
    """
    whole, stream = open_quietly(published), open_quietly(streaming)
    names = [value.name for value in whole.get_outputs()]
    axes = {value.name: time_axis(value) for value in whole.get_inputs()}
    with named_failures(published, "does not run"):
        expected = [whole.run(names, dict(feed)) for feed in feeds]
    with named_failures(streaming, "does not run"):
        runs = [_in_pieces(stream, names, axes, states, feed) for feed in feeds]
    actual = [
        [np.concatenate(parts, axis=time) for time, parts in zip(times, run, strict=True)]
        for run in runs
    ]
    for one, other in zip(expected[0], actual[0], strict=True):
        if one.shape != other.shape:
            raise NotStreamed(f"its pieces have the shape {list(other.shape)}, not {one.shape}")
    proof = compared(
        [_flat(answer) for answer in expected],
        [_flat(answer) for answer in actual],
        precision="float32",
        activation="none",
    )
    if not proof.holds("float32"):
        raise NotStreamed(f"its answer in pieces is another than over the whole: {proof}")
    return proof


def _in_pieces(
    session: ort.InferenceSession,
    names: Sequence[str],
    axes: Mapping[str, int],
    states: Sequence[CarriedState],
    feed: Mapping[str, Array],
) -> list[tuple[Array, ...]]:
    """Return the pieces of each output, in order."""
    carried = {state.taken: np.zeros(state.shape, np.float32) for state in states}
    wanted = [*names, *(state.given for state in states)]
    pieces, start = [], 0
    for length in _PIECES:
        taken = {
            name: values.take(range(start, start + length), axes[name])
            for name, values in feed.items()
        }
        answers = session.run(wanted, taken | carried)
        carried = dict(zip(carried, answers[len(names) :], strict=True))
        pieces.append(answers[: len(names)])
        start += length
    return list(zip(*pieces, strict=True))


def _flat(answer: Sequence[Array]) -> Any:  # noqa: ANN401 - an array of numbers
    return np.concatenate([each.ravel() for each in answer])
