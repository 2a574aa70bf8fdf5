"""Plain text has every word, in paragraphs that a reader would make."""

from __future__ import annotations

import pytest
from hypothesis import given

from containers.transcript_writer.attribution import attribute
from containers.transcript_writer.paragraphs import render_text
from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import Transcript
from tests.containers.transcript_writer import letters, spoken, transcript
from tests.containers.transcript_writer.speech import wild_transcripts


def test_segments_run_on_until_a_long_pause() -> None:
    said = [
        spoken("And so.", start=0.0),
        spoken("Ask not.", start=2.0),
        spoken("Applause.", start=4.6),
    ]

    assert render_text(transcript(*said)) == "And so. Ask not.\n\nApplause.\n"


def test_another_language_begins_a_paragraph() -> None:
    said = [spoken("And so.", start=0.0), spoken("Und so.", start=0.6, language="de")]

    assert render_text(transcript(*said)) == "And so.\n\nUnd so.\n"


def test_a_long_paragraph_ends_with_a_sentence() -> None:
    long = "word " * 130
    said = [
        spoken(f"{long}goes", start=0.0, rate=0.1),
        spoken("on.", start=14.0),
        spoken("Next one.", start=14.4),
    ]

    assert render_text(transcript(*said)) == f"{long}goes on.\n\nNext one.\n"


@pytest.mark.parametrize(
    ("named", "text"),
    [
        (False, "Really? Yes.\n\nNo.\n\nOh.\n"),
        (True, "SPEAKER_00: Really? Yes.\n\nSPEAKER_01: No.\n\nOh.\n"),
    ],
)
def test_another_speaker_begins_a_paragraph(*, named: bool, text: str) -> None:
    whole = attribute(
        transcript(
            spoken("Really?", start=0.0), spoken("Yes.", start=0.4), spoken("No.", start=1.0),
            spoken("Oh.", start=9.0),
        ),
        [SpokenTurn(0, 800, "SPEAKER_00"), SpokenTurn(950, 1_400, "SPEAKER_01")],
    )  # fmt: skip

    assert render_text(whole, named=named) == text


def test_a_recording_without_speech_has_no_text() -> None:
    assert render_text(Transcript(duration=0, segments=())) == ""


@given(wild_transcripts())
def test_no_word_is_lost_or_doubled(whole: Transcript) -> None:
    assert letters(render_text(whole)) == letters(each.running_text for each in whole.segments)
