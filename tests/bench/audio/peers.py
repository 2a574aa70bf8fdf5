"""The tools that recordings are compared with; `make bench-audio` fetches libdeepfilter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests import libdf
from tests.bench.figures import Missing
from tests.bench.peer_environment import TORCH, packages_mb, peer_environment
from tests.conftest import ROOT

FASTER_WHISPER: Final = "faster-whisper==1.2.1"
_ENVIRONMENT: Final = ROOT / ".venv-peer-audio"
_ENVIRONMENT_OF_PYANNOTE: Final = ROOT / ".venv-peer-speakers"


def libdeepfilter(folder: Path) -> libdf.Unpacked:
    """Unpack DeepFilterNet's own library to `folder`. Raises Missing."""
    if why := libdf.missing():
        raise Missing(why)
    return libdf.unpack(folder)


def faster_whisper() -> Path:
    """Return the Python of an environment with faster-whisper, made once. Raises Missing."""
    return peer_environment(_ENVIRONMENT, [[FASTER_WHISPER]], FASTER_WHISPER)


def pyannote() -> Path:
    """Return the Python of an environment with pyannote's pipeline, made once. Raises Missing."""
    pins = ["--no-deps", "--requirement", str(ROOT / "tests/pyannote.txt")]
    python = peer_environment(_ENVIRONMENT_OF_PYANNOTE, [[TORCH], pins], "pyannote.audio")
    for library in _ENVIRONMENT_OF_PYANNOTE.glob("lib/python*/site-packages/torchaudio/lib/*.so"):
        library.unlink()  # linked against CUDA; torchaudio resamples and filters without it
    return python


def faster_whisper_mb() -> float:
    """Return the size of all its packages on disk. Raises Missing."""
    faster_whisper()
    return packages_mb(next(_ENVIRONMENT.glob("lib/python*/site-packages")))
