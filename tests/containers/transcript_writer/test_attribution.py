"""Every word has the speaker who speaks it, and segments are split where the speaker changes."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given

from containers.transcript_writer.attribution import NEAR_MS, attribute
from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import Transcript
from tests.containers.transcript_writer import Timed, segment, spoken, transcript
from tests.containers.transcript_writer.speech import turns, wild_transcripts

A, B = "SPEAKER_00", "SPEAKER_01"
FOUR = ((" I", 1.0, 2.0), (" do", 2.0, 3.0), (" so", 3.0, 4.0), (" too.", 4.0, 5.0))


def speakers_of(whole: Transcript) -> list[str | None]:
    return [word.speaker for each in whole.segments for word in each.words]


def told(words: tuple[Timed, ...], *turns: SpokenTurn) -> list[str | None]:
    return speakers_of(attribute(transcript(segment(*words)), turns))


def test_a_word_belongs_to_the_speaker_who_overlaps_it_most() -> None:
    turns = SpokenTurn(0, 2_400, A), SpokenTurn(2_400, 9_000, B)

    assert told(FOUR, *turns) == [A, B, B, B]


def test_a_speakers_turns_within_a_word_count_together() -> None:
    turns = SpokenTurn(1_000, 1_300, A), SpokenTurn(1_300, 1_700, B), SpokenTurn(1_700, 2_000, A)

    assert told(FOUR[:1], *turns) == [A]


@pytest.mark.parametrize(
    ("gap", "speaker"), [(0, A), (1, A), (NEAR_MS, A), (NEAR_MS + 1, None), (5_000, None)]
)
def test_a_word_that_nobodys_turn_overlaps_belongs_to_the_nearest_one(
    gap: int, speaker: str | None
) -> None:
    word = ((" so", 10.0, 10.2),)

    assert told(word, SpokenTurn(0, 10_000 - gap, A)) == [speaker]
    assert told(word, SpokenTurn(10_200 + gap, 11_000 + gap, A)) == [speaker]


def test_of_two_near_turns_the_nearer_one_has_the_word() -> None:
    turns = SpokenTurn(0, 9_700, A), SpokenTurn(10_400, 11_000, B)

    assert told(((" so", 10.0, 10.2),), *turns) == [B]


def test_a_word_without_length_is_in_the_turn_around_it() -> None:
    assert told(((" so", 1.0, 1.0),), SpokenTurn(0, 2_000, A), SpokenTurn(1_100, 1_200, B)) == [A]


def test_where_both_speak_the_speaker_goes_on_who_spoke_before() -> None:
    together = SpokenTurn(1_000, 3_000, A), SpokenTurn(2_000, 5_000, B)

    assert told(FOUR, *together) == [A, A, B, B]


def test_the_speaker_before_goes_on_whoever_began_to_speak_first() -> None:
    turns = SpokenTurn(0, 1_600, A), SpokenTurn(1_000, 5_000, B), SpokenTurn(2_000, 5_000, A)

    assert told(FOUR, *turns) == [B, B, B, B]


def test_a_long_turn_is_not_forgotten_while_short_ones_pass() -> None:
    short = [SpokenTurn(at, at + 100, B) for at in range(0, 4_000, 1_000)]
    turns = sorted([SpokenTurn(0, 5_000, A), *short], key=lambda turn: turn.start)

    assert told(FOUR, *turns) == [A, A, A, A]


def test_a_single_word_that_another_speaker_hardly_overlaps_stays_in_its_sentence() -> None:
    """ " so" is 0.4 s of B's turn, and lies 0.1 s from both turns of A."""
    turns = SpokenTurn(0, 2_900, A), SpokenTurn(3_300, 3_700, B), SpokenTurn(4_100, 5_000, A)

    assert told(FOUR, *turns) == [A, A, A, A]


def test_a_single_word_through_half_of_which_another_speaks_is_that_speakers() -> None:
    turns = SpokenTurn(0, 3_000, A), SpokenTurn(3_000, 3_500, B), SpokenTurn(4_000, 5_000, A)

    assert told(FOUR, *turns) == [A, A, B, A]


