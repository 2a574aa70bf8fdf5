"""Whisper writes on the GPU what it writes on the CPU: the same weights in 8 bits, on both.

Each word depends on those before it, so one sum that is rounded otherwise may change several. As
many may change as the proof at staging lets steps change where products are in 8 bits.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

import ctranslate2
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
from pipeline.weights.staged import STEPS_CHANGED
from tests.e2e.conftest import kept
from tests.e2e.test_transcriber import listen

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

MOVED_S: Final = 0.1  # a word that begins later or earlier counts as another
WORDS: Final = (" One,", " two,", " three.")


def on_cpu(folder: Path) -> Whisper:
    engine = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="int8")
    return Whisper(engine, Vocabulary.load(folder / "tokenizer.json"), CPU)


def on_gpu(folder: Path) -> Whisper:
    whisper = open_whisper.__wrapped__(folder, threads=2)
    assert whisper.processor.gpu, whisper.processor.remark
    return whisper


def require_alike(cpu: Transcript, gpu: Transcript) -> None:
    """Require nearly the same words, at the same times."""
    a, b = ([word for said in each.segments for word in said.words] for each in (cpu, gpu))
    texts = {key: [word.text for word in words] for key, words in (("a", a), ("b", b))}
    blocks = SequenceMatcher(**texts, autojunk=False).get_matching_blocks()
    pairs = [(a[at.a + n], b[at.b + n]) for at in blocks for n in range(at.size)]
    same = sum(abs(one.start - other.start) <= MOVED_S for one, other in pairs)
    changed = max(len(a), len(b)) - same

    assert a
    assert changed <= STEPS_CHANGED["int8-matmul"] * len(a), f"{changed} of {len(a)} words differ"


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
