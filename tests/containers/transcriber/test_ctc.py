"""The likeliest path of a text through a network's answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from containers.transcriber.ctc import align, best_path, log_softmax, spelling
from containers.transcriber.spec import CtcSpec
from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT

SPEC = CtcSpec(language="en", alphabet="\x01|ABC'", blank=0, space="|", step=320)


def answer(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Steps that are nearly certain of these characters; `_` is a blank."""
    logits = np.zeros((len(text), len(SPEC.alphabet)), np.float32)
    for step, character in enumerate(text):
        logits[step, SPEC.blank if character == "_" else SPEC.alphabet.index(character)] = 8
    return log_softmax(logits)


def test_words_are_where_their_characters_are() -> None:
    found = align(answer("__AAB_||_C_C__"), ["ab,", " cc"], SPEC)

    assert found is not None
    first, second = found
    assert first is not None
    assert second is not None
    assert (first.first, first.last) == (2, 5)
    assert (second.first, second.last) == (9, 12)
    assert first.score > 0.9


def test_a_word_with_other_characters_is_left_out() -> None:
    found = align(answer("_A_|_B_"), ["A", "42", "B"], SPEC)

    assert found is not None
    assert found[1] is None
    assert found[0] is not None


def test_a_text_that_is_longer_than_the_sound_is_not_aligned() -> None:
    assert align(answer("AB"), ["ABCABC"], SPEC) is None


def test_a_text_without_known_characters_has_no_aligned_word() -> None:
    assert align(answer("AB"), ["42", "–"], SPEC) == [None, None]


def test_equal_neighbours_need_a_blank_between_them() -> None:
    assert best_path(answer("AA"), [2, 2], 0) is None
    path = best_path(answer("A_A"), [2, 2], 0)
    assert path is not None
    assert list(path) == [0, -1, 1]


def test_the_path_is_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    outputs = [2, 3, 2]
    for _ in range(20):
        scores = log_softmax(rng.standard_normal((6, 6)).astype(np.float32) * 3)

        path = best_path(scores, outputs, 0)

        assert path is not None
        assert _score(scores, [outputs[at] if at >= 0 else 0 for at in path]) == pytest.approx(
            max(
                _score(scores, way)
                for way in itertools.product([0, 2, 3], repeat=6)
                if [one for one, _ in itertools.groupby(way) if one] == outputs
            ),
            abs=1e-4,
        )


def _score(scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]], way: object) -> float:
    return float(sum(scores[step, one] for step, one in enumerate(way)))  # type: ignore[arg-type, var-annotated]


def test_accents_and_punctuation_are_left_out() -> None:
    assert spelling(" “Á,", SPEC) == [2]
    assert spelling("a\u2019b", SPEC) == [2, 5, 3]
    assert spelling(" –", SPEC) == []
    assert spelling("aж", SPEC) == []


def test_the_rows_alphabet_spells_english() -> None:
    row = load_catalogue(ROOT).row("wav2vec2-base-960h")
    spec = row.spec(CtcSpec)

    assert len(spec.alphabet) == 32
    assert spelling("Americans'", spec) == [7, 17, 5, 13, 10, 19, 7, 9, 12, 27]
