"""The JSON has the shape of WhisperX's output, with every key everywhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from containers.transcript_writer.attribution import attribute
from containers.transcript_writer.document import render_json
from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import Transcript
from tests.containers.transcript_writer import segment, spoken, transcript
from tests.containers.transcript_writer.speech import wild_transcripts


def parsed(whole: Transcript) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render_json(whole))
    return document


def test_a_transcript_has_segments_and_all_words_again() -> None:
    document = parsed(transcript(spoken("Grüße, Welt", language="de", start=1.0)))

    hello = {
        "word": "Grüße,", "start": 1.0, "end": 1.3, "score": 0.875, "speaker": None,
        "aligned": True,
    }  # fmt: skip
    world = hello | {"word": "Welt", "start": 1.3, "end": 1.6}
    assert document == {
        "language": "de",
        "segments": [
            {
                "start": 1.0, "end": 1.6, "text": "Grüße, Welt", "language": "de",
                "speaker": None, "words": [hello, world],
            }
        ],
        "word_segments": [hello, world],
    }  # fmt: skip


def test_a_word_in_nobodys_turn_has_a_null_speaker_in_its_segment() -> None:
    document = parsed(
        attribute(
            transcript(segment((" Yes.", 1.0, 1.3), (" No.", 3.0, 3.3))),
            [SpokenTurn(900, 1_400, "SPEAKER_00")],
        )
    )

    (said,) = document["segments"]
    assert said["speaker"] == "SPEAKER_00"
    assert [word["speaker"] for word in document["word_segments"]] == ["SPEAKER_00", None]


def test_text_is_written_as_it_is() -> None:
    assert "今日は" in render_json(transcript(spoken("今日は", language="ja")))


def test_a_recording_without_speech_has_empty_lists() -> None:
    assert parsed(Transcript(duration=0, segments=())) == {
        "language": None,
        "segments": [],
        "word_segments": [],
    }


@given(wild_transcripts())
def test_every_word_has_every_key_and_times_in_order(whole: Transcript) -> None:
    document = parsed(whole)
    words = document["word_segments"]

    assert words == [word for each in document["segments"] for word in each["words"]]
    assert all(
        word.keys() == {"word", "start", "end", "score", "speaker", "aligned"} for word in words
    )
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert all(time == round(time, 3) for time in times)
