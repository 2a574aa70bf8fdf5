"""Speech begins and ends with hysteresis; clicks, breaths and the noise of nobody are none."""

from __future__ import annotations

import numpy as np
import pytest

from containers.audio_reader.speech import LEAST_LEVEL, Run, Thresholds, find_speech

THRESHOLDS = Thresholds(onset=0.5, offset=0.35)
PAD = 6


def found(*parts: tuple[float, int], level: float = -20.0, speaking: bool = False) -> list[Run]:
    """Return the speech in parts of a probability and a number of steps."""
    probabilities = np.concatenate([np.full(steps, share) for share, steps in parts])
    levels = np.full(len(probabilities), level)
    return find_speech(
        probabilities.astype(np.float32),
        levels.astype(np.float32),
        THRESHOLDS,
        speaking=speaking,
    )


def test_speech_has_some_silence_around_it() -> None:
    assert found((0, 50), (0.9, 40), (0, 50)) == [Run(50 - PAD, 90 + PAD)]


def test_a_lower_probability_ends_speech_than_begins_it() -> None:
    assert found((0, 50), (0.9, 20), (0.4, 30), (0, 50)) == [Run(44, 106)]
    assert found((0, 50), (0.4, 40), (0, 50)) == []


@pytest.mark.parametrize("silence", [1, 15])
def test_a_pause_within_a_sentence_is_speech(silence: int) -> None:
    assert found((0, 50), (0.9, 20), (0, silence), (0.9, 20), (0, 50)) == [Run(44, 96 + silence)]


def test_half_a_second_of_silence_parts_two_sentences() -> None:
    assert found((0, 50), (0.9, 20), (0, 16), (0.9, 20), (0, 50)) == [Run(44, 76), Run(80, 112)]


def test_a_click_is_no_speech_and_a_short_word_is() -> None:
    assert found((0, 50), (0.9, 7), (0, 50)) == []
    assert found((0, 50), (0.9, 8), (0, 50)) == [Run(44, 64)]


def test_what_is_almost_silent_is_no_speech_however_probable() -> None:
    assert found((0, 50), (0.99, 40), (0, 50), level=LEAST_LEVEL - 0.1) == []
    assert found((0, 50), (0.99, 40), (0, 50), level=LEAST_LEVEL) == [Run(44, 96)]


def test_padding_stays_within_what_was_heard() -> None:
    assert found((0.9, 40)) == [Run(0, 40)]
    assert found((0, 3), (0.9, 40), (0, 2)) == [Run(0, 45)]


def test_speech_that_goes_on_needs_no_onset() -> None:
    assert found((0.4, 5), (0, 50), speaking=True) == [Run(0, 5 + PAD)]
    assert found((0.4, 5), (0, 50)) == []
    assert found((0, 50), speaking=True) == []


def test_nothing_heard_is_no_speech() -> None:
    assert found((0, 0)) == []
    assert found((0, 0), speaking=True) == []
