"""Spans, timeline and labels of a recording, from made-up probabilities."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from containers.audio_tagger import recording
from containers.audio_tagger.recording import Heard, Recording
from containers.audio_tagger.spans import BestSpans, Span
from containers.audio_tagger.spec import Probabilities, TaggerSpec

SPEECH, MUSIC, OTHER = 0, 137, 300
NAMES = {SPEECH: "Speech", MUSIC: "Music"}


def spec(**changes: object) -> TaggerSpec:
    """Return a row's table with windows of 2 s, one every second."""
    fields = {
        "rate": 8000, "window": 16_000, "hop": 8000, "vocabulary": "audioset", "labels": 527,
        "speech": SPEECH, "music": MUSIC, "onset": 0.5, "offset": 0.25, "gap_s": 0, "least_s": 0,
    }  # fmt: skip
    return TaggerSpec.model_validate(fields | changes)


def found(**labels: float) -> Probabilities:
    """Return the probabilities of one window: `speech`, `music` and `other`, else 0."""
    values = np.zeros(527, np.float32)
    for name, value in labels.items():
        values[{"speech": SPEECH, "music": MUSIC, "other": OTHER}[name]] = value
    return values


def heard(
    table: TaggerSpec, *speech: float, duration_s: float | None = None, most_tags: int = 3
) -> Heard:
    """Push a window for each probability of speech; the recording ends with the last window."""
    followed = Recording(table)
    for value in speech:
        followed.push(found(speech=value))
    whole = (len(speech) - 1) * table.hop + table.window
    return followed.finish(duration_s or whole / table.rate, most_tags=most_tags)


def times(result: Heard) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in result.spans]


def test_a_span_begins_at_the_onset_and_ends_before_the_offset() -> None:
    result = heard(spec(), 0.0, 0.4, 0.5, 0.3, 0.25, 0.24, 0.4, 0.0)

    (span,) = result.spans
    assert (span.label, span.start, span.end) == ("Speech", 2.5, 5.5)
    assert span.max_score == 0.5
    assert span.mean_score == pytest.approx((0.5 + 0.3 + 0.25) / 3, abs=1e-4)


def test_the_first_window_begins_with_the_recording_and_the_last_one_ends_with_it() -> None:
    assert times(heard(spec(), 0.9, 0.9, duration_s=2.6)) == [(0, 2.6)]
    assert times(heard(spec(), 0.9, 0.0, 0.9, duration_s=3.6)) == [(0, 1.5), (2.5, 3.6)]


def test_gaps_are_joined_up_to_a_length() -> None:
    row = (0.0, 0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.9, 0.0)

    assert times(heard(spec(gap_s=1.9), *row)) == [(1.5, 2.5), (4.5, 5.5), (8.5, 9.5)]
    assert times(heard(spec(gap_s=2), *row)) == [(1.5, 5.5), (8.5, 9.5)]
    assert times(heard(spec(gap_s=3), *row)) == [(1.5, 9.5)]


def test_a_joined_spans_scores_are_those_of_its_own_windows() -> None:
    (span,) = heard(spec(gap_s=2), 0.0, 0.6, 0.0, 0.8, 0.0).spans

    assert (span.max_score, span.mean_score) == pytest.approx((0.8, 0.7), abs=1e-4)


def test_a_gap_that_the_recording_ends_in_belongs_to_no_span() -> None:
    assert times(heard(spec(gap_s=5), 0.9, 0.0, 0.0)) == [(0, 1.5)]


def test_short_spans_are_none_but_for_a_recording_that_is_as_short() -> None:
    table = spec(least_s=2)

    assert times(heard(table, 0.0, 0.9, 0.0, 0.9, 0.9, 0.0)) == [(3.5, 5.5)]
    assert times(heard(table, 0.9, duration_s=0.4)) == [(0, 0.4)]


def test_labels_do_not_disturb_each_other() -> None:
    followed = Recording(spec())
    for speech, music in [(0.9, 0.0), (0.9, 0.9), (0.0, 0.9), (0.0, 0.0)]:
        followed.push(found(speech=speech, music=music))

    result = followed.finish(5, most_tags=2)

    spans = [(span.label, span.start, span.end) for span in result.spans]
    assert spans == [("Speech", 0, 2.5), ("Music", 1.5, 3.5)]
    assert [(one.label, one.duration_s) for one in result.labels] == [("Speech", 2.5), ("Music", 2)]


def test_predictions_are_the_greatest_at_any_time_and_ties_go_by_label() -> None:
    followed = Recording(spec())
    followed.push(found(speech=0.7, music=0.1))
    followed.push(found(speech=0.2, music=0.70001))
    followed.push(found(other=0.1))

    result = followed.finish(4, most_tags=4)

    first, second, third, fourth = result.predictions
    assert (first.label, first.score, second.label, second.score) == ("Music", 0.7, "Speech", 0.7)
    assert third.score == 0.1
    assert (fourth.label, fourth.score) == ("A capella", 0)


def test_the_least_certain_spans_are_left_out_with_a_remark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "BestSpans", lambda: BestSpans(2))

    result = heard(spec(), 0.6, 0.0, 0.9, 0.0, 0.7, 0.0, 0.6, 0.0)

    assert [span.max_score for span in result.spans] == [0.9, 0.7]
    assert result.remarks == ("Number of spans left out, those with the lowest scores: 2.",)
    assert result.labels[0].duration_s == 4.5


def test_of_equal_spans_the_earliest_are_kept() -> None:
    best = BestSpans(2)
    for start in (5.0, 1.0, 3.0):
        best.add(Span(0, start, start + 1, 0.5, 0.5))

    assert [span.start for span in best.in_order()] == [1, 3]


def test_the_timeline_is_the_mean_of_speech_and_music() -> None:
    followed = Recording(spec())
    followed.push(found(speech=0.5))
    followed.push(found(music=1))

    first, second = followed.finish(2.7, most_tags=1).timeline

    assert (first.start, first.end, first.speech, first.music) == (0, 1.5, 0.5, 0)
    assert (second.start, second.end, second.speech, second.music) == (1.5, 2.7, 0, 1)


def test_a_long_timeline_has_longer_steps_and_the_same_mean() -> None:
    dice = np.random.default_rng(1)
    values = dice.random(2345).astype(np.float32)

    steps = heard(spec(), *values.tolist()).timeline

    assert 500 <= len(steps) <= 1000
    assert steps[0].start == 0
    assert steps[-1].end == 2346
    assert all(one.end == other.start for one, other in itertools.pairwise(steps))
    windows = [min(4, 2345 - 4 * place) for place in range(len(steps))]
    mean = sum(step.speech * count for step, count in zip(steps, windows, strict=True)) / 2345
    assert mean == pytest.approx(values.mean(), abs=1e-4)
    assert steps[1].speech == pytest.approx(values[4:8].mean(), abs=1e-4)


def _peak(windows: int) -> int:
    dice = np.random.default_rng(1)
    followed = Recording(spec())
    tracemalloc.start()
    for _ in range(windows):
        values = np.zeros(527, np.float32)
        values[dice.integers(527, size=5)] = 0.9
        followed.push(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_twelve_hours_need_no_more_memory_than_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """8,640 windows every 5 s: all probabilities would be 18 MB."""
    monkeypatch.setattr(recording, "BestSpans", lambda: BestSpans(200))

    short, long = _peak(1440), _peak(8640)

    assert long < 1.1 * short
    assert long < 10**6
