"""Subtitles have every word once, can be read, and break where the speaker does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from containers.transcript_writer.attribution import attribute
from containers.transcript_writer.cues import GAP_MS, LEAST_MS, MOST_MS, Cue, cues_of
from containers.transcript_writer.pieces import LINE, passages_of
from containers.transcript_writer.scripts import clusters_of, width_of
from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import Transcript
from pipeline.contracts.transcript import Segment
from tests.containers.transcript_writer import letters, segment, spoken, transcript
from tests.containers.transcript_writer.speech import turns, wild_transcripts

COMPOUND = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"


def lines_of(*said: Segment) -> list[tuple[str, ...]]:
    return [cue.lines for cue in cues_of(transcript(*said))]


def times_of(*said: Segment, duration_s: float = 300.0) -> list[tuple[int, int]]:
    return [(cue.start, cue.end) for cue in cues_of(transcript(*said, duration_s=duration_s))]


@given(wild_transcripts())
def test_every_word_is_shown_once_and_in_order(whole: Transcript) -> None:
    shown = letters(line for cue in cues_of(whole) for line in cue.lines)

    assert shown == letters(each.running_text for each in whole.segments)


@given(wild_transcripts())
def test_a_cue_is_one_or_two_lines_of_42_columns(whole: Transcript) -> None:
    for cue in cues_of(whole):
        assert 1 <= len(cue.lines) <= 2
        assert all(line and line == line.strip() for line in cue.lines)
        assert all(width_of(line) <= LINE for line in cue.lines), cue


@given(wild_transcripts())
def test_cues_follow_each_other_within_the_recording(whole: Transcript) -> None:
    cues = cues_of(whole)

    assert all(0 <= cue.start < cue.end <= whole.duration for cue in cues)
    assert all(before.end < cue.start for before, cue in pairwise(cues))
    assert all(cue.end - cue.start <= MOST_MS for cue in cues)


@given(wild_transcripts())
def test_a_cue_is_long_enough_to_be_seen_where_the_recording_has_the_time(
    whole: Transcript,
) -> None:
    cues = cues_of(whole)

    if whole.duration >= len(cues) * (LEAST_MS + GAP_MS):
        assert all(cue.end - cue.start >= LEAST_MS for cue in cues)


@pytest.mark.parametrize("cluster", ["👨‍👩‍👧", "स्ते", "e\u0301"])
def test_a_grapheme_cluster_is_never_cut(cluster: str) -> None:
    lines = [line for lines in lines_of(spoken(cluster * 100)) for line in lines]

    assert len(lines) > 1
    assert {
        *clusters_of("".join(lines)),
        *(each for line in lines for each in clusters_of(line)),
    } == {*clusters_of(cluster)}


def test_a_cue_ends_at_the_longest_pause() -> None:
    said = segment(
        (" I", 0, 0.3), (" think", 0.3, 0.6), (" so.", 0.6, 0.9), (" That", 1.5, 1.7),
        (" everybody,", 1.7, 2.1), (" who", 2.1, 2.3), (" lives", 2.3, 2.5), (" here.", 2.5, 2.8),
    )  # fmt: skip

    assert lines_of(said) == [("I think so.",), ("That everybody, who lives here.",)]


def test_a_pause_inside_a_clause_does_not_make_a_cue_of_three_words() -> None:
    """The speaker of "ask not what … your country" hesitates for 0.9 s, and 0.4 s at the comma."""
    asked = spoken("ask not what", start=3.28, rate=0.443)
    told = spoken("your country can do for you,", start=5.52, rate=0.307)
    again = spoken("ask what you can do for your country.", start=7.74, rate=0.3275)

    assert lines_of(asked, told, again) == [
        ("ask not what your country can do for you,",),
        ("ask what you can do for your country.",),
    ]


def test_where_a_clause_needs_two_cues_they_part_at_its_pause() -> None:
    before = spoken("the repairs of the roof and of the windows that were broken", rate=0.2)
    after = spoken("in the great storm of that November and in the next one", start=3.0, rate=0.2)

    assert [" ".join(lines) for lines in lines_of(before, after)] == [
        "the repairs of the roof and of the windows that were broken",
        "in the great storm of that November and in the next one",
    ]


def test_without_a_pause_a_cue_ends_with_the_sentence_or_else_with_the_clause() -> None:
    sentence = (
        "It was signed in March by both of the parties. After that, nobody said anything about "
        "the broken windows"
    )
    clause = (
        "It was signed in March by both of the parties, which nobody but a lawyer said anything "
        "about afterwards"
    )

    assert lines_of(spoken(sentence, rate=0.25)) == [
        ("It was signed in March", "by both of the parties."),
        ("After that, nobody said anything", "about the broken windows"),
    ]
    assert lines_of(spoken(clause, rate=0.25)) == [
        ("It was signed in March", "by both of the parties,"),
        ("which nobody but a lawyer said", "anything about afterwards"),
    ]


def test_a_line_does_not_end_with_a_short_word_that_belongs_to_the_next() -> None:
    assert lines_of(spoken("the whole of what was broken in the great storm", rate=0.2)) == [
        ("the whole of what was broken", "in the great storm")
    ]


def test_a_break_after_a_clause_is_better_than_one_within_it() -> None:
    (passage,) = passages_of(transcript(spoken("Which was, after all.")))

    assert [piece.strength for piece in passage.pieces[:-1]] == [0.0, 1.0, 0.0]


def test_a_slow_speaker_has_cues_of_at_most_seven_seconds() -> None:
    assert lines_of(spoken("words spoken slowly indeed", rate=3.0)) == [
        ("words spoken",),
        ("slowly indeed",),
    ]


def test_two_lines_are_balanced() -> None:
    assert lines_of(spoken("the repairs of the roof and of the windows of it")) == [
        ("the repairs of the roof", "and of the windows of it")
    ]


def test_text_that_fits_one_line_is_not_broken() -> None:
    assert lines_of(spoken("ask what you can do, for your country.")) == [
        ("ask what you can do, for your country.",)
    ]


def test_nothing_is_shown_as_one_across_a_long_pause_or_two_languages() -> None:
    said = [
        spoken("Yes.", start=0.0),
        spoken("No.", start=2.0),
        spoken("Doch.", start=2.4, language="de"),
    ]

    assert lines_of(*said) == [("Yes.",), ("No.",), ("Doch.",)]


def test_short_answers_share_a_cue() -> None:
    said = [spoken("Yes.", start=0.0), spoken("No.", start=0.3), spoken("Yes.", start=0.6)]

    assert lines_of(*said) == [("Yes. No. Yes.",)]


@given(wild_transcripts(), turns())
def test_a_cue_has_the_words_of_one_speaker_and_a_line_has_room_for_the_name(
    whole: Transcript, spoken_turns: tuple[SpokenTurn, ...]
) -> None:
    told = attribute(whole, spoken_turns)
    cues = cues_of(told, named=True)

    assert all(1 <= len(cue.lines) <= 2 for cue in cues)
    assert all(width_of(line) <= LINE for cue in cues for line in cue.lines)
    assert all(cue.lines[0].startswith(f"{cue.speaker}:") for cue in cues if cue.speaker)
    for speaker in (None, "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"):
        shown = [" ".join(cue.lines) for cue in cues if cue.speaker == speaker]
        said = [each.running_text for each in told.segments if each.speaker == speaker]
        label = f"{speaker}:" if speaker else ""
        assert letters(each.removeprefix(label) for each in shown) == letters(said)


def test_a_cue_ends_where_the_speaker_changes() -> None:
    said = transcript(spoken("Really? Yes.", rate=0.4))
    told = attribute(said, [SpokenTurn(0, 400, "SPEAKER_00"), SpokenTurn(400, 800, "SPEAKER_01")])

    assert [(cue.speaker, cue.lines) for cue in cues_of(told)] == [
        ("SPEAKER_00", ("Really?",)),
        ("SPEAKER_01", ("Yes.",)),
    ]


def test_no_short_cue_is_left_at_the_end_where_another_speaker_goes_on_at_once() -> None:
    """Else "Right." would be a cue of its own, and the answer would be shown late."""
    text = (
        "It was signed in March by both parties, who had written it and read it all to us. Right."
    )
    first = spoken(text, rate=0.25)
    answer = spoken("No, it was never read by them.", start=first.end, rate=0.25)
    half = round(first.end * 1000)
    told = attribute(
        transcript(first, answer),
        [SpokenTurn(0, half, "SPEAKER_00"), SpokenTurn(half, 9_000, "SPEAKER_01")],
    )

    cues = cues_of(told)

    assert [cue.lines for cue in cues] == [
        ("It was signed in March by both parties,",),
        ("who had written it and read it all to us.", "Right."),
        ("No, it was never read by them.",),
    ]
    assert cues[-1].start - half <= 250


def test_a_name_takes_room_on_the_first_line_alone() -> None:
    def named(text: str) -> list[tuple[str, ...]]:
        told = attribute(transcript(spoken(text, rate=0.3)), [SpokenTurn(0, 9_000, "SPEAKER_00")])
        return [cue.lines for cue in cues_of(told, named=True)]

    assert named("the repairs of the roof and the walls") == [
        ("SPEAKER_00: the repairs", "of the roof and the walls")
    ]
    assert named(COMPOUND[:42]) == [("SPEAKER_00:", COMPOUND[:42])]


def test_a_word_longer_than_a_line_is_cut() -> None:
    assert lines_of(spoken(f"a {COMPOUND} b")) == [
        ("a", "Donaudampfschifffahrtsgesellschaftskapitän"),
        ("smützenabzeichen b",),
    ] or lines_of(spoken(f"a {COMPOUND} b")) == [
        ("a",),
        ("Donaudampfschifffahrtsgesellschaftskapitän", "smützenabzeichen b"),
    ]


def test_japanese_and_thai_break_between_phrases() -> None:
    japanese = "新しい製品の発売日について話し合うことになっています"
    thai = "วันนี้เรามาประชุมกันที่กรุงเทพฯเพื่อพูดคุยเกี่ยวกับแผนงานของปีหน้า"

    assert lines_of(spoken(japanese, language="ja", rate=0.1)) == [
        ("新しい製品の発売日について", "話し合うことになっています")
    ]
    assert lines_of(spoken(thai, language="th", rate=0.1)) == [
        ("วันนี้เรามาประชุมกันที่กรุงเทพฯเพื่อ", "พูดคุยเกี่ยวกับแผนงานของปีหน้า")
    ]


def test_a_cue_begins_with_its_first_word_and_stays_until_it_is_read() -> None:
    (times,) = times_of(segment((" Incomprehensibilities", 1.0, 1.2)))

    assert times == (1000, 1000 + 833)


def test_a_cue_stays_half_a_second_longer_than_the_voice_for_the_reader() -> None:
    (times,) = times_of(spoken("And so, my fellow Americans, he said.", start=1.0, rate=0.15))

    assert times == (1000, 1000 + 7 * 150 + 500)


def test_a_gap_of_half_a_second_is_closed_to_two_frames() -> None:
    said = [
        spoken("This is the first sentence.", start=0.0, rate=0.4),
        spoken("Second one here.", start=2.4, rate=0.4),
    ]

    assert times_of(*said) == [(0, 2400 - GAP_MS), (2400, 3600)]


def test_a_word_that_lasts_for_ever_is_shown_for_seven_seconds() -> None:
    assert times_of(segment((" Aaaah", 1.0, 60.0))) == [(1000, 8000)]


def test_words_crammed_into_one_moment_are_still_shown_long_enough() -> None:
    crammed = segment(*((f" word{number}", 9.9, 9.9) for number in range(40)))

    times = times_of(crammed, duration_s=10.0)

    assert len(times) > 1
    assert all(end - start >= LEAST_MS for start, end in times)
    assert times[-1][1] <= 10_000


def test_a_recording_without_speech_has_no_cues() -> None:
    assert cues_of(Transcript(duration=0, segments=())) == ()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_cue_says_its_language(language: str) -> None:
    cues: tuple[Cue, ...] = cues_of(transcript(spoken("今日", language=language)))

    assert [cue.language for cue in cues] == [language]
