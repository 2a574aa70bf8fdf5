"""Average the probability of speech and music over time, in a limited number of steps."""

from __future__ import annotations

from typing import Final, NamedTuple

MOST_STEPS: Final = 1000  # more than a screen is wide; even, since steps are joined in pairs


class Step(NamedTuple):
    """The mean probabilities over `windows` windows, from the window `first` on."""

    first: int
    windows: int
    speech: float
    music: float


class Timeline:
    """Takes the probabilities of each window; joins steps in pairs when there are too many."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self._most = most
        self._each = 1  # windows of a step
        self._steps: list[Step] = []
        self._open = Step(0, 0, 0.0, 0.0)

    def push(self, speech: float, music: float) -> None:
        self._open = _joined(self._open, Step(0, 1, speech, music))
        if self._open.windows < self._each:
            return
        self._steps.append(self._open)
        if len(self._steps) == self._most:
            self._each *= 2
            pairs = zip(self._steps[::2], self._steps[1::2], strict=True)
            self._steps = [_joined(*pair) for pair in pairs]
        last = self._steps[-1]
        self._open = Step(last.first + last.windows, 0, 0.0, 0.0)

    def steps(self) -> list[Step]:
        """Return all steps; the last one may have fewer windows than the others."""
        return [*self._steps, self._open] if self._open.windows else list(self._steps)


def _joined(one: Step, other: Step) -> Step:
    windows = one.windows + other.windows
    speech, music = (
        (mine * one.windows + theirs * other.windows) / windows
        for mine, theirs in ((one.speech, other.speech), (one.music, other.music))
    )
    return Step(one.first, windows, speech, music)
