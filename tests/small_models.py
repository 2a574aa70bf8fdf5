"""Small networks in place of the published ones that a transcript needs, and a recording for them.

Nothing is fetched, and the text is known: the small Whisper writes `TEXT`, whatever it hears.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from containers.transcriber.selftest import WORDS, row_of
from containers.transcriber.small_whisper import build_whisper
from tests.denoiser_models import stock_denoiser
from tests.pipeline.audio.recordings import encoded
from tests.speaker_models import stock_speakers
from tests.tagger_models import stock_tagger
from tests.voice_models import stock_voice, voice_row

TEXT: Final = "".join(WORDS).strip()
RATE: Final = 48_000
LOUD: Final = (1.0, 5.0)  # the seconds in which `talk` is loud; the text takes 3.5 s
LONG_S: Final = 6.0


def talk() -> bytes:
    """Return a WAV file with a tone between two seconds of silence."""
    time = np.arange(round(LONG_S * RATE)) / RATE
    loud = (time >= LOUD[0]) & (time < LOUD[1])
    tone = np.where(loud, 0.3 * np.sin(2 * np.pi * 760 * time), 0)
    return encoded(tone[:, None].astype(np.float32), ".wav")


def stock_small_models(folder: Path) -> Path:
    """Write the networks; return a catalogue whose rows replace those of the published ones."""
    build_whisper(folder, WORDS)
    rows = [
        voice_row(stock_voice(folder), "silero-vad"),
        row_of(folder, "whisper-base"),
        stock_denoiser(folder, "deepfilternet3"),
        stock_speakers(folder, "pyannote-campplus"),
        stock_tagger(folder, "efficientat-mn10-as"),
    ]
    catalogue = folder / "catalogue.toml"
    catalogue.write_text("\n".join(rows))
    return catalogue
