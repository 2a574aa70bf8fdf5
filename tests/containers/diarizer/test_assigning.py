"""Every speaker of every chunk gets a name, and two of one chunk never the same if it can be."""

from __future__ import annotations

import numpy as np
import pytest

from containers.diarizer.assigning import UNKNOWN, name_voices, one_to_one
from containers.diarizer.segmentation import Chunk
from containers.diarizer.voices import Voice

CENTROIDS = np.eye(3, dtype=np.float32)


def chunk(first: int, *speakers: str, anchor: bool = True) -> Chunk:
    """Draw a chunk: one text for each of its speakers, `#` where the speaker is active."""
    active = np.array([[each == "#" for each in one] for one in speakers]).T
    return Chunk(first, active, anchor)


def voice(index: int, speaker: int, *vector: float) -> Voice:
    values = np.array(vector, np.float32)
    return Voice(index, speaker, values / np.linalg.norm(values), 2.0)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[0.9, 0.1], [0.8, 0.7]], [0, 1]),
        ([[0.8, 0.7], [0.9, 0.1]], [1, 0]),
        ([[0.9, 0.1], [0.8, 0.4]], [0, 0]),  # the other speaker is too far
        ([[0.9], [0.8]], [0, 0]),  # there is no other speaker
        ([[0.2, 0.1, 0.0]], [0]),
    ],
)
def test_rows_get_columns_of_their_own_if_those_are_near(
    scores: list[list[float]], expected: list[int]
) -> None:
    assert one_to_one(np.array(scores, np.float32), least=0.5) == expected


def test_voices_have_the_names_of_the_nearest_centroids() -> None:
    chunks = [chunk(0, "##..", "..##")]

    named = name_voices(
        chunks,
        [voice(0, 0, 0, 0.1, 1), voice(0, 1, 1, 0.1, 0)],
        CENTROIDS,
        frames=4,
        join_below=0.5,
    )

    assert [names.tolist() for names in named] == [[2, 0]]


def test_chunks_without_voices_get_the_names_heard_at_the_same_time() -> None:
    """The second chunk has its speakers the other way round."""
    chunks = [
        chunk(0, "####....", "....####"),
        chunk(2, "..####..", "##......", anchor=False),
    ]
    voices = [voice(0, 0, 1, 0, 0), voice(0, 1, 0, 1, 0)]

    named = name_voices(chunks, voices, CENTROIDS, frames=10, join_below=0.5)

    assert named[1].tolist() == [1, 0]


def test_who_was_too_short_for_a_voice_gets_a_name_from_other_chunks() -> None:
    chunks = [chunk(0, "####....", ".....##."), chunk(4, ".###....", "........")]
    voices = [voice(0, 0, 1, 0, 0), voice(1, 0, 0, 0, 1)]

    named = name_voices(chunks, voices, CENTROIDS, frames=12, join_below=0.5)

    assert named[0].tolist() == [0, 2]
    assert named[1].tolist() == [2, UNKNOWN]


def test_who_is_never_known_has_no_name() -> None:
    named = name_voices([chunk(0, "##..", "..##")], [], CENTROIDS, frames=4, join_below=0.5)

    assert named[0].tolist() == [UNKNOWN, UNKNOWN]
