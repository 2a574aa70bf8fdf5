"""The benchmark of recordings counts words and times as it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.operations.history import Visit
from tests.bench.audio.overhead import busy_ms
from tests.bench.audio.transcribe import in_one_place, word_errors

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heard", "errors"),
    [("ask not what", 0), ("ask what", 1), ("ask not not what", 1), ("as not watt", 2), ("", 3)],
)
def test_lost_invented_and_wrong_words_count_once_each(heard: str, errors: int) -> None:
    assert word_errors(["ask", "not", "what"], heard.split()) == errors


def test_a_lost_sentence_is_lost_in_one_place_and_a_wrong_word_is_not() -> None:
    said = ["a", "b", "c", "d", "e", "f", "g", "h"]

    assert in_one_place(said, ["a", "x", "c", "d", "e", "f", "y", "h"]) == (0, 0)
    assert in_one_place(said, ["a", "b", "g", "h"]) == (4, 0)
    assert in_one_place(said, ["a", "b", "c", "d", "e", "f", "g", "h", "so", "so", "so"]) == (0, 3)


def test_functions_at_work_at_the_same_time_count_once() -> None:
    spans = [(0, 100), (50, 100), (60, 20), (400, 50)]
    visits = [
        Visit("Transcribe", "Task", START + timedelta(milliseconds=at), ms) for at, ms in spans
    ]

    assert busy_ms(visits) == pytest.approx(200)
