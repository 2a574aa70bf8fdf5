"""Guards against what Whisper invents: loops, text for silence, and text it does not believe."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_LEAST_LOGPROB: Final = -1.0  # mean of the tokens' log probabilities; OpenAI's bound
_MOST_COMPRESSION: Final = 2.4  # OpenAI's bound: more is a loop
_SILENT: Final = 0.6  # probability of no speech; OpenAI's bound
_LONGEST_PHRASE: Final = 12  # words
_LEAST_LOOP: Final = 10  # words: a phrase of 5 words three times, a word ten times
_LEAST_ROUNDS: Final = 3


@dataclass(frozen=True)
class Answer:
    """What the model wrote for a slice: tokens, and how much it believes in them.

    `logprob` is the mean over tokens of their log probability; `no_speech` is the probability (0…1)
    that nobody speaks.
    """

    tokens: tuple[int, ...]
    text: str
    logprob: float
    no_speech: float

    @property
    def silent(self) -> bool:
        """True if the model hears nobody, and does not believe what it wrote."""
        return self.no_speech > _SILENT and self.logprob < _LEAST_LOGPROB

    @property
    def loops(self) -> bool:
        """True if the text repeats itself as no speaker does."""
        return compression(self.text) > _MOST_COMPRESSION or loop_start(self.text) is not None

    @property
    def good(self) -> bool:
        return self.logprob >= _LEAST_LOGPROB and not self.loops


def compression(text: str) -> float:
    """Return how many times smaller zlib makes a text."""
    content = text.encode()
    return len(content) / len(zlib.compress(content)) if content else 0.0


def loop_start(text: str) -> int | None:
    """Return the number of words before a phrase is repeated the first time; None without a loop.

    Scripts without spaces are one word here; `compression` finds their loops.
    """
    words = [word.strip(".,!?…").lower() for word in text.split()]
    for size in range(1, _LONGEST_PHRASE + 1):
        repeated = 0
        for index in range(size, len(words)):
            repeated = repeated + 1 if words[index] == words[index - size] else 0
            rounds = 1 + repeated // size
            if rounds >= _LEAST_ROUNDS and repeated + size >= _LEAST_LOOP:
                return index + 1 - repeated
    return None


def best(answers: Sequence[Answer]) -> Answer:
    """Return the answer to keep if none is good: one without a loop, that is believed most."""
    return max(answers, key=lambda answer: (not answer.loops, answer.logprob))
