"""A cold start: processor time of a new process that imports each handler, best of five.

Compiled modules are in place, as they are in the images: the first process makes them, where the
checkout has none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from pipeline.declared.containers import load_container
from tests.bench.audio.peers import faster_whisper
from tests.bench.figures import Figures
from tests.conftest import ROOT

_MOST_S: Final = 0.4
_STARTS: Final = 5
_HANDLERS: Final = ("audio_reader", "denoiser", "transcriber", "transcript_writer")
_IMPORT: Final = "import time; import {}; print(time.process_time())"


def main() -> None:
    figures = Figures("Cold imports, CPU-seconds", peer="faster-whisper")
    peer = f"{_import_s(faster_whisper(), 'faster_whisper', {}):.2f}"
    for container in _HANDLERS:
        environment = load_container(ROOT / "containers" / container).environment
        module = f"containers.{container}.handler"
        took = _import_s(Path(sys.executable), module, environment)
        theirs = peer if container == "transcriber" else ""
        figures.at_most(container.replace("_", "-"), took, _MOST_S, form=".2f", peer=theirs)
    figures.show()


def _import_s(python: Path, module: str, environment: dict[str, str]) -> float:
    variables = {**os.environ, **environment}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    command: list[str | Path] = [python, "-c", _IMPORT.format(module)]
    return min(
        float(subprocess.run(
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True
        ).stdout)
        for _ in range(1 + _STARTS)
    )  # fmt: skip
