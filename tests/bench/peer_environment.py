"""Make the environments of peers: Python packages that must not be in ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.figures import Missing

TORCH: Final = "torch==2.13.0"  # a CPU build, where pip has one


def peer_environment(folder: Path, installs: Sequence[Sequence[str]], name: str) -> Path:
    """Return the Python of an environment that pip made with these arguments. Raises Missing."""
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


def packages_mb(folder: Path) -> float:
    """Return the size of installed packages on disk, without pip, tests and compiled modules."""
    skipped = {"pip", "setuptools", "_distutils_hack", "pkg_resources", "tests", "__pycache__"}
    kept = (path for path in folder.rglob("*") if not skipped & set(path.parts))
    return sum(path.stat().st_size for path in kept if path.is_file()) / 1e6