def test_two_words_of_another_speaker_are_that_speakers() -> None:
    turns = SpokenTurn(0, 1_900, A), SpokenTurn(2_700, 3_300, B), SpokenTurn(4_100, 5_000, A)

    assert told(FOUR, *turns) == [A, B, B, A]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (2_200, [B, B, B, B]),
        (2_201, [A, B, B, B]),
        (3_799, [A, A, A, B]),
        (3_800, [A, A, A, A]),
    ],
)
def test_a_sentence_keeps_its_first_and_last_word_where_the_speakers_change_at_about_that_time(
    change: int, expected: list[str]
) -> None:
    turns = SpokenTurn(0, change, A), SpokenTurn(change, 9_000, B)

    assert told(FOUR, *turns) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [((" Yes.", " I", " do."), [A, B, B]), ((" Yes,", " I", " do."), [B, B, B])],
)
def test_a_sentence_of_one_word_is_not_drawn_into_the_next_one(
    texts: tuple[str, ...], expected: list[str]
) -> None:
    words = tuple((text, float(at), at + 1.0) for at, text in enumerate(texts))

    assert told(words, SpokenTurn(0, 1_000, A), SpokenTurn(1_000, 3_000, B)) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [((" Do", " you?", " Yes."), [A, A, B]), ((" Do", " you", " so?"), [A, A, A])],
)
def test_an_answer_of_one_word_is_not_drawn_into_the_question(
    texts: tuple[str, ...], expected: list[str]
) -> None:
    words = tuple((text, float(at), at + 1.0) for at, text in enumerate(texts))

    assert told(words, SpokenTurn(0, 2_000, A), SpokenTurn(2_000, 3_000, B)) == expected


def test_a_single_word_between_two_speakers_is_left_alone() -> None:
    turns = SpokenTurn(0, 1_900, A), SpokenTurn(2_700, 3_300, B), SpokenTurn(3_300, 5_000, "C")

    assert told(FOUR, *turns) == [A, B, "C", "C"]


def test_a_segment_is_split_where_the_speaker_changes() -> None:
    said = transcript(spoken("Warum nicht? Weil ich will.", language="de", rate=1.0))

    parts = attribute(said, [SpokenTurn(0, 2_000, A), SpokenTurn(2_000, 5_000, B)]).segments

    assert [(each.speaker, each.language, each.running_text) for each in parts] == [
        (A, "de", "Warum nicht?"),
        (B, "de", " Weil ich will."),
    ]
    assert [(each.start, each.end) for each in parts] == [(0, 2_000), (2_000, 5_000)]


def test_words_that_nobody_speaks_split_no_segment() -> None:
    words = tuple((f" {at}", 2.0 * at, 2.0 * at + 0.2) for at in range(6))
    turns = SpokenTurn(2_000, 2_200, A), SpokenTurn(6_000, 6_200, A), SpokenTurn(8_000, 8_200, B)

    whole = attribute(transcript(segment(*words)), turns)

    assert speakers_of(whole) == [None, A, None, A, B, None]
    assert [(each.speaker, each.running_text) for each in whole.segments] == [
        (A, "0 1 2 3"),
        (B, " 4 5"),
    ]


def test_without_turns_nobody_is_named_and_nothing_is_split() -> None:
    said = transcript(spoken("And so, ask not."), spoken("No.", start=3.0))

    assert attribute(said, []) == said


@given(wild_transcripts(), turns())
def test_no_word_is_lost_and_a_segment_has_one_speaker(
    whole: Transcript, spoken_turns: tuple[SpokenTurn, ...]
) -> None:
    told = attribute(whole, spoken_turns)

    assert [(word.text, word.start, word.end) for each in told.segments for word in each.words] == [
        (word.text, word.start, word.end) for each in whole.segments for word in each.words
    ]
    for each in told.segments:
        assert {word.speaker for word in each.words} - {None} == {each.speaker} - {None}
    assert [name for name, _ in groupby(each.language for each in told.segments)] == [
        name for name, _ in groupby(each.language for each in whole.segments)
    ]


@given(wild_transcripts(), turns())
def test_a_word_has_a_speaker_if_and_only_if_a_turn_is_near(
    whole: Transcript, spoken_turns: tuple[SpokenTurn, ...]
) -> None:
    for each in attribute(whole, spoken_turns).segments:
        for word in each.words:
            end = max(word.end, word.start + 1)
            near = [
                turn
                for turn in spoken_turns
                if turn.start <= end + NEAR_MS and turn.end >= word.start - NEAR_MS
            ]
            assert (word.speaker is not None) == bool(near)
