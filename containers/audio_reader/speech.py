"""Find where somebody speaks, from the probability and the loudness of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from containers.audio_reader.voice import STEP_S

Floats = npt.NDArray[np.float32]

_LEAST_SPEECH: Final = round(0.25 / STEP_S)  # steps; shorter is a click or a breath
_LEAST_SILENCE: Final = round(0.5 / STEP_S)  # shorter is a pause within a sentence
_PADDING: Final = round(0.2 / STEP_S)  # the network hears a word late, and its end too early
# RMS of full scale, in decibels. Speech is above it somewhere, even from far away; networks also
# hear speech in the noise of a microphone that nobody speaks to.
LEAST_LEVEL: Final = -60.0


class Thresholds(BaseModel):
    """The table of a row: the probabilities at which speech begins and ends."""

    onset: float
    offset: float


class Run(NamedTuple):
    """Steps from `start` to before `end`."""

    start: int
    end: int


def find_speech(
    probabilities: Floats, levels: Floats, thresholds: Thresholds, *, speaking: bool = False
) -> list[Run]:
    """Return where somebody speaks, in order, with some silence around and between the runs.

    `levels` are RMS in decibels of full scale. `speaking` says that the step before the first was
    speech.
    """
    joined = _joined(_runs(probabilities, thresholds, speaking=speaking))
    real = [
        run
        for run in joined
        if (run.end - run.start >= _LEAST_SPEECH or (speaking and run.start == 0))
        and levels[run.start : run.end].max() >= LEAST_LEVEL
    ]
    last = len(probabilities)
    return [Run(max(0, run.start - _PADDING), min(last, run.end + _PADDING)) for run in real]


def _runs(probabilities: Floats, thresholds: Thresholds, *, speaking: bool) -> Iterator[Run]:
    """Yield the steps between an onset and the next offset."""
    start = 0 if speaking else None
    for step, probability in enumerate(probabilities.tolist()):
        if start is None and probability >= thresholds.onset:
            start = step
        elif start is not None and probability < thresholds.offset:
            if step > start:
                yield Run(start, step)
            start = None
    if start is not None and start < len(probabilities):
        yield Run(start, len(probabilities))


def _joined(runs: Iterator[Run]) -> list[Run]:
    joined: list[Run] = []
    for run in runs:
        if joined and run.start - joined[-1].end < _LEAST_SILENCE:
            joined[-1] = Run(joined[-1].start, run.end)
        else:
            joined.append(run)
    return joined
