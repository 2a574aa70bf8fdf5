"""The tools that recordings are compared with; `make bench-audio` fetches libdeepfilter."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests import libdf
from tests.bench.audio.figures import Missing
from tests.conftest import ROOT

FASTER_WHISPER: Final = "faster-whisper==1.2.1"
_TORCH: Final = "torch==2.13.0"  # a CPU build, where pip has one
_ENVIRONMENT: Final = ROOT / ".venv-peer-audio"
_ENVIRONMENT_OF_PYANNOTE: Final = ROOT / ".venv-peer-speakers"


def libdeepfilter(folder: Path) -> libdf.Unpacked:
    """Unpack DeepFilterNet's own library to `folder`. Raises Missing."""
    if why := libdf.missing():
        raise Missing(why)
    return libdf.unpack(folder)


def faster_whisper() -> Path:
    """Return the Python of an environment with faster-whisper, made once. Raises Missing."""
    return _environment(_ENVIRONMENT, [[FASTER_WHISPER]], FASTER_WHISPER)


def pyannote() -> Path:
    """Return the Python of an environment with pyannote's pipeline, made once. Raises Missing."""
    pins = ["--no-deps", "--requirement", str(ROOT / "tests/pyannote.txt")]
    python = _environment(_ENVIRONMENT_OF_PYANNOTE, [[_TORCH], pins], "pyannote.audio")
    for library in _ENVIRONMENT_OF_PYANNOTE.glob("lib/python*/site-packages/torchaudio/lib/*.so"):
        library.unlink()  # linked against CUDA; torchaudio resamples and filters without it
    return python


def _environment(folder: Path, installs: Sequence[Sequence[str]], name: str) -> Path:
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.is_file():
        sys.stderr.write(f"Installing {name} in {folder.name}, once\n")
        venv.create(folder, with_pip=True, clear=True)
        for install in installs:
            command = [
                str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                "--only-binary=:all:", *install,
            ]  # fmt: skip
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                last = "".join(done.stderr.strip().splitlines()[-1:])
                raise Missing(f"pip did not install {name}: {last}")
        ready.touch()
    return python


def faster_whisper_mb() -> float:
    """Return the size of all its packages on disk, without pip, tests and compiled modules."""
    faster_whisper()
    skipped = {"pip", "setuptools", "_distutils_hack", "pkg_resources", "tests", "__pycache__"}
    files = next(_ENVIRONMENT.glob("lib/python*/site-packages")).rglob("*")
    kept = (path for path in files if path.is_file() and not skipped & set(path.parts))
    return sum(path.stat().st_size for path in kept) / 1e6
