"""Decide which language each slice is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_CERTAIN: Final = 0.9  # a slice of a lower probability does not change the language
_PURE: Final = 0.97  # a slice in two languages may reach 0.95


@dataclass(frozen=True)
class Heard:
    """The languages that a slice may be in, by probability (0…1), and its seconds of speech."""

    probabilities: Mapping[str, float]
    speech_s: float

    @property
    def likeliest(self) -> str:
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def certain(self) -> bool:
        return self.probabilities[self.likeliest] >= _CERTAIN

    @property
    def pure(self) -> bool:
        """True if there is hardly a second language in the slice."""
        return self.probabilities[self.likeliest] >= _PURE


def majority(heard: Iterable[Heard]) -> str:
    """Return the language of most speech, by probability. There must be a slice."""
    votes: Counter[str] = Counter()
    for one in heard:
        for language, probability in one.probabilities.items():
            votes[language] += probability * one.speech_s  # type: ignore[assignment]
    return max(votes, key=votes.__getitem__)


def language_of(heard: Heard, *, most: str) -> str:
    """Return the language of a slice in a window that is mostly in `most`."""
    return heard.likeliest if heard.certain else most


def spoken(chosen: Iterable[tuple[str, Heard]]) -> dict[str, float]:
    """Return each chosen language with its mean probability over the speech in it."""
    seconds: dict[str, float] = {}
    sums: dict[str, float] = {}
    for language, heard in chosen:
        seconds[language] = seconds.get(language, 0.0) + heard.speech_s
        share = heard.probabilities.get(language, 0.0) * heard.speech_s
        sums[language] = sums.get(language, 0.0) + share
    ordered = sorted(seconds, key=lambda language: -seconds[language])
    return {name: round(sums[name] / max(seconds[name], 1e-9), 4) for name in ordered}
