"""Every word has times, in order, and none of them is in a silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from containers.transcriber.slices import Slice
from containers.transcriber.sound import Sound
from containers.transcriber.timing import TimedWord, in_order, spread, timed_words
from containers.transcriber.tokens import WordTokens
from containers.transcriber.whisper import TokenTimes, first_frames
from pipeline.contracts.audio_windows import Span
from tests.containers.transcriber.fakes import sound, span


def timed(
    starts: list[float], speech: list[Span], heard: Sound, scores: list[float] | None = None
) -> list[TimedWord]:
    """Words of one token each, that begin at these seconds of the slice; the last one ends it."""
    words = [
        WordTokens(f" word{index}", index, index + 1, index + 1) for index in range(len(starts) - 1)
    ]
    probabilities = scores or [0.9] * len(words)
    times = TokenTimes(np.array(starts, np.float32), np.array(probabilities, np.float32))
    return timed_words(words, times, Slice.of(speech, heard), heard)


def test_a_word_does_not_swallow_the_pause_after_it() -> None:
    speech = [span(0.2, 2.1), span(2.9, 4)]

    first, second, third = timed([0.2, 1.5, 3.3, 4.2], speech, sound(*speech, end=5))

    assert (first.start, first.end) == pytest.approx((0.2, 1.5))
    assert (second.start, second.end) == pytest.approx((1.5, 2.1))
    assert (third.start, third.end) == pytest.approx((3.3, 4.0))
    assert all(word.aligned for word in (first, second, third))


def test_a_word_ends_where_its_sound_does() -> None:
    heard = sound(span(0.0, 1.0), span(1.5, 2.0), end=3)

    first, second = timed([0.0, 1.5, 2.0], [span(0, 2)], heard)

    assert first.end == pytest.approx(1.0, abs=0.02)
    assert second.start == pytest.approx(1.5)


def test_a_word_may_contain_a_brief_silence() -> None:
    speech = [span(0.2, 0.7), span(0.85, 1.5)]

    (word,) = timed([0.2, 1.5], speech, sound(*speech, end=3))

    assert (word.start, word.end) == pytest.approx((0.2, 1.5))


def test_a_word_in_a_silence_is_moved_to_speech_and_marked() -> None:
    speech = [span(0.2, 2.0), span(2.9, 4)]

    (word,) = timed([2.2, 2.7], speech, sound(*speech, end=5))

    assert not word.heard
    assert not word.aligned
    assert 0.2 <= word.start < word.end <= 4.0


def test_words_without_a_time_of_their_own_share_what_is_around_them() -> None:
    speech = [span(0.2, 3)]

    words = timed([0.2, 1.0, 1.0, 1.0, 2.0], speech, sound(*speech, end=4))

    assert [word.aligned for word in words] == [True, False, False, True]
    assert all(word.heard for word in words)
    assert all(word.end - word.start >= 0.02 for word in words)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(words))


def test_words_that_all_begin_at_once_are_kept() -> None:
    speech = [span(0.2, 3)]

    words = timed([0.0, 0.0, 0.0, 0.0], speech, sound(*speech, end=4))

    assert all(word.heard and not word.aligned for word in words)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(words))
    assert all(word.end > word.start for word in words)


def test_a_word_that_is_not_believed_does_not_cover_what_is_missing() -> None:
    speech = [span(0.0, 3)]

    first, _second = timed([0.0, 2.0, 3.0], speech, sound(*speech, end=4), [0.01, 0.9])

    assert first.start > 1.3
    assert first.end == pytest.approx(2.0)


def test_order_and_length_hold_for_any_times() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        starts = rng.uniform(0, 5, 12)
        words = [
            TimedWord(" word", float(at), float(at + rng.choice([0.0, 0.3])), 0.9, aligned=True)
            for at in starts
        ]
        found = spread(in_order(words), 0.0, 5.5)
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
        assert all(word.end >= word.start for word in found)


def test_a_token_starts_at_its_first_frame_and_a_missing_one_between_its_neighbours() -> None:
    path = np.array([[0, -1], [0, 3], [1, 4], [1, 5], [3, 8]], np.float32)

    assert list(first_frames(path, 4)) == [0, 4, 6, 8]
