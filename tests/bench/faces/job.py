"""A whole job: `matteline faces` on a folder of photos, next to a script in Node.

Both find faces and landmarks and write a JSON file a photo; then also expressions, ages and 128
numbers. The script loads the networks once and decodes with sharp. Time is that of all processes,
start included. They take turns (ROUNDS, 3); medians count.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from pipeline.session.choice import cache_folder
from tests.bench.audio.recordings import kept_weights
from tests.bench.faces import peers
from tests.bench.faces.photos import photos
from tests.bench.faces.staged import EMBEDDER, SSD
from tests.bench.figures import Figures
from tests.bench.job.measured import Spent, measure
from tests.conftest import ROOT
from tests.packages import OFFLINE

_ROUNDS: Final = int(os.environ.get("ROUNDS") or 3)
_MATTELINE: Final = str(Path(sys.executable).with_name("matteline"))
_ALL: Final = ("--attributes", "age_gender,expressions", "--embed")


@dataclass(frozen=True)
class Side:
    """What one side runs: `command` writes the results of all photos to a folder."""

    command: Callable[[str], Sequence[str]]
    folder: Path

    def run(self, *, memory: bool = False) -> Spent:
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            return measure(self.command(out), _environment(self.folder), memory=memory)


def main() -> None:
    for model in (SSD, EMBEDDER):
        kept_weights(model)
    paths = [str(path) for path in photos()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def ours(*options: str) -> Side:
            start = [_MATTELINE, "faces", *paths, "--model", SSD, *options]
            return Side(lambda out: [*start, "-o", out], folder)

        def node(describe: str) -> Side:
            return Side(lambda out: peers.node("whole.cjs", out, describe, *paths), folder)

        ours(*_ALL).run()  # keeps the networks as staging makes them
        figures = Figures(f"{len(paths)} photos, all processes, start included", peer="Node")
        _add(figures, "faces and landmarks", len(paths), (ours(), node("plain")))
        both = ours(*_ALL), node("all")
        _add(figures, "expressions, ages, 128 numbers too", len(paths), both)
        figures.show()


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    return (
        kept
        | OFFLINE
        | {
            "MATTELINE_WEIGHTS_MIRROR": str(cache_folder()),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TMPDIR": str(folder),  # no cloud is up there
            "PYTHONPATH": str(ROOT),
        }
    )


def _add(figures: Figures, name: str, count: int, sides: tuple[Side, Side]) -> None:
    turns = [[side.run() for side in sides] for _ in range(_ROUNDS)]
    for figure, title in (("wall_s", "ms a photo"), ("cpu_s", "CPU-ms a photo")):
        taken = [[getattr(run, figure) for run in runs] for runs in zip(*turns, strict=True)]
        mine, other = map(median, taken)
        values = (f"{1000 * each / count:.0f}" for each in (mine, other))
        figures.add(f"{name}: {title}", *values)
        figures.add("  ÷ Node's", f"{mine / other:.2f}")
    sampled = [side.run(memory=True) for side in sides]
    for figure, title in (("largest_mb", "largest process"), ("together_mb", "all processes")):
        values = (f"{getattr(run, figure):.0f}" for run in sampled)
        figures.add(f"  {title}, MB", *values)
