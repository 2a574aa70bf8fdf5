"""Windows hold all speech once, end in silence, and are never longer than 300 seconds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.audio_reader.speech import Thresholds
from containers.audio_reader.voice import STEP, STEP_S
from containers.audio_reader.windows import Piece, Windower
from pipeline.audio.samples import Samples

RATE = 16_000
THRESHOLDS = Thresholds(onset=0.5, offset=0.35)
PAD_S = 6 * STEP_S


def loudest(step: Samples) -> float:
    """Hear speech in what is loud: 0.9 is certain, 0.1 is not."""
    return float(np.abs(step).max())


def talk(*parts: tuple[float, float]) -> Samples:
    """Return parts of a loudness and a duration in seconds, one after the other."""
    waves = [np.full((round(seconds * RATE), 1), loud, np.float32) for loud, seconds in parts]
    return np.concatenate(waves)


def windows(samples: Samples, block: int = 100_000) -> list[Piece]:
    windower = Windower(loudest, THRESHOLDS)
    pieces = [list(windower.push(samples[at : at + block])) for at in range(0, len(samples), block)]
    return [*itertools.chain(*pieces), *windower.finish()]


def spans(piece: Piece) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in piece.speech]


def near(*values: float) -> object:
    return pytest.approx(values, abs=2 * STEP_S)


def test_a_short_recording_is_one_window_from_its_first_word_to_its_last() -> None:
    samples = talk((0, 5), (0.9, 3), (0, 4), (0.8, 2), (0, 6))

    (piece,) = windows(samples)

    assert (piece.index, piece.samples.dtype.name, piece.samples.shape[1]) == (0, "int16", 1)
    assert (piece.start, piece.end) == near(5 - PAD_S, 14 + PAD_S)
    first, second = spans(piece)
    assert first == near(5 - PAD_S, 8 + PAD_S)
    assert second == near(12 - PAD_S, 14 + PAD_S)
    own = samples[round(piece.start * RATE) :][: len(piece.samples)]
    assert len(piece.samples) == round((piece.end - piece.start) * RATE)
    assert np.abs(piece.samples / 32_768 - own).max() < 1e-4


def test_a_recording_that_ends_within_a_step_keeps_its_last_samples() -> None:
    (piece,) = windows(talk((0.9, 2), (0.9, 0.0101)))

    assert piece.end == pytest.approx(2.0101, abs=1 / RATE)
    assert spans(piece)[-1][1] == piece.end
    assert len(piece.samples) == round(2.0101 * RATE)


@pytest.mark.parametrize("seconds", [0.001, 1, 299, 301, 1_000])
def test_where_nobody_speaks_there_is_no_window(seconds: float) -> None:
    assert windows(talk((0.1, seconds))) == []


def test_nothing_is_no_window() -> None:
    assert list(Windower(loudest, THRESHOLDS).finish()) == []


def test_a_window_ends_in_the_longest_silence_of_its_last_minute() -> None:
    samples = talk(
        (0.9, 100), (0, 30), (0.9, 120), (0, 2), (0.9, 20), (0, 3), (0.9, 10), (0, 1), (0.9, 100)
    )

    first, second = windows(samples)

    assert (first.start, first.end) == near(0, 272 + PAD_S)
    assert (second.start, second.end) == near(275 - PAD_S, 386)
    assert len(first.speech) == 3


def test_a_silence_that_is_longer_but_earlier_does_not_count() -> None:
    first, *_ = windows(talk((0.9, 200), (0, 20), (0.9, 40), (0, 1), (0.9, 100)))

    assert first.end == pytest.approx(260 + PAD_S, abs=2 * STEP_S)


def test_a_long_silence_ends_a_window_and_belongs_to_none() -> None:
    first, second = windows(talk((0.9, 10), (0, 900), (0.9, 10)))

    assert (first.start, first.end) == near(0, 10 + PAD_S)
    assert (second.start, second.end) == near(910 - PAD_S, 920)


def test_without_a_silence_it_is_cut_where_speech_is_least_probable() -> None:
    samples = talk((0.9, 270), (0.6, 0.1), (0.9, 80))

    first, second = windows(samples)

    assert first.end == second.start == pytest.approx(270.05, abs=0.1)
    assert second.end == 350.1
    assert spans(first) == [(0, first.end)]
    assert spans(second) == [(second.start, 350.1)]


def test_equally_probable_steps_are_cut_at_the_least_energy() -> None:
    windower = Windower(lambda _step: 0.9, THRESHOLDS)
    samples = talk((0.9, 250), (0.2, 0.1), (0.9, 100))

    first, second = [*windower.push(samples), *windower.finish()]

    assert first.end == second.start == pytest.approx(250.05, abs=0.1)


def test_speech_that_was_cut_goes_on_below_the_onset() -> None:
    quiet = talk((0.9, 299), (0.4, 3), (0, 5))

    first, second = windows(quiet)

    assert first.end == second.start == pytest.approx(299, abs=0.1)
    assert second.end == pytest.approx(302 + PAD_S, abs=0.1)


def test_an_hour_without_a_pause_has_no_gap_and_no_overlap() -> None:
    pieces = windows(talk((0.9, 3_600)))

    assert all(piece.end - piece.start <= 300 for piece in pieces)
    assert [piece.start for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]]
    assert (pieces[0].start, pieces[-1].end) == (0, 3_600)
    assert [piece.index for piece in pieces] == list(range(len(pieces)))


def test_the_size_of_blocks_makes_no_difference() -> None:
    samples = talk((0.9, 100), (0, 1), (0.9, 180), (0, 2), (0.9, 77))

    once, often = windows(samples, 10**9), windows(samples, 777)

    assert [spans(piece) for piece in once] == [spans(piece) for piece in often]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(once, often, strict=True))


@settings(max_examples=10)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.4, 0.9]), st.integers(1, 3_000)), min_size=1, max_size=12
    )
)
def test_all_speech_is_in_exactly_one_window(parts: list[tuple[float, int]]) -> None:
    steps = np.concatenate([np.full(count, loud, np.float32) for loud, count in parts])
    samples = np.repeat(steps, STEP)[:, None]

    pieces = windows(samples)

    inside = np.zeros(len(steps), int)
    for piece in pieces:
        assert 0 < piece.end - piece.start <= 300
        assert len(piece.samples) == round((piece.end - piece.start) * RATE)
        assert spans(piece)[0][0] == piece.start
        assert spans(piece)[-1][1] == piece.end
        for start, end in spans(piece):
            inside[round(start / STEP_S) : round(end / STEP_S)] += 1
    assert inside.max(initial=0) <= 1
    loud = steps >= 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    for start, end in edges.reshape(-1, 2):
        if end - start >= 8:
            assert inside[start:end].all()
