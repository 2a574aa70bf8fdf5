"""Align words with sound: the likeliest path of a text through a CTC network's answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.transcriber.spec import CtcSpec

LogProbabilities = npt.NDArray[np.float32]
_IMPOSSIBLE: Final = np.float32(-1e30)


class Aligned(NamedTuple):
    """The first step of a word, the one after its last, and its mean probability (0…1)."""

    first: int
    last: int
    score: float


def align(
    answer: LogProbabilities, words: Sequence[str], spec: CtcSpec
) -> list[Aligned | None] | None:
    """Return the steps of each word; None for one that has characters the alphabet lacks.

    `answer` is steps×characters, log probabilities. Returns None if the text has more characters
    than the answer has steps.
    """
    spelled = [spelling(word, spec) for word in words]
    outputs: list[int] = []
    owners: list[int] = []
    for index, characters in enumerate(spelled):
        if characters:
            if outputs:
                outputs.append(spec.alphabet.index(spec.space))
                owners.append(-1)
            outputs += characters
            owners += [index] * len(characters)
    if not outputs:
        return [None] * len(words)
    path = best_path(answer, outputs, spec.blank)
    return None if path is None else _by_word(answer, path, outputs, owners, len(words))


def spelling(word: str, spec: CtcSpec) -> list[int]:
    """Return a word's outputs; empty if it has letters or digits that the alphabet lacks.

    Accents and punctuation are left out. `É` is spelled as `E`.
    """
    plain = unicodedata.normalize(
        "NFKD", word.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    ).upper()
    written = [one for one in plain if one.isalnum() or (one == "'" and one in spec.alphabet)]
    letters = [one for one in written if one.isalnum()]
    if not letters or any(one not in spec.alphabet for one in letters):
        return []
    return [spec.alphabet.index(one) for one in written]


def best_path(
    answer: LogProbabilities, outputs: Sequence[int], blank: int
) -> npt.NDArray[np.int64] | None:
    """Return for each step the place in `outputs` of what is written there, -1 for a blank.

    That is Viterbi's algorithm over the outputs with a blank before, between and after them. A
    blank between two equal outputs cannot be left out. None if there are too few steps.
    """
    states = np.full(2 * len(outputs) + 1, blank)
    states[1::2] = outputs
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), _IMPOSSIBLE)
    score[:2] = answer[0, states[:2]]
    moves = np.zeros((len(answer), len(states)), np.int8)
    for step in range(1, len(answer)):
        one = np.concatenate([[_IMPOSSIBLE], score[:-1]])
        two = np.where(skips, np.concatenate([[_IMPOSSIBLE] * 2, score[:-2]]), _IMPOSSIBLE)
        options = np.stack([score, one, two])
        moves[step] = options.argmax(axis=0)
        score = np.maximum(options.max(axis=0) + answer[step, states], _IMPOSSIBLE)
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    if score[state] <= _IMPOSSIBLE / 2:
        return None
    path = np.full(len(answer), -1)
    for step in range(len(answer) - 1, -1, -1):
        path[step] = state // 2 if state % 2 else -1
        state -= int(moves[step, state])
    return path


def _by_word(
    answer: LogProbabilities,
    path: npt.NDArray[np.int64],
    outputs: Sequence[int],
    owners: Sequence[int],
    words: int,
) -> list[Aligned | None]:
    owner_at = np.where(path >= 0, np.array(owners)[path], -1)
    aligned: list[Aligned | None] = []
    for index in range(words):
        (steps,) = np.nonzero(owner_at == index)
        if not len(steps):
            aligned.append(None)
            continue
        chances = np.exp(answer[steps, np.array(outputs)[path[steps]]])
        aligned.append(Aligned(int(steps[0]), int(steps[-1]) + 1, float(chances.mean())))
    return aligned


def log_softmax(logits: LogProbabilities) -> LogProbabilities:
    """Return logits, steps×characters, as log probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    answer: LogProbabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return answer
