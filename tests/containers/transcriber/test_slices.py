"""Speech is packed into slices of at most 30 s, which lead back to the recording's time."""

from __future__ import annotations

import numpy as np
import pytest

from containers.transcriber.mel import RATE
from containers.transcriber.slices import Slice, slices_of
from tests.containers.transcriber.fakes import sound, span


def test_neighbouring_spans_share_a_slice_without_the_long_silence_between_them() -> None:
    speech = [span(101, 106), span(116, 121)]
    heard = sound(*speech, start=100, end=130)

    (one,) = slices_of(speech, heard)

    assert one.seconds == pytest.approx(2 * 5.4)
    assert len(one.samples(heard)) == round(10.8 * RATE)
    assert one.interval(0.2, 1.2) == pytest.approx((101, 102))
    assert one.interval(5.6, 6.6) == pytest.approx((116, 117))


def test_a_short_pause_stays_as_long_as_it_is() -> None:
    speech = [span(1, 3), span(3.8, 5)]

    (one,) = slices_of(speech, sound(*speech, end=10))

    assert len(one.pieces) == 1
    assert one.interval(3.0, 3.2) == pytest.approx((3.8, 4.0))


def test_an_interval_that_crosses_a_cut_is_in_the_piece_that_has_most_of_it() -> None:
    speech = [span(1, 3), span(9, 12)]
    (one,) = slices_of(speech, sound(*speech, end=20))

    start, end = one.interval(2.3, 4.0)

    assert (start, end) == pytest.approx((8.8, 10.4))


def test_no_slice_is_longer_than_the_model_hears_and_no_speech_is_lost() -> None:
    rng = np.random.default_rng(3)
    bounds = np.cumsum(rng.uniform(0.3, 9, 120))
    speech = [span(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    heard = sound(*speech, end=float(bounds[-1]) + 1)

    slices = slices_of(speech, heard)

    assert all(one.seconds <= 30 for one in slices)
    assert [each for one in slices for each in one.speech] == speech


def test_long_speech_is_cut_where_it_is_quietest() -> None:
    loud = [span(0, 24.0), span(24.4, 50)]

    first, second = slices_of([span(0, 50)], sound(*loud, end=50))

    assert first.end == second.start == pytest.approx(24.2, abs=0.15)


def test_a_slice_that_is_half_full_ends_at_a_long_pause() -> None:
    speech = [span(0, 16), span(18, 26)]

    assert len(slices_of(speech, sound(*speech, end=30))) == 2
    closer = [span(0, 16), span(17, 26)]
    assert len(slices_of(closer, sound(*closer, end=30))) == 1


def test_speech_in_which_there_is_no_sound_is_left_out() -> None:
    heard = sound(span(1, 2), end=10)

    (one,) = slices_of([span(1, 2), span(4, 8)], heard)

    assert one.speech == (span(1, 2),)
    assert slices_of([span(4, 8)], heard) == []


def test_halves_are_cut_at_the_largest_pause() -> None:
    speech = [span(1, 4), span(4.5, 8), span(9.5, 12), span(12.4, 15)]
    heard = sound(*speech, end=20)

    halves = Slice.of(speech, heard).cut(heard)

    assert halves is not None
    assert [half.speech for half in halves] == [tuple(speech[:2]), tuple(speech[2:])]


def test_halves_of_one_span_are_cut_where_it_is_quietest() -> None:
    heard = sound(span(1, 5), span(5.4, 9), end=10)

    halves = Slice.of([span(1, 9)], heard).cut(heard)

    assert halves is not None
    assert halves[0].end == pytest.approx(5.2, abs=0.15)


def test_a_short_slice_is_not_cut() -> None:
    heard = sound(span(1, 4), end=10)

    assert Slice.of([span(1, 4)], heard).cut(heard) is None
