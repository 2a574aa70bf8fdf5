"""Turns: as many speak at once as the chunks hear, gaps and specks are no turns."""

from __future__ import annotations

import numpy as np

from containers.diarizer.turns import speaking, turns_of
from tests.containers.diarizer.rows import spec
from tests.containers.diarizer.test_assigning import chunk

FRAME_S = 270 / 16_000


def test_the_majority_of_chunks_says_who_speaks() -> None:
    chunks = [chunk(0, "######"), chunk(0, "######"), chunk(0, "######")]
    named = [np.array([0]), np.array([1]), np.array([1])]

    active = speaking(chunks, named, 2, 6)

    assert active.T.astype(int).tolist() == [[0] * 6, [1] * 6]


def test_two_speak_at_once_where_most_chunks_hear_two() -> None:
    chunks = [
        chunk(0, "####..", "..####"),
        chunk(0, "####..", "...###"),
        chunk(0, "####..", "..####"),
    ]
    named = [np.array([0, 1])] * 3

    active = speaking(chunks, named, 2, 6)

    assert active.T.astype(int).tolist() == [[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]]


def test_chunks_that_begin_later_count_where_they_are() -> None:
    chunks = [chunk(0, "##.."), chunk(2, "..##"), chunk(4, "##..")]
    named = [np.array([0]), np.array([1]), np.array([1])]

    active = speaking(chunks, named, 2, 8)

    assert active.T.astype(int).tolist() == [[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0]]


def test_short_gaps_are_filled_and_specks_left_out() -> None:
    active = np.zeros((200, 2), bool)
    active[10:50, 0] = active[54:90, 0] = True  # a gap of 68 ms
    active[120:150, 0] = True  # after half a second
    active[100:104, 1] = True  # 68 ms

    turns = list(turns_of(active, spec(), start=100.0, end=200.0))

    assert [turn.speaker for turn in turns] == [0, 0]
    assert [round((turn.end - turn.start) / FRAME_S) for turn in turns] == [80, 30]
    middle = spec().seconds_at(10)
    assert abs(turns[0].start - (100 + middle)) <= FRAME_S


def test_turns_stay_in_their_window() -> None:
    active = np.ones((59, 1), bool)

    (turn,) = turns_of(active, spec(), start=50.0, end=50.99)

    assert 50.0 <= turn.start < turn.end <= 50.99
