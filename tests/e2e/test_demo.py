"""`make demo` from end to end, with a model of the tests' own in u2netp's place.

No source has the models of faces and recordings: the demo says so, and succeeds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row
from tests.packages import OFFLINE
from tests.pictures import unpng

pytestmark = pytest.mark.e2e


def test_the_demo_leaves_pictures_records_and_a_contact_sheet_and_says_what_is_missing(
    shelf: Shelf, tmp_path: Path
) -> None:
    content = (shelf.folder / "brightness.onnx").read_bytes()
    (tmp_path / "u2netp.onnx").write_bytes(content)
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(catalogue_row("u2netp", hashlib.sha256(content).hexdigest()))
    output = tmp_path / "demo-output"

    done = subprocess.run(
        [
            sys.executable, "-m", "pipeline", "demo", "-o", str(output),
            "--mirror", str(tmp_path), "--catalogue", str(catalogue),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | OFFLINE | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Model: u2netp (from the mirror {tmp_path})" in done.stdout
    assert "WeightsUnavailable: no source has the weights of face-api-ssd; " in done.stdout
    if shutil.which("espeak-ng"):
        assert "Recording: " in done.stdout
        assert done.stdout.count("WeightsUnavailable: no source has the weights of ") == 2
    else:
        assert (
            "No transcript: espeak-ng is not installed, and no package has a sample: "
            in done.stdout
        )
    made = {path.name for path in output.iterdir()}
    assert {"contact-sheet.png", "astronaut_bg_removed.png", "astronaut_bg_removed.json"} <= made
    assert unpng((output / "astronaut_bg_removed.png").read_bytes()).shape == (512, 512, 4)
    assert unpng((output / "contact-sheet.png").read_bytes()).shape[1] > 1200
