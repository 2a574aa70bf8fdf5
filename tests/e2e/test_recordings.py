"""Recordings become transcripts, through the command line, the cloud and every container."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.audio.flac import decode_flac
from pipeline.audio.samples import mono
from pipeline.session.choice import cache_folder
from tests import libdf
from tests.conftest import ROOT
from tests.e2e.conftest import kept, recording
from tests.e2e.speeches import ENGLISH_END, GERMAN_START, KENNEDY, KENNEDY_STARTS
from tests.packages import OFFLINE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SNR_DB = 5.0


def run(folder: Path, *arguments: str) -> str:
    """Run the command as a user does, with kept weights alone; return what it printed."""
    kept_settings = {
        name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")
    }
    done = subprocess.run(
        [
            sys.executable, "-m", "pipeline", "run", *arguments, "-o", str(folder / "out"),
            "--mirror", str(cache_folder()),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=kept_settings | OFFLINE | {"XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of both recordings, made in one run."""
    for model in ("silero-vad", "whisper-base"):
        kept(model)
    folder = tmp_path_factory.mktemp("recordings")
    run(folder, str(recording("jfk.flac")), str(recording("multilingual.mp3")))
    return folder / "out"


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def spoken(subtitles: str) -> list[str]:
    """Return the words of SubRip subtitles: without numbers and times."""
    cues = subtitles.strip().split("\n\n")
    return words(" ".join(" ".join(cue.split("\n")[2:]) for cue in cues))


def test_every_word_of_a_speech_is_in_every_file_with_its_time(made: Path) -> None:
    transcript = read(made / "jfk_transcript.json")

    said = [word for segment in transcript["segments"] for word in words(segment["text"])]
    assert said == KENNEDY.split()
    assert words((made / "jfk_transcript.txt").read_text()) == said
    assert spoken((made / "jfk_transcript.srt").read_text()) == said
    timed = transcript["word_segments"]
    assert all(first["end"] <= second["start"] for first, second in pairwise(timed))
    starts = {words(each["word"])[0]: each["start"] for each in reversed(timed)}
    for word, start in KENNEDY_STARTS.items():
        assert starts[word] == pytest.approx(start, abs=0.25), word


def test_both_languages_of_a_recording_are_written_in_their_own(made: Path) -> None:
    segments = read(made / "multilingual_transcript.json")["segments"]

    assert {each["start"] < ENGLISH_END: each["language"] for each in segments} == {
        True: "en",
        False: "de",
    }
    german = [each["text"] for each in segments if each["start"] > GERMAN_START - 0.5]
    assert 56 <= len(words(" ".join(german))) <= 64
    record = read(made / "multilingual_transcript.record.json")
    assert set(record["languages"]) == {"en", "de"}
    assert record["coverage"] > 0.9


def test_noise_is_removed_and_the_speech_is_transcribed(tmp_path: Path) -> None:
    for model in ("silero-vad", "whisper-base", libdf.MODEL):
        kept(model)
    samples, rate = soundfile.read(recording("jfk.flac"), dtype="float32", always_2d=True)
    clean = mono(samples)[:, 0]
    drawn = np.random.default_rng(1).standard_normal(len(clean)).astype(np.float32)
    noisy = clean + drawn * np.float32(clean.std() / drawn.std() * 10 ** (-SNR_DB / 20))
    soundfile.write(tmp_path / "talk.wav", noisy, rate, subtype="FLOAT")

    run(tmp_path, str(tmp_path / "talk.wav"), "--denoise")

    found, _ = decode_flac((tmp_path / "out" / "talk_denoised.flac").read_bytes())
    assert found.shape == (len(noisy), 1)
    assert libdf.si_sdr(found[:, 0], clean) > libdf.si_sdr(noisy, clean) + 4
    assert "country" in words((tmp_path / "out" / "talk_transcript.txt").read_text())
    record = read(tmp_path / "out" / "talk_transcript.record.json")
    assert record["local_snr_db"] < 20
