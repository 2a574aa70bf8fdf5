"""The diarization error rate: for how much of the speech the answer is wrong.

As NIST defines it, and pyannote.metrics counts it: overlapping speech counts once for each speaker,
and the speakers found are matched with the true ones, one to one, so that the least is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from tests.bench.audio.rttm import Turn


class DiarizationErrors(NamedTuple):
    """Seconds of speech that were missed, invented, or given to another speaker, and of speech."""

    missed: float
    false: float
    confused: float
    speech: float

    @property
    def rate(self) -> float:
        """The error rate in percent of the speech; it may be more than 100."""
        return 100 * (self.missed + self.false + self.confused) / self.speech


class _Stretch(NamedTuple):
    """A stretch of time in which nobody begins or ends to speak."""

    seconds: float
    true: frozenset[str]
    found: frozenset[str]


def errors(true: Sequence[Turn], found: Sequence[Turn], *, collar_s: float) -> DiarizationErrors:
    """Compare turns with the true ones, all of the recording.

    Nothing is counted within `collar_s` before and after each start and end of a true turn.
    """
    stretches = list(_stretches(true, found, collar_s))
    missed = sum(s.seconds * max(len(s.true) - len(s.found), 0) for s in stretches)
    false = sum(s.seconds * max(len(s.found) - len(s.true), 0) for s in stretches)
    both = sum(s.seconds * min(len(s.true), len(s.found)) for s in stretches)
    speech = sum(s.seconds * len(s.true) for s in stretches)
    return DiarizationErrors(missed, false, max(both - _right(stretches), 0.0), speech)


def _stretches(true: Sequence[Turn], found: Sequence[Turn], collar_s: float) -> Iterable[_Stretch]:
    edges = [edge for turn in true for edge in (turn.start, turn.end)]
    skipped = [Turn(edge - collar_s, edge + collar_s, "") for edge in edges]
    cuts = sorted({cut for turn in (*true, *found, *skipped) for cut in (turn.start, turn.end)})
    for start, end in pairwise(cuts):
        middle = (start + end) / 2
        if not _at(skipped, middle):
            yield _Stretch(end - start, _at(true, middle), _at(found, middle))


def _at(turns: Sequence[Turn], time: float) -> frozenset[str]:
    return frozenset(turn.speaker for turn in turns if turn.start < time < turn.end)


def _right(stretches: Sequence[_Stretch]) -> float:
    """Return for how many seconds of speech the speaker is right, at best."""
    true = sorted({speaker for stretch in stretches for speaker in stretch.true})
    found = sorted({speaker for stretch in stretches for speaker in stretch.found})
    shared = np.zeros((len(true), len(found)))
    for stretch in stretches:
        for one in stretch.true:
            for other in stretch.found:
                shared[true.index(one), found.index(other)] += stretch.seconds
    return float(shared[linear_sum_assignment(shared, maximize=True)].sum())
