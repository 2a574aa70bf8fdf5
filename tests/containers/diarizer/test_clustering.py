"""Voices become speakers: average linkage, odd voices, and limits."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.diarizer.clustering import (
    Limits,
    Speakers,
    Together,
    average_linkage,
    find_speakers,
)
from containers.diarizer.spec import Labels, Numbers, Vectors

FREE = Limits(1, math.inf)


def people(counts: list[int], *, spread: float = 0.15, size: int = 24, seed: int = 1) -> Vectors:
    """Draw so many voices of each of several people who sound nothing like each other."""
    random = np.random.default_rng(seed)
    vectors = [np.eye(size)[who] for who, count in enumerate(counts) for _ in range(count)]
    noisy = np.array(vectors) + spread * random.standard_normal((len(vectors), size)) / size**0.5
    voices: Vectors = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
    return voices


def found(
    vectors: Vectors,
    seconds: Numbers | float = 3.0,
    chunks: Labels | None = None,
    *,
    join_below: float = 0.5,
    limits: Limits = FREE,
) -> Speakers:
    length = np.broadcast_to(np.float32(seconds), len(vectors)).astype(np.float32)
    places = np.arange(len(vectors)) if chunks is None else chunks
    return find_speakers(vectors, length, places, join_below=join_below, limits=limits)


def who(speakers: Speakers) -> set[int]:
    """Return the people that the centroids are of."""
    return set(speakers.centroids.argmax(axis=1).tolist())


@given(st.integers(0, 10_000), st.integers(2, 14), st.integers(2, 14))
def test_merges_are_those_of_the_definition_step_by_step(
    seed: int, count: int, chunks: int
) -> None:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = (1 - vectors @ vectors.T).astype(np.float32)
    chunk_of = random.integers(0, chunks, count)
    together = (chunk_of[:, None] == chunk_of).astype(np.int16)

    merges = average_linkage(distances.copy(), together.copy())

    expected = heights_by_definition(distances, together)
    assert [merge.height for merge in merges] == pytest.approx(expected, abs=1e-4)


def heights_by_definition(distances: Numbers, together: Together) -> list[float]:
    """Join the nearest two groups, again and again.

    Near is the mean distance of their members, and how many pairs were heard together for each
    member of the smaller group.
    """
    groups, heights = [[index] for index in range(len(distances))], []

    def apart(one: list[int], other: list[int]) -> float:
        pairs = np.ix_(one, other)
        share = together[pairs].sum() / min(len(one), len(other))
        return float(distances[pairs].mean() + share)

    while len(groups) > 1:
        pairs = [(a, b) for a in range(len(groups)) for b in range(a)]
        a, b = min(pairs, key=lambda pair: apart(groups[pair[0]], groups[pair[1]]))
        heights.append(apart(groups[a], groups[b]))
        groups[b] += groups.pop(a)
    return sorted(heights)


def test_as_many_speakers_are_found_as_there_are() -> None:
    speakers = found(people([20, 12, 5]))

    assert who(speakers) == {0, 1, 2}
    assert speakers.found == 3
    assert np.linalg.norm(speakers.centroids, axis=1) == pytest.approx(1)


def test_nobody_is_found_where_there_is_no_voice() -> None:
    assert found(np.zeros((0, 1), np.float32)).centroids.shape[0] == 0


def test_one_voice_is_one_speaker_however_short() -> None:
    assert len(found(people([1]), 0.3).centroids) == 1


def test_short_voices_found_no_speaker() -> None:
    vectors = people([8, 8, 8])
    seconds = np.array([3.0] * 16 + [1.5] * 8, np.float32)

    assert who(found(vectors, seconds)) == {0, 1}


def test_who_speaks_little_is_no_speaker() -> None:
    assert who(found(people([30, 30, 2]))) == {0, 1}


def test_who_speaks_half_a_minute_is_a_speaker_whatever_the_share() -> None:
    """Eleven of 411 voices are less than 5% of the speech, but 33 seconds."""
    assert who(found(people([200, 200, 11]))) == {0, 1, 2}


def test_voices_of_one_chunk_are_kept_apart() -> None:
    """Two people sound alike; in most chunks both speak."""
    random = np.random.default_rng(2)
    alike = np.array([1.0, 0.35, 0, 0]), np.array([1.0, -0.35, 0, 0])
    vectors = np.array([alike[index % 2] for index in range(40)])
    vectors += 0.05 * random.standard_normal(vectors.shape)
    voices = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    together = np.arange(40) // 2

    assert len(found(voices).centroids) == 1
    assert len(found(voices, chunks=together).centroids) == 2


def test_one_chunk_that_hears_two_where_one_speaks_makes_no_second_speaker() -> None:
    chunks = np.arange(40)
    chunks[1] = chunks[0]

    assert len(found(people([40]), chunks=chunks).centroids) == 1


def test_no_more_than_the_most_are_kept_those_who_speak_most() -> None:
    speakers = found(people([20, 5, 12, 9]), limits=Limits(1, 2))

    assert who(speakers) == {0, 2}
    assert speakers.found == 4


def test_a_known_number_is_reached_by_undoing_merges() -> None:
    vectors = people([10, 10, 10])

    assert len(found(vectors, join_below=1.5).centroids) == 1
    assert who(found(vectors, join_below=1.5, limits=Limits(3, 3))) == {0, 1, 2}
    assert len(found(vectors, join_below=1.5, limits=Limits(2, 5)).centroids) == 2


def test_a_number_that_nobody_can_tell_is_not_invented() -> None:
    assert 1 <= len(found(people([1]), limits=Limits(4, 4)).centroids) < 4


@pytest.mark.parametrize("count", [400, 800])
def test_memory_is_that_of_one_matrix(count: int) -> None:
    """Distances of float32, half of that for who is heard together, and rows."""
    vectors = people([count // 2, count // 2])
    tracemalloc.start()
    try:
        found(vectors)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak <= 2 * 4 * count**2
