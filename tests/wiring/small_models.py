"""Small networks in place of the published ones that a transcript needs: nothing is fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from containers.transcriber.selftest import WORDS, row_of
from containers.transcriber.small_whisper import build_whisper
from tests.denoiser_models import stock_denoiser
from tests.voice_models import stock_voice

TEXT: Final = "".join(WORDS).strip()  # what the small Whisper writes down, whatever it hears
_VOICE: Final = """
[[models]]
name = "silero-vad"
container = "audio-reader"
summary = "For tests: what is loud is speech."
engine = "silero"
licence = "MIT"
commercial = true
memory_mb = 512
silero = {{ onset = 0.5, offset = 0.35 }}

[[models.files]]
name = "loudness.onnx"
digest = "sha256:{digest}"
"""


def stock_small_models(folder: Path) -> Path:
    """Write the networks; return a catalogue whose rows replace those of the published ones."""
    voice = hashlib.sha256(stock_voice(folder).read_bytes()).hexdigest()
    build_whisper(folder, WORDS)
    rows = [
        _VOICE.format(digest=voice),
        row_of(folder, "whisper-base"),
        stock_denoiser(folder, "deepfilternet3"),
    ]
    catalogue = folder / "catalogue.toml"
    catalogue.write_text("\n".join(rows))
    return catalogue
