"""A voice is taken from the frames in which the speaker is alone."""

from __future__ import annotations

import numpy as np
import pytest

from containers.diarizer.features import Heard, features_of
from containers.diarizer.segmentation import Chunk
from containers.diarizer.spec import RATE, Numbers, SpeakersSpec
from containers.diarizer.voices import Voice, voices_of
from tests.containers.diarizer.rows import spec
from tests.speaker_models import Tone, tones

FRAMES = 293  # of 5 s


def chunk(*spoken: tuple[float, float], anchor: bool = True) -> Chunk:
    """Return a chunk of 5 s in which each speaker is active from one second to another."""
    active = np.zeros((FRAMES, 3), bool)
    for speaker, (start, end) in enumerate(spoken):
        active[round(start / 5 * FRAMES) : round(end / 5 * FRAMES), speaker] = True
    return Chunk(0, active, anchor)


def means(features: Numbers) -> Numbers:
    mean: Numbers = features.mean(axis=1)
    return mean


def voices(chunks: list[Chunk], heard: Heard, table: SpeakersSpec | None = None) -> list[Voice]:
    return list(voices_of(chunks, heard, table or spec(), means))


def test_frames_in_which_others_speak_too_are_left_out() -> None:
    """The first is alone for 2 s, the second for 1 s; 1 s they share."""
    sound = tones(Tone(0, 0, 3), Tone(2, 2, 4), seconds=5)
    heard = features_of(sound, spec())

    first, second = voices([chunk((0, 3), (2, 4))], heard)

    assert (first.seconds, second.seconds) == pytest.approx((2, 1), abs=0.05)
    assert float(first.vector @ second.vector) < 0.05
    assert np.linalg.norm(first.vector) == pytest.approx(1)


def test_who_is_hardly_alone_is_heard_with_others() -> None:
    heard = features_of(tones(Tone(0, 0, 3), Tone(2, 1, 3.5), seconds=5), spec())

    _, second = voices([chunk((0, 3), (1, 3.5))], heard)

    assert second.seconds == pytest.approx(2.5, abs=0.05)


def test_who_hardly_speaks_has_no_voice() -> None:
    heard = features_of(tones(Tone(0, 0, 3), seconds=5), spec())

    assert [each.speaker for each in voices([chunk((0, 3), (4, 4.1))], heard)] == [0]


def test_only_anchors_have_voices() -> None:
    heard = features_of(tones(Tone(0, 0, 3), seconds=5), spec())

    found = voices([chunk((0, 3), anchor=False), chunk((0, 3))], heard)

    assert [each.chunk for each in found] == [1]


def test_kaldis_features_lose_the_mean_of_the_voice() -> None:
    table = spec(features="kaldi", bands=80)
    heard = features_of(tones(Tone(0, 0, 3), seconds=5), table)
    seen: list[Numbers] = []

    def embed(features: Numbers) -> Numbers:
        seen.append(features)
        return np.ones((len(features), 4), np.float32)

    list(voices_of([chunk((0, 3))], heard, table, embed))

    assert seen[0].shape[2] == 80
    assert seen[0].mean(axis=1) == pytest.approx(0, abs=1e-3)


def test_resemblyzer_hears_pieces_of_a_level() -> None:
    """They last 1.6 s and overlap by half; what is quieter than -30 dBFS is made louder."""
    quiet = tones(Tone(0, 0, 5), seconds=5) / np.float32(1000)
    seen: list[Numbers] = []

    def embed(features: Numbers) -> Numbers:
        seen.append(features)
        return means(features)

    list(voices_of([chunk((0, 5))], features_of(quiet, spec()), spec(), embed))
    list(voices_of([chunk((0, 5))], features_of(quiet * np.float32(1000), spec()), spec(), embed))

    assert seen[0].shape[1:] == (160, 40)
    assert len(seen[0]) == len(range(0, 5 * RATE // 160 - 160, 80)) + 1
    louder = float(
        seen[0].sum() / (features_of(quiet, spec()).frames.sum() / 500 * 160 * len(seen[0]))
    )
    level = float(np.square(quiet).mean())
    assert louder == pytest.approx(10**-3 / level, rel=0.1)
    assert float(seen[1].sum()) > 10 * float(seen[0].sum())
