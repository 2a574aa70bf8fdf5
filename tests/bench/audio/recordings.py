"""The recordings and weights that every part uses: none is fetched here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import soundfile
import soxr

from pipeline.audio.samples import Samples
from pipeline.declared.catalogue import load_catalogue
from pipeline.session.choice import cache_folder
from tests.bench.figures import Missing
from tests.conftest import ROOT
from tests.libdf import RECORDINGS

SPEECH: Final = "jfk.flac"  # 11 seconds of English
TWO_LANGUAGES: Final = "multilingual.mp3"  # 60 seconds: English, then German
TWO_SPEAKERS: Final = "sample.wav"  # 30 seconds


def recording(name: str) -> Path:
    """Return a recording of the folder that MATTELINE_RECORDINGS names. Raises Missing."""
    folder = os.environ.get(RECORDINGS)
    path = Path(folder or "") / name
    if not folder or not path.is_file():
        raise Missing(f"there is no {name} in {folder or 'any folder'}; set {RECORDINGS}")
    return path


def samples(name: str, rate: int) -> Samples:
    """Return a recording as one channel at `rate`, of shape (n,). Raises Missing."""
    content, own_rate = soundfile.read(recording(name), dtype="float32", always_2d=True)
    mono: Samples = soxr.resample(content.mean(axis=1), own_rate, rate).astype("float32")
    return mono


def kept_weights(model: str) -> Path:
    """Return the folder of a model's kept weights. Raises Missing."""
    row = load_catalogue(ROOT).row(model)
    folder = cache_folder() / row.weights_prefix
    if absent := [file.name for file in row.files if not (folder / file.name).is_file()]:
        raise Missing(f"there is no {absent[0]} of {model} in {folder}; `make weights` fetches it")
    return folder
