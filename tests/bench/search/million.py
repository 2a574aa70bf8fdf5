"""A million vectors: loading, searching and memory, and the hint where they do not fit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from containers.vector_index.searching.searching import search_vectors
from pipeline.artifacts import LocalStore
from pipeline.errors import CollectionTooLarge
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.bench.figures import Figures
from tests.bench.search.made import shelf
from tests.bench.search.memory import measured
from tests.conftest import ROOT

_ROWS: Final = 1_000_000
_SMALL_MB: Final = 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made, asked = shelf(folder, _ROWS)
        for path in made.places.scratch.rglob("*.safetensors"):
            path.unlink()
        figures = Figures(f"{_ROWS:,} × 512 in {len(made.head.segments)} segments", peer="")
        for title, queries in (("one query", 1), ("20 queries", 20)):
            job = made.job(asked[:queries])
            (folder / "job.json").write_text(job.model_dump_json(by_alias=True))
            told = measured(folder)
            if queries == 1:
                figures.add("first search, s", f"{told['cold_s']:.1f}")
                figures.add("  of it, processor", f"{told['cold_cpu_s']:.1f}")
                figures.at_most("kB for each vector", told["kb"] / _ROWS, 1.15, form=".3f")
                figures.add("  while it is loaded", f"{told['peak_kb'] / _ROWS:.3f}")
            figures.add(f"warm search, {title}, ms", f"{1000 * told['warm_s']:.0f}")
            figures.add("  processor, ms", f"{1000 * told['warm_cpu_s']:.0f}")
        figures.add("first search with the copies on disk, s", f"{told['cold_s']:.1f}")
        figures.show()
        settings = Settings(scratch=folder / "small", memory_mb=_SMALL_MB)
        bench = Workbench(root=ROOT, settings=settings, store=LocalStore(folder / "store"))
        try:
            search_vectors(made.job(asked[:1]), TaskContext(bench))
        except CollectionTooLarge as error:
            figures = Figures(f"In a function of {_SMALL_MB:,} MB", peer="")
            figures.add("error", error.message)
            figures.add("hint", error.hint)
            figures.show()
