"""The tools that recordings are compared with; `make bench-audio` fetches libdeepfilter."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from tests import libdf
from tests.bench.audio.figures import Missing
from tests.conftest import ROOT

FASTER_WHISPER: Final = "faster-whisper==1.2.1"
_ENVIRONMENT: Final = ROOT / ".venv-peer-audio"


def libdeepfilter(folder: Path) -> libdf.Unpacked:
    """Unpack DeepFilterNet's own library to `folder`. Raises Missing."""
    if why := libdf.missing():
        raise Missing(why)
    return libdf.unpack(folder)


def faster_whisper() -> Path:
    """Return the Python of an environment with faster-whisper, made once. Raises Missing."""
    python, ready = _ENVIRONMENT / "bin" / "python", _ENVIRONMENT / ".ready"
    if not ready.is_file():
        sys.stderr.write(f"Installing {FASTER_WHISPER} in {_ENVIRONMENT.name}, once\n")
        venv.create(_ENVIRONMENT, with_pip=True, clear=True)
        command = [
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--only-binary=:all:", FASTER_WHISPER,
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            last = "".join(done.stderr.strip().splitlines()[-1:])
            raise Missing(f"pip did not install {FASTER_WHISPER}: {last}")
        ready.touch()
    return python


def faster_whisper_mb() -> float:
    """Return the size of all its packages on disk, without pip, tests and compiled modules."""
    faster_whisper()
    skipped = {"pip", "setuptools", "_distutils_hack", "pkg_resources", "tests", "__pycache__"}
    files = next(_ENVIRONMENT.glob("lib/python*/site-packages")).rglob("*")
    kept = (path for path in files if path.is_file() and not skipped & set(path.parts))
    return sum(path.stat().st_size for path in kept) / 1e6
