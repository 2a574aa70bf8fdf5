"""Cut a recording into windows: at most 300 seconds, with speech at both ends.

A window ends in the longest silence of its last minute, so that no word and hardly a sentence is
cut. What nobody speaks in belongs to no window, unless it is between two that do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from containers.audio_reader.speech import Run, Thresholds, find_speech
from containers.audio_reader.voice import STEP, STEP_S
from pipeline.audio.samples import Integers, Samples
from pipeline.contracts.audio_windows import SPEECH_RATE, Span

LONGEST_S: Final = 300

_MOST_STEPS: Final = int(LONGEST_S / STEP_S)
_LAST_STEPS: Final = int(60 / STEP_S)
_RECENT_STEPS: Final = int(1 / STEP_S)  # may hold the beginning of a word that is not one yet
_FULL_SCALE: Final = 32_768
_SILENCE: Final = 1e-12  # energy; its logarithm is finite


@dataclass(frozen=True, eq=False)
class Piece:
    """One window, in seconds from the start of the recording, and its audio: int16, (n, 1)."""

    index: int
    start: float
    end: float
    speech: tuple[Span, ...]
    samples: Integers


class Windower:
    """Takes the samples of a recording, and yields each window as soon as it is known.

    `hear` returns the probability of speech in the next `STEP` samples, of shape (`STEP`,). At most
    300 seconds of samples are kept.
    """

    def __init__(self, hear: Callable[[Samples], float], thresholds: Thresholds) -> None:
        self._hear_step = hear
        self._thresholds = thresholds
        self._samples = np.zeros((_MOST_STEPS, STEP), np.int16)
        self._probabilities = np.zeros(_MOST_STEPS, np.float32)
        self._levels = np.zeros(_MOST_STEPS, np.float32)
        self._held = 0  # steps
        self._first = 0  # place of the first held step in the recording
        self._rest = np.zeros(0, np.float32)
        self._speaking = False
        self._windows = 0

    def push(self, samples: Samples) -> Iterator[Piece]:
        """Hear more samples, (n, 1), at `SPEECH_RATE`."""
        waiting = np.concatenate([self._rest, samples[:, 0]])
        steps = len(waiting) // STEP
        self._rest = waiting[steps * STEP :]
        for step in waiting[: steps * STEP].reshape(steps, STEP):
            self._hear(step)
            if self._held == _MOST_STEPS:
                yield from self._full()

    def finish(self) -> Iterator[Piece]:
        """Yield the last window, if there is one."""
        lasting = (self._first + self._held) * STEP + len(self._rest)
        if len(self._rest):
            yield from self.push(np.zeros((STEP - len(self._rest), 1), np.float32))
        if runs := self._runs():
            yield self._piece(runs, most=lasting)

    def _hear(self, step: Samples) -> None:
        at = self._held
        self._probabilities[at] = self._hear_step(step)
        self._levels[at] = 10 * np.log10(np.mean(np.square(step)) + _SILENCE)
        self._samples[at] = np.rint(step * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE - 1)
        self._held += 1

    def _full(self) -> Iterator[Piece]:
        """Make room: for silence at once, for speech once a window is as long as it may be."""
        runs = self._runs()
        if not runs:
            self._forget(self._held - _RECENT_STEPS)
        elif runs[0].start > 0:
            self._forget(runs[0].start)
        else:
            yield self._cut(runs)

    def _runs(self) -> list[Run]:
        held = slice(0, self._held)
        return find_speech(
            self._probabilities[held], self._levels[held], self._thresholds, speaking=self._speaking
        )

    def _cut(self, runs: list[Run]) -> Piece:
        earliest = _MOST_STEPS - _LAST_STEPS
        ends = [*(Run(a.end, b.start) for a, b in pairwise(runs)), Run(runs[-1].end, _MOST_STEPS)]
        silence = max(ends, key=lambda gap: gap.end - max(gap.start, earliest))
        if silence.end > max(silence.start, earliest):
            kept, speaking = [run for run in runs if run.end <= silence.start], False
            cut = silence.start
        else:
            last = slice(earliest, _MOST_STEPS)
            quietest = np.lexsort((self._levels[last], self._probabilities[last]))[0]
            cut, speaking = earliest + int(quietest), True
            kept = [Run(run.start, min(run.end, cut)) for run in runs if run.start < cut]
        piece = self._piece(kept)
        self._forget(cut)
        self._speaking = speaking
        return piece

    def _piece(self, runs: list[Run], *, most: int | None = None) -> Piece:
        """Return the window of these runs; `most` is where the recording ends, in samples."""
        first, last = runs[0].start, runs[-1].end
        start, end = ((self._first + step) * STEP for step in (first, last))
        end = end if most is None else min(end, most)
        samples = self._samples[first:last].reshape(-1, 1)[: end - start].copy()
        speech = tuple(
            Span(
                start=_seconds((self._first + run.start) * STEP),
                end=_seconds(min((self._first + run.end) * STEP, end)),
            )
            for run in runs
        )
        index, self._windows = self._windows, self._windows + 1
        return Piece(index, _seconds(start), _seconds(end), speech, samples)

    def _forget(self, steps: int) -> None:
        """Drop the first held steps. What is left begins in silence."""
        left = self._held - steps
        for held in (self._samples, self._probabilities, self._levels):
            held[:left] = held[steps : self._held].copy()
        self._held, self._first, self._speaking = left, self._first + steps, False


def _seconds(samples: int) -> float:
    return samples / SPEECH_RATE
