"""Speakers are told apart and sounds named in hostile recordings: each has one whole end.

The networks are small ones, to which a tone is a speaker.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from pipeline.contracts.speakers import PART_S
from tests.hostile.case import Note
from tests.hostile.recordings.heard import Studio, Told
from tests.hostile.recordings.waves import saved
from tests.speaker_models import PITCHES, RATE, Samples, Tone, tones

MOST_PARTS: Final = 24  # of twelve hours
WORD_KEYS: Final = {"word", "start", "end", "score", "speaker", "aligned"}
TIME: Final = np.arange(8 * RATE) / RATE


def _crowd() -> Samples:
    pitches = 190 * np.arange(1, 21)[:, None]
    samples: Samples = (0.05 * np.sin(2 * np.pi * pitches * TIME).sum(axis=0)).astype(np.float32)
    return samples


MONOLOGUE: Final = tones(Tone(1, 0.5, 19.5), seconds=20)
TALK: Final = tones(Tone(1, 0.5, 8), Tone(0, 8.5, 14), Tone(2, 14.5, 19.5), seconds=20)
LOUD: Final = np.random.default_rng(3).standard_normal(8 * RATE).astype(np.float32)
NO_NUMBERS: Final = np.where(TIME % 2 < 1, np.nan, tones(Tone(0, 0, 8), seconds=8)).astype(
    np.float32
)
SOUNDS: Final[dict[str, Samples]] = {
    "silence": np.zeros(40 * RATE, np.float32),
    "one speaker": MONOLOGUE,
    "20 voices at once": _crowd(),
    "no numbers": NO_NUMBERS,
    "infinity": np.where(TIME % 2 < 1, np.inf, 0.1).astype(np.float32),
    "direct current": np.full(8 * RATE, 0.9, np.float32),
    "clipped": np.clip(40 * TALK, -1, 1),
    "noise": LOUD,
    "0.1 s": LOUD[: RATE // 10],
    "one sample": LOUD[:1],
}
EXTREMES: Final[dict[str, dict[str, Any]]] = {
    "20 speakers": {"speakers": 20},
    "1 speaker": {"speakers": 1},
    "at least 20": {"least_speakers": 20},
    "at most 1": {"most_speakers": 1},
    "a hop of 0.25 s": {"hop_s": 0.25},
    "a hop of 5 s": {"hop_s": 5},
    "50 tags": {"most_tags": 50},
    "all": {"least_speakers": 20, "most_speakers": 20, "hop_s": 0.25, "most_tags": 50},
}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def expect_whole(told: Told) -> None:
    """All words have all keys, turns are in order, and whoever is named speaks."""
    document, duration = told.document, told.plan.duration_s
    words = document["word_segments"]
    assert words == [word for segment in document["segments"] for word in segment["words"]]
    assert all(word.keys() == WORD_KEYS for word in words)
    assert all(segment["speaker"] is None or segment["words"] for segment in document["segments"])
    for before, after in pairwise(words):
        assert before["start"] <= before["end"] <= after["start"]
    speakers = told.written.speakers
    assert speakers is not None
    assert list(speakers) == [f"SPEAKER_{number:02}" for number in range(len(speakers))]
    assert all(0 < seconds <= duration + 0.01 for seconds in speakers.values())
    turns = [line.split() for line in told.files["speakers"].splitlines()]
    assert {turn[7] for turn in turns} == set(speakers)
    assert {word["speaker"] for word in words} <= {None, *speakers}
    starts = [float(turn[3]) for turn in turns]
    assert starts == sorted(starts)
    for start, turn in zip(starts, turns, strict=True):
        assert float(turn[4]) > 0
        assert 0 <= start <= start + float(turn[4]) <= duration + 0.002
    for part in told.parts:
        assert {turn.speaker for turn in part.turns} == set(range(len(part.speakers)))
        lengths = [np.linalg.norm(one.centroid) for one in part.speakers]
        assert lengths == pytest.approx([1] * len(lengths), abs=1e-4)
    assert told.tags is not None
    assert all(0 <= each.score <= 1 for each in told.tags.predictions)
    for span in told.tags.spans:
        assert 0 <= span.start < span.end <= told.tags.duration_s
    for one, other in pairwise(told.tags.timeline):
        assert one.start < one.end == other.start


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", SOUNDS)
def test_a_hostile_sound_is_told_apart_and_tagged(
    studio: Studio, name: str, record_property: Note
) -> None:
    told = studio.hear(saved(SOUNDS[name], RATE, subtype="FLOAT"))

    record_property("end", f"read: {len(told.written.speakers or ())} speakers")
    expect_whole(told)
    assert told.tags is not None
    assert told.tags.duration_s == pytest.approx(len(SOUNDS[name]) / RATE, abs=0.001)


def test_nobody_speaks_in_silence(studio: Studio) -> None:
    told = studio.hear(saved(SOUNDS["silence"], RATE))

    assert (told.parts, told.written.speakers) == ((), {})
    assert told.tags is not None
    assert told.tags.spans == ()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize(("sound", "people"), [(MONOLOGUE, 1), (TALK, 3)], ids=["one", "three"])
def test_extreme_options_are_kept_or_a_remark_says_so(
    studio: Studio, sound: Samples, people: int, name: str, record_property: Note
) -> None:
    """Where more are said to speak than can be told apart, voices are split: they were counted."""
    options = EXTREMES[name]

    told = studio.hear(saved(sound, RATE), **options)

    record_property("end", "read")
    expect_whole(told)
    found = len(told.written.speakers or ())
    least = options.get("speakers") or options.get("least_speakers") or 1
    most = options.get("speakers") or options.get("most_speakers") or 20
    assert min(people, most) <= found <= (most if least > people else people)
    assert bool(told.written.remarks) is not (least <= people <= most)
    assert told.tags is not None
    assert len(told.tags.predictions) == options.get("most_tags", 10)


@pytest.mark.timeout(90)
def test_the_same_two_people_are_found_in_every_part(studio: Studio) -> None:
    talk = tones(Tone(0, 0.2, 3), Tone(1, 3.2, 6), seconds=6)
    windows = [(float(PART_S * part), talk) for part in range(MOST_PARTS)]

    told = studio.hear_windows(*windows)

    expect_whole(told)
    assert len(told.parts) == MOST_PARTS
    assert told.written.speakers == pytest.approx(
        {"SPEAKER_00": 2.8 * MOST_PARTS, "SPEAKER_01": 2.8 * MOST_PARTS}, abs=0.1 * MOST_PARTS
    )


@pytest.mark.timeout(90)
def test_windows_that_all_sit_in_one_part_are_one_part(studio: Studio) -> None:
    windows = [
        (at * 60.0, tones(Tone(at % len(PITCHES), 0.2, 3), seconds=3)) for at in range(PART_S // 60)
    ]

    told = studio.hear_windows(*windows)

    expect_whole(told)
    assert len(told.parts) == 1
    assert len(told.written.speakers or ()) == len(PITCHES)


def test_a_part_of_one_word_has_the_speaker_of_the_others(studio: Studio) -> None:
    talk = tones(Tone(0, 0.2, 9), Tone(2, 9.2, 15), seconds=15)
    word = tones(Tone(2, 0.05, 0.45), seconds=0.5)

    told = studio.hear_windows((0.0, talk), (float(PART_S), word))

    expect_whole(told)
    said = Counter(
        each["speaker"] for each in told.document["word_segments"] if each["start"] > 100
    )
    assert said == {"SPEAKER_01": 1}
