"""Who speaks and what sounds, with real weights, through the command line and every container.

pyannote's sample has two speakers and overlaps; its own list says who speaks when.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile

from pipeline.contracts.speakers import PART_S
from tests import yamnet_weights
from tests.bench.audio.der import errors
from tests.bench.audio.rttm import Turn, read_rttm
from tests.e2e.conftest import kept, recording
from tests.e2e.test_recordings import run, words

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MODEL: Final = "pyannote-2022-ge2e"
TAGGER: Final = "yamnet-w8a8"
CUT_S: Final = 18  # nobody speaks then
MOVED_S: Final = PART_S - CUT_S


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the sample, and of one whose end is half an hour later, in one run."""
    for model in ("silero-vad", "whisper-base", MODEL):
        kept(model)
    if why := yamnet_weights.missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("speakers")
    catalogue = folder / "catalogue.toml"
    catalogue.write_text(yamnet_weights.stock_yamnet(folder, TAGGER))
    samples, rate = soundfile.read(recording("sample.wav"), dtype="int16")
    silence = np.zeros(MOVED_S * rate, samples.dtype)
    parts = np.concatenate([samples[: CUT_S * rate], silence, samples[CUT_S * rate :]])
    soundfile.write(folder / "parts.flac", parts, rate)
    run(
        folder, str(recording("sample.wav")), str(folder / "parts.flac"),
        "--diarize", "--speaker-model", MODEL, "--tags", "--tag-model", TAGGER,
        "--catalogue", str(catalogue), "--accept-licence", "unstated",
    )  # fmt: skip
    return folder / "out"


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def error_rate(found: list[Turn]) -> float:
    true = read_rttm(recording("sample.rttm").read_text())
    return errors(true, found, collar_s=0).rate


def moved_back(turn: Turn) -> Turn:
    late = MOVED_S if turn.start >= PART_S else 0
    return Turn(turn.start - late, turn.end - late, turn.speaker)


def test_two_people_are_told_apart(made: Path) -> None:
    turns = read_rttm((made / "sample_speakers.rttm").read_text())

    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}
    assert error_rate(turns) <= 10


def test_people_of_two_parts_are_the_same(made: Path) -> None:
    whole = error_rate(read_rttm((made / "sample_speakers.rttm").read_text()))
    turns = read_rttm((made / "parts_speakers.rttm").read_text())

    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}
    assert error_rate([moved_back(turn) for turn in turns]) <= whole + 3


def test_words_have_the_speaker_who_says_them(made: Path) -> None:
    """Both say their names: Diane, who speaks first, and Sheila."""
    said = read(made / "sample_transcript.json")["word_segments"]
    speakers = {words(each["word"])[0]: each["speaker"] for each in said}

    assert (speakers["diane"], speakers["sheila"]) == ("SPEAKER_00", "SPEAKER_01")


def test_sounds_are_named_in_both_parts(made: Path) -> None:
    spans = read(made / "parts_tags.json")["spans"]

    first, second = [span for span in spans if span["label"] == "Speech"]
    assert (first["start"], first["end"]) == pytest.approx((6.5, 18.5), abs=1)
    assert (second["start"], second["end"]) == pytest.approx((PART_S, PART_S + 12), abs=1)
