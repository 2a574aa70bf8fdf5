"""Memory of a collection in a fresh process: how much one search makes it grow."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench.figures import Figures
from tests.bench.search.made import shelf
from tests.conftest import ROOT

_ROWS: Final = 100_000
_MOST: Final = 1.15  # kB for each vector


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made, asked = shelf(folder, _ROWS)
        job = made.job(asked[:1])
        for path in made.places.scratch.rglob("*.safetensors"):
            path.unlink()
        (folder / "job.json").write_text(job.model_dump_json(by_alias=True))
        grown = measured(folder)
    figures = Figures(f"Memory of a process after its first search of {_ROWS:,} × 512", peer="")
    figures.at_most("kB for each vector", grown["kb"] / _ROWS, _MOST, form=".3f")
    figures.add("  of it, its own memory", f"{grown['own_kb'] / _ROWS:.3f}")
    figures.add("kB for each vector while it is loaded", f"{grown['peak_kb'] / _ROWS:.3f}")
    figures.add("MB before", f"{grown['before_kb'] / 1000:.0f}")
    figures.show()


def measured(folder: Path) -> dict[str, float]:
    """Return how much a new process grows that does `job.json` of a folder, and its times."""
    command = [sys.executable, "-m", "tests.bench.search.one_search", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told
