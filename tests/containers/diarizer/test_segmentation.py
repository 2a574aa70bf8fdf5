"""Chunks cover a window, and a powerset's classes are sets of speakers."""

from __future__ import annotations

import numpy as np
import pytest

from containers.diarizer.segmentation import active_in, frames_of, look
from containers.diarizer.spec import RATE, Numbers
from tests.containers.diarizer.rows import spec


def nobody(sound: Numbers) -> Numbers:
    frames = (sound.shape[2] - 991) // 270 + 1
    return np.zeros((len(sound), frames, 3), np.float32)


def everybody(sound: Numbers) -> Numbers:
    return nobody(sound) + np.float32(1)


def test_a_powersets_classes_are_sets_of_at_most_two_speakers() -> None:
    table = spec(output="powerset", classes=7)
    assert table.sets().tolist() == [
        [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1],
    ]  # fmt: skip

    certain = np.full((1, 7, 7), -20, np.float32)
    certain[0, np.arange(7), np.arange(7)] = 0

    assert active_in(certain, table)[0].tolist() == table.sets().astype(bool).tolist()


def test_a_speaker_is_active_by_the_sum_of_its_sets() -> None:
    """Alone or with another: 0.3 + 0.3 of three classes is more than half, each is not."""
    heard = np.log(np.array([[[0.3, 0.3, 0.05, 0.05, 0.3, 1e-6, 1e-6]]], np.float32))

    active = active_in(heard, spec(output="powerset", classes=7))

    assert active.tolist() == [[[True, False, False]]]


@pytest.mark.parametrize(("duration_s", "chunks"), [(5, 7), (10, 3)])
def test_chunks_overlap_by_half_however_far_apart_they_are_to_be(
    duration_s: int, chunks: int
) -> None:
    signal = np.zeros(20 * RATE, np.float32)

    assert len(look(signal, 5, spec(duration_s=duration_s), nobody)) == chunks


@pytest.mark.parametrize(("seconds", "hop_s"), [(3, 1.0), (5, 1.0), (5.3, 1.0), (17, 2.5), (9, 5)])
def test_every_frame_of_a_window_is_looked_at(seconds: float, hop_s: float) -> None:
    signal = np.zeros(round(seconds * RATE), np.float32)

    chunks = look(signal, hop_s, spec(voice_hop_s=2.5), everybody)

    total = frames_of(len(signal), spec())
    seen = np.zeros(total, int)
    voices = np.zeros(total, int)
    for chunk in chunks:
        assert chunk.last <= total
        seen[chunk.first : chunk.last] += 1
        if chunk.anchor:
            voices[chunk.first : chunk.last] += 1
    edge = 2  # frames between chunks that do not overlap
    assert (seen > 0).sum() >= total - edge
    assert (voices > 0).sum() >= total - edge


def test_the_last_chunk_ends_where_the_window_does() -> None:
    heard: list[Numbers] = []

    def record(sound: Numbers) -> Numbers:
        heard.extend(sound[:, 0])
        return nobody(sound)

    signal = np.arange(round(7.3 * RATE), dtype=np.float32)
    look(signal, 1.0, spec(), record)

    assert [chunk[0] for chunk in heard] == [0, 16_000, 32_000, 36_800]
    assert heard[-1][-1] == signal[-1]


def test_a_short_window_is_padded_and_nothing_is_heard_after_its_end() -> None:
    (chunk,) = look(np.ones(2 * RATE, np.float32), 1.0, spec(), everybody)

    assert len(chunk.active) == frames_of(2 * RATE, spec())
    assert spec().seconds_at(chunk.last) <= 2.0


@pytest.mark.parametrize("samples", [1, 990, 991, 992])
def test_the_shortest_window_is_looked_at(samples: int) -> None:
    (chunk,) = look(np.ones(samples, np.float32), 1.0, spec(), everybody)

    assert len(chunk.active) >= 1


def test_anchors_do_not_grow_with_the_number_of_looks() -> None:
    signal = np.zeros(60 * RATE, np.float32)

    counts = [
        sum(chunk.anchor for chunk in look(signal, hop_s, spec(voice_hop_s=2.5), nobody))
        for hop_s in (0.25, 0.5, 2.5)
    ]

    assert max(counts) - min(counts) <= 1
    assert max(counts) <= 60 / 2.5 + 1
