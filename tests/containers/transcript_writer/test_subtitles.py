"""Other people's parsers read back the words and times that were written."""

from __future__ import annotations

import html
import io
from typing import Final

import pytest
import webvtt
from hypothesis import given

from containers.transcript_writer.cues import Cue, cues_of
from containers.transcript_writer.stitching import Transcript
from containers.transcript_writer.subtitles import render_srt, render_vtt
from tests.containers.transcript_writer import letters, spoken, transcript
from tests.containers.transcript_writer.speech import wild_transcripts

EMBED: Final = "\u202b"
POP: Final = "\u202c"
TWO: Final = (
    Cue(start=0, end=1_500, lines=("<i> & co", "a --> b"), language="en"),
    Cue(start=3_723_004, end=360_000_000, lines=("Zweite",), language="de"),
)


def test_subrip_numbers_its_cues_and_writes_text_as_it_is() -> None:
    assert render_srt(TWO) == (
        "1\n00:00:00,000 --> 00:00:01,500\n<i> & co\na --> b\n\n"
        "2\n01:02:03,004 --> 100:00:00,000\nZweite\n"
    )


def test_webvtt_escapes_what_would_be_markup_or_an_arrow() -> None:
    assert render_vtt(TWO) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n&lt;i&gt; &amp; co\na --&gt; b\n\n"
        "01:02:03.004 --> 100:00:00.000\nZweite\n"
    )


def test_a_voice_tag_names_the_speaker_and_cannot_be_broken_out_of() -> None:
    cue = Cue(start=0, end=1_500, lines=("so", "it is"), language="en", speaker="A > B & <C>")

    assert render_vtt([cue]) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v A &gt; B &amp; &lt;C&gt;>so\nit is\n"
    )
    assert render_srt([cue]) == "1\n00:00:00,000 --> 00:00:01,500\nso\nit is\n"


def test_a_voice_is_read_back_with_its_text() -> None:
    cue = Cue(start=0, end=1_500, lines=("so", "it is"), language="he", speaker="SPEAKER_07")

    (read,) = webvtt.from_string(render_vtt([cue])).captions

    assert (read.voice, plain(read.text)) == ("SPEAKER_07", "so\nit is")


def test_a_recording_without_speech_has_empty_subtitles() -> None:
    assert render_srt(()) == ""
    assert render_vtt(()) == "WEBVTT\n"


@given(wild_transcripts())
def test_webvtt_is_read_back(whole: Transcript) -> None:
    cues = cues_of(whole)
    if not cues:
        return

    read = webvtt.from_string(render_vtt(cues)).captions

    assert [(each.start_in_seconds, each.end_in_seconds) for each in read] == [
        (cue.start // 1000, cue.end // 1000) for cue in cues
    ]
    assert [plain(html.unescape(each.raw_text)) for each in read] == [text(cue) for cue in cues]


@given(wild_transcripts())
def test_subrip_is_read_back(whole: Transcript) -> None:
    cues = cues_of(whole)
    if not cues:
        return

    read = webvtt.from_buffer(io.StringIO(render_srt(cues)), format="srt").captions

    assert [plain(each.raw_text) for each in read] == [text(cue) for cue in cues]


def plain(written: str) -> str:
    return written.replace(EMBED, "").replace(POP, "")


def text(cue: Cue) -> str:
    return plain("\n".join(cue.lines))


@pytest.mark.parametrize("render", [render_srt, render_vtt])
@pytest.mark.parametrize(("language", "said"), [("he", "BBC שלום, עולם."), ("ar", "مرحبا بكم!")])
def test_each_line_from_right_to_left_says_so(render: object, language: str, said: str) -> None:
    assert callable(render)
    written = render(cues_of(transcript(spoken(said, language=language))))

    assert written.splitlines()[-1] == f"{EMBED}{said}{POP}"


@pytest.mark.parametrize("language", ["en", "ja", "th"])
def test_other_lines_have_no_marks(language: str) -> None:
    written = render_srt(cues_of(transcript(spoken("שלום", language=language))))

    assert letters(written).endswith("שלום")
