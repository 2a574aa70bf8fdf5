"""The real whisper-base on real recordings: every word, no other, and each with its time.

The recordings are those of faster-whisper's tests.
"""

from __future__ import annotations

import re
from itertools import pairwise
from math import gcd

import numpy as np
import pytest
import soundfile
import soxr

from containers.transcriber.listening import DecodingOptions, Listener, Transcript
from containers.transcriber.mel import RATE, Samples
from containers.transcriber.sound import Sound
from containers.transcriber.whisper import Whisper, open_whisper
from pipeline.contracts.audio_windows import Span
from tests.e2e.conftest import kept, recording
from tests.e2e.speeches import ENGLISH_END, GERMAN_START, KENNEDY, KENNEDY_STARTS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SPEECH = {
    "jfk.flac": [(0.3, 2.3), (3.25, 4.5), (5.36, 7.7), (8.1, 10.65)],
    "multilingual.mp3": [
        (0.1, 13.3), (13.4, 21.05), (21.2, 25.6), (25.8, 29.2), (31.0, 41.5), (42.3, 59.9),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return open_whisper(kept("whisper-base"), threads=2)


def heard(name: str) -> Sound:
    samples, rate = soundfile.read(recording(name), dtype="float32", always_2d=True)
    assert gcd(rate, RATE) > 1
    mono: Samples = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return Sound(mono, 0.0)


def listen(
    whisper: Whisper, name: str, wish: DecodingOptions | None = None, *, after: float = 0.0
) -> Transcript:
    speech = [
        Span(start=max(start, after), end=end) for start, end in SPEECH[name] if end > after + 0.5
    ]
    return Listener(whisper, heard(name), wish or DecodingOptions()).transcribe(speech)


def words(transcript: Transcript) -> list[str]:
    return re.findall(r"\w+", " ".join(s.text for s in transcript.segments).lower())


def test_every_word_of_a_speech_is_written_and_no_other(whisper: Whisper) -> None:
    found = listen(whisper, "jfk.flac")

    assert words(found) == KENNEDY.split()
    assert found.languages.keys() == {"en"}
    assert found.metrics["encoder_passes"] == 1
    assert found.remarks == ()


def test_times_of_words_are_those_of_the_recording(whisper: Whisper) -> None:
    """An upgrade of the library must not shift them."""
    timed = [word for segment in listen(whisper, "jfk.flac").segments for word in segment.words]

    starts = {re.sub(r"\W", "", word.text).lower(): word.start for word in reversed(timed)}
    assert all(word.aligned for word in timed)
    assert all(a.end <= b.start for a, b in pairwise(timed))
    for word, start in KENNEDY_STARTS.items():
        assert starts[word] == pytest.approx(start, abs=0.25), word


@pytest.mark.parametrize("after", [0.0, 8.0, 14.0, 16.0, 20.0, 24.0])
def test_both_languages_of_a_recording_are_complete(whisper: Whisper, after: float) -> None:
    """Wherever the first slice begins: a slice in both languages has neither whole."""
    found = listen(whisper, "multilingual.mp3", after=after)

    languages = {segment.start < ENGLISH_END: segment.language for segment in found.segments}
    assert languages == {True: "en", False: "de"}
    assert found.coverage > 0.9
    german = [word for s in found.segments if s.start > GERMAN_START - 0.5 for word in s.words]
    english = [word for s in found.segments if s.start < ENGLISH_END for word in s.words]
    assert 56 <= len(german) <= 64
    assert english[-1].text.strip(" .") == "software"
    text = " ".join(s.text for s in found.segments)
    assert text.count("above copyright notice") == (after < 22)
    assert text.count("copies or substantial portions") == 1


def test_german_is_translated(whisper: Whisper) -> None:
    found = listen(whisper, "multilingual.mp3", DecodingOptions(translate=True), after=30.0)

    assert {segment.language for segment in found.segments} == {"en"}
    assert "software" in words(found)
    assert list(found.languages) == ["de"]
