"""hadolint finds nothing in any Dockerfile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.app import ROOT

_HADOLINT: Final = Path(sys.executable).with_name("hadolint")
_DOCKERFILES: Final = sorted((ROOT / "containers").rglob("Dockerfile"))


def problems(path: Path) -> str:
    done = subprocess.run(
        [str(_HADOLINT), "--no-color", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_no_dockerfile_has_findings() -> None:
    assert "".join(problems(path) for path in _DOCKERFILES) == ""


def test_a_faulty_dockerfile_has_findings(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM debian:latest\nRUN cd /opt && pip install numpy\n")

    found = problems(path)

    assert "DL3007" in found
    assert "DL3042" in found
