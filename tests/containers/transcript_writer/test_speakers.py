"""People have names in the order in which they appear, and turns in the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.transcript_writer.speakers import Speakers, SpokenTurn, tell_apart
from pipeline.artifacts import LocalStore
from pipeline.contracts.speakers import PartSpeakers
from pipeline.contracts.transcript import Recording, WriteTranscript
from tests.containers.transcript_writer import part
from tests.containers.transcript_writer.test_windows import job_of

HIGH, LOW, THIRD = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture
def job(tmp_path: Path) -> WriteTranscript:
    recording = Recording(codec="mp3", rate=44_100, channels=2, duration_s=3_600.0)
    changes = {"speaker_model": "pyannote-campplus", "recording": recording}
    return job_of(LocalStore(tmp_path)).model_copy(update=changes)


def told(job: WriteTranscript, *parts: PartSpeakers, **counts: int) -> Speakers:
    return tell_apart(parts, job.model_copy(update=counts))


def test_a_person_has_one_name_in_all_parts_by_first_appearance(job: WriteTranscript) -> None:
    first = part((5.0, 9.0, 0), (1.0, 4.0, 1), voices=(HIGH, LOW))
    second = part((1_801.0, 1_802.0, 0), (1_803.0, 1_804.0, 1), voices=(THIRD, HIGH), index=1)

    speakers = told(job, first, second)

    assert [(turn.start, turn.speaker) for turn in speakers.turns] == [
        (1_000, "SPEAKER_00"),
        (5_000, "SPEAKER_01"),
        (1_801_000, "SPEAKER_02"),
        (1_803_000, "SPEAKER_01"),
    ]
    assert list(speakers.seconds.items()) == [
        ("SPEAKER_00", 3.0), ("SPEAKER_01", 5.0), ("SPEAKER_02", 1.0),
    ]  # fmt: skip


def test_turns_of_one_person_that_overlap_or_touch_are_one(job: WriteTranscript) -> None:
    first = part((1.0, 4.0, 0), (3.0, 3.5, 0), (4.0, 1_800.5, 0), voices=(HIGH,))
    second = part((1_800.0, 1_802.0, 0), voices=(HIGH,), index=1)

    assert told(job, first, second).turns == (SpokenTurn(1_000, 1_802_000, "SPEAKER_00"),)


def test_turns_of_two_people_may_overlap(job: WriteTranscript) -> None:
    both = part((1.0, 4.0, 0), (3.0, 5.0, 1), voices=(HIGH, LOW))

    speakers = told(job, both)

    assert [(turn.start, turn.end) for turn in speakers.turns] == [(1_000, 4_000), (3_000, 5_000)]
    assert speakers.seconds == {"SPEAKER_00": 3.0, "SPEAKER_01": 2.0}


def test_turns_stay_within_the_recording(job: WriteTranscript) -> None:
    edges = part((-1.0, 1.0, 0), (3_599.0, 3_601.0, 0), (3_700.0, 3_701.0, 1), voices=(HIGH, LOW))

    assert told(job, edges).turns == (
        SpokenTurn(0, 1_000, "SPEAKER_00"),
        SpokenTurn(3_599_000, 3_600_000, "SPEAKER_00"),
    )


def test_the_model_says_how_far_apart_one_persons_voices_are(job: WriteTranscript) -> None:
    def names(link_below: float) -> int:
        parts = (
            part((0.0, 9.0, 0), voices=(HIGH,), link_below=link_below),
            part((1_900.0, 1_909.0, 0), voices=((0.6, 0.8, 0.0),), index=1, link_below=link_below),
        )
        return len(told(job, *parts).seconds)

    assert (names(0.39), names(0.41)) == (2, 1)


@pytest.mark.parametrize(
    ("counts", "found", "remark"),
    [
        ({}, 3, None),
        ({"speakers": 3}, 3, None),
        ({"speakers": 2}, 2, None),
        ({"most_speakers": 2}, 2, None),
        ({"most_speakers": 5, "least_speakers": 2}, 3, None),
        (
            {"speakers": 1},
            2,
            "At most 1 speaker was expected, and 2 speak in one part of the recording.",
        ),
        ({"speakers": 7}, 3, "At least 7 speakers were expected, and 3 could be told apart."),
        ({"least_speakers": 4}, 3, "At least 4 speakers were expected, and 3 could be told apart."),
    ],
)
def test_known_numbers_hold_for_the_whole_recording(
    job: WriteTranscript, counts: dict[str, int], found: int, remark: str | None
) -> None:
    first = part((1.0, 100.0, 0), (100.0, 200.0, 1), voices=(HIGH, LOW))
    second = part((1_801.0, 1_900.0, 0), voices=(THIRD,), index=1)

    speakers = told(job, first, second, **counts)

    assert len(speakers.seconds) == found
    assert speakers.remarks == ((remark,) if remark else ())


def test_the_least_keeps_alike_voices_apart(job: WriteTranscript) -> None:
    parts = (
        part((1.0, 100.0, 0), voices=(HIGH,)),
        part((1_801.0, 1_900.0, 0), voices=((0.9, 0.436, 0.0),), index=1),
    )

    assert len(told(job, *parts).seconds) == 1
    assert len(told(job, *parts, least_speakers=2).seconds) == 2


def test_a_recording_without_speech_has_no_speakers_and_no_remarks(job: WriteTranscript) -> None:
    assert told(job, speakers=2) == Speakers(())
    assert told(job, part(), speakers=2) == Speakers(())
