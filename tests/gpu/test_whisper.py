"""Whisper writes on the GPU what it writes on the CPU: the same weights in 8 bits, on both."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ctranslate2
import numpy as np
import pytest

from containers.model_downloader.optimisation.sounds import sounds
from containers.transcriber.listening import DecodingOptions, Listener, Transcript
from containers.transcriber.mel import RATE
from containers.transcriber.small_whisper import build_whisper
from containers.transcriber.sound import Sound
from containers.transcriber.tokens import Vocabulary
from containers.transcriber.whisper import Whisper, open_whisper
from pipeline.contracts.audio_windows import Span
from pipeline.weights.processor import CPU
from tests.e2e.conftest import kept
from tests.e2e.test_transcriber import listen

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

FRAME_S: Final = 0.02  # of the encoder
WORDS: Final = (" One,", " two,", " three.")


def on_cpu(folder: Path) -> Whisper:
    engine = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="int8")
    return Whisper(engine, Vocabulary.load(folder / "tokenizer.json"), CPU)


def on_gpu(folder: Path) -> Whisper:
    whisper = open_whisper.__wrapped__(folder, threads=2)
    assert whisper.processor.gpu, whisper.processor.remark
    return whisper


def require_alike(cpu: Transcript, gpu: Transcript) -> None:
    """Require the same words, and times that differ by no more than one frame of the encoder."""
    heard = [[word for segment in each.segments for word in segment.words] for each in (cpu, gpu)]
    assert heard[0]
    assert [word.text for word in heard[0]] == [word.text for word in heard[1]]
    starts = [np.array([word.start for word in words]) for words in heard]
    np.testing.assert_allclose(starts[0], starts[1], atol=FRAME_S + 1e-6)


def test_drawn_sound_is_written_as_on_the_cpu(tmp_path: Path) -> None:
    build_whisper(tmp_path / "small", WORDS)
    spoken = Sound(sounds(RATE * 4, RATE)[0][0], 0.0)
    speech = [Span(start=0, end=4)]

    cpu, gpu = (
        Listener(open_here(tmp_path / "small"), spoken, DecodingOptions()).transcribe(speech)
        for open_here in (on_cpu, on_gpu)
    )

    require_alike(cpu, gpu)


@pytest.mark.parametrize("model", ["whisper-base", "whisper-large-v3"])
@pytest.mark.parametrize("name", ["jfk.flac", "multilingual.mp3"])
def test_a_speech_is_written_as_on_the_cpu(model: str, name: str) -> None:
    folder = kept(model)

    require_alike(listen(on_cpu(folder), name), listen(on_gpu(folder), name))
