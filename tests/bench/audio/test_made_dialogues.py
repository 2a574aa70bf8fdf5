"""Made dialogues are what their references say, and errors are counted as NIST and pyannote do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from pipeline.audio.flac import FlacReader
from pipeline.audio.samples import Samples
from tests.bench.audio.der import errors
from tests.bench.audio.dialogues import dialogue, write_hours
from tests.bench.audio.rttm import Turn, read_rttm, write_rttm
from tests.bench.audio.voices import RATE, Voice, utterances


def tone(seconds: float, hertz: float = 300.0) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


VOICES: Final = (
    Voice("a", (tone(2.0), tone(3.1))),
    Voice("b", (tone(1.2, 500),)),
    Voice("c", (tone(2.5, 700),)),
)
AB: Final = (Turn(0, 10, "A"), Turn(10, 20, "B"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([Turn(0, 10, "x"), Turn(10, 20, "y")], (0, 0, 0)),
        ([Turn(0, 10, "B"), Turn(10, 20, "A")], (0, 0, 0)),  # names do not matter
        ([], (20, 0, 0)),
        ([Turn(0, 9, "x"), Turn(10, 21, "y")], (1, 1, 0)),
        ([Turn(0, 12, "x"), Turn(12, 20, "y")], (0, 0, 2)),
        ([Turn(0, 20, "x")], (0, 0, 10)),
        ([Turn(0, 10, "x"), Turn(10, 20, "y"), Turn(5, 8, "y")], (0, 3, 0)),
        ([Turn(0, 10, "x"), Turn(10, 14, "y"), Turn(14, 20, "z")], (0, 0, 4)),
    ],
    ids=["right", "swapped", "nothing", "early and late", "changed late", "one", "both", "three"],
)
def test_each_kind_of_error_is_counted(
    found: list[Turn], expected: tuple[float, float, float]
) -> None:
    assert errors(AB, found, collar_s=0) == pytest.approx((*expected, 20))


def test_overlapping_speech_counts_once_for_each_speaker() -> None:
    true = [Turn(0, 10, "A"), Turn(5, 10, "B")]

    assert errors(true, [Turn(0, 10, "x")], collar_s=0) == pytest.approx((5, 0, 0, 15))
    assert errors(true, [Turn(0, 10, "x")], collar_s=0).rate == pytest.approx(100 / 3)


def test_speakers_are_matched_so_that_the_least_is_wrong() -> None:
    true = [Turn(0, 17, "A"), Turn(17, 25, "B")]
    found = [Turn(0, 9, "x"), Turn(9, 17, "y"), Turn(17, 25, "x")]

    # The longest pair is x with A, 9 s; but x with B and y with A are right for 16 s.
    assert errors(true, found, collar_s=0).confused == pytest.approx(9)


def test_a_collar_leaves_both_sides_of_each_edge_out() -> None:
    late = [Turn(0.25, 10.25, "x"), Turn(10.25, 20.25, "y")]

    assert errors(AB, late, collar_s=0) == pytest.approx((0.25, 0.25, 0.25, 20))
    assert errors(AB, late, collar_s=0.25) == pytest.approx((0, 0, 0, 19))


@pytest.mark.parametrize(
    ("collar_s", "expected"),
    [(0, (1.85, 2.45, 2.55, 14.25)), (0.25, (0.25, 1.6, 2.0, 9.25))],
)
def test_pyannote_metrics_counts_the_same(
    collar_s: float, expected: tuple[float, float, float, float]
) -> None:
    """Answers of pyannote.metrics 4.2.0; its `collar` is that of both sides together."""
    true = [
        *(Turn(0, 2, "A"), Turn(3, 5, "B"), Turn(4.5, 8, "A"), Turn(8.25, 9, "C")),
        *(Turn(9, 14, "B"), Turn(10, 11, "A")),
    ]
    found = [
        *(Turn(0.1, 2.6, "x"), Turn(2.9, 6, "y"), Turn(5.5, 8.3, "x"), Turn(8.4, 8.8, "z")),
        *(Turn(9.2, 12, "y"), Turn(12, 15, "z"), Turn(10.5, 10.75, "x")),
    ]

    assert errors(true, found, collar_s=collar_s) == pytest.approx(expected)


def test_rttm_is_read_as_it_was_written() -> None:
    turns = [Turn(0.5, 2.25, "a"), Turn(2, 3.125, "b")]

    text = write_rttm(turns, name="talk")

    assert text.splitlines()[0] == "SPEAKER talk 1 0.500 1.750 <NA> <NA> a <NA> <NA>"
    assert read_rttm(";; a comment\n" + text) == turns


def test_a_seed_makes_the_same_dialogue_again_and_another_seed_does_not() -> None:
    first, again, other = (dialogue(VOICES, seconds=30, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(first.samples, again.samples)
    assert first.turns == again.turns
    assert other.turns != first.turns
    assert {turn.speaker for turn in first.turns} == {"a", "b", "c"}


def test_a_dialogue_is_loud_where_a_turn_is_and_quiet_elsewhere() -> None:
    made = dialogue(VOICES, seconds=60, seed=3)

    spoken = np.zeros(len(made.samples), bool)
    for start, end, _ in made.turns:
        spoken[round(start * RATE) : round(end * RATE)] = True
    assert np.abs(made.samples[~spoken]).max() < 0.01
    for start, end, _ in made.turns:
        said = made.samples[round(start * RATE) : round(end * RATE)]
        assert np.sqrt((said**2).mean()) > 0.03


def test_people_of_a_dialogue_overlap_now_and_then_but_nobody_themselves() -> None:
    made = dialogue(VOICES, seconds=300, seed=1).turns

    pairs = [(one, two) for one in made for two in made if one < two and two.start < one.end]
    assert pairs
    assert all(one.speaker != two.speaker for one, two in pairs)


def test_hours_are_as_long_as_asked_and_speech_is_where_the_turns_are(tmp_path: Path) -> None:
    turns = write_hours(tmp_path / "hours.flac", VOICES, seconds=300, rate=32_000)

    with (tmp_path / "hours.flac").open("rb") as file:
        heard = np.concatenate(list(FlacReader(file).blocks()))[:, 0]
    assert len(heard) == 300 * 32_000
    assert max(turn.end for turn in turns) <= 300
    assert any(turn.start > 240 for turn in turns)
    for start, end, _ in turns[::7]:
        said = heard[round(start * 32_000) : round(end * 32_000)]
        assert np.sqrt((said**2).mean()) > 0.03


def test_speech_is_cut_at_pauses_and_short_pieces_are_left_out() -> None:
    silent = np.zeros(RATE // 2, np.float32)
    content = np.concatenate([silent, tone(2.0), silent, tone(0.5), silent, tone(1.5), silent])

    found = [len(piece) / RATE for piece in utterances(content)]

    assert found == pytest.approx([2.0, 1.5], abs=0.05)
