"""The words of all windows are one text, in one order, at times within the recording."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.transcript_writer.stitching import SpokenWord, Transcript, stitch
from pipeline.contracts.transcript import Segment
from tests.containers.transcript_writer import Timed, letters, segment, spoken, transcript, window
from tests.containers.transcript_writer.speech import segments, wild_transcripts

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def words_of(whole: Transcript) -> list[SpokenWord]:
    return [word for each in whole.segments for word in each.words]


def text_of(whole: Transcript) -> str:
    return "".join(word.text for word in words_of(whole))


def times_of(*words: Timed) -> list[tuple[int, int]]:
    return [(word.start, word.end) for word in words_of(transcript(segment(*words)))]


@given(wild_transcripts())
def test_times_never_fall_and_never_leave_the_recording(whole: Transcript) -> None:
    words = words_of(whole)

    assert all(0 <= word.start <= word.end <= whole.duration for word in words)
    assert all(before.end <= word.start for before, word in pairwise(words))


@given(st.lists(segments(starts=st.floats(0, 30)), max_size=5))
def test_no_word_is_lost_or_doubled(said: list[Segment]) -> None:
    written = letters(word.text for each in said for word in each.words)

    assert letters([text_of(transcript(*said))]) == _CONTROLS.sub("", written)


def test_times_are_rounded_to_milliseconds_in_order() -> None:
    assert times_of((" a", 0.0004, 1.2346), (" b", 1.2344, 1.2349)) == [(0, 1234), (1234, 1235)]


def test_a_word_ends_where_the_next_one_starts() -> None:
    assert times_of((" a", 1.0, 2.5), (" b", 2.0, 3.0)) == [(1000, 2000), (2000, 3000)]


def test_a_word_does_not_start_before_the_one_before_it() -> None:
    assert times_of((" a", 2.0, 2.5), (" b", 1.0, 3.0)) == [(2000, 2000), (2000, 3000)]


def test_words_stay_within_their_window_and_the_recording() -> None:
    windows = [
        window(segment((" one", -3.0, 31.0)), index=0, start=0.0, end=30.0),
        window(segment((" two", 29.0, 99.0)), index=1, start=30.0, end=60.0),
    ]

    whole = stitch(windows, duration_s=45.0)

    assert [(word.start, word.end) for word in words_of(whole)] == [(0, 30_000), (30_000, 45_000)]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("And so.", "Ask not.", "And so. Ask not."),
        ("そうです。", "今日は", "そうです。今日は"),
        ("안녕하세요.", "네", "안녕하세요. 네"),
    ],
)
@pytest.mark.parametrize("space", ["", " "])
def test_segments_are_joined_with_a_space_where_the_script_has_spaces(
    first: str, second: str, text: str, space: str
) -> None:
    said = [
        segment((space + first, 0.0, 1.0), language="en"),
        segment((space + second, 2.0, 3.0), language="en"),
    ]

    assert text_of(transcript(*said)) == text


def test_spaces_of_any_kind_become_one_and_controls_none() -> None:
    whole = transcript(
        segment((" a\n", 0, 1), ("\u00a0 ", 1, 2), ("\u2028b\x00c", 2, 3), ("d", 3, 4))
    )

    assert [word.text for word in words_of(whole)] == ["a", " bc", "d"]


@pytest.mark.parametrize("words", [(), ((" Hello", 0.0, 1.0),), (("Hello", 0, 1), ("there", 1, 2))])
def test_a_text_that_its_words_do_not_have_stops_the_task(words: tuple[Timed, ...]) -> None:
    said = segment(*words).model_copy(update={"text": "Hello there"})

    with pytest.raises(ValueError, match=r"window 0, at .* is not the text of its words") as caught:
        transcript(said)
    assert "Hello" not in str(caught.value)


def test_languages_are_listed_by_their_words() -> None:
    said = [spoken("one two"), spoken("eins zwei drei", language="de"), spoken("un", language="fr")]

    assert transcript(*said).languages == ("de", "en", "fr")


def test_a_recording_without_speech_has_no_segments() -> None:
    whole = stitch([], duration_s=0.0)

    assert (whole.segments, whole.languages, whole.words) == ((), (), 0)
