"""Do the search of `job.json` twice in a fresh process; print memory and times as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from containers.vector_index.searching.searching import search_vectors
from pipeline.artifacts import LocalStore
from pipeline.contracts.collection_searches import SearchVectors
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT


def main(folder: Path) -> None:
    store = LocalStore(folder / "store")
    bench = Workbench(root=ROOT, settings=Settings(scratch=folder / "scratch"), store=store)
    job = SearchVectors.model_validate_json((folder / "job.json").read_text())
    told: dict[str, float] = {}
    before = _status()
    for name in ("cold", "warm"):
        wall, cpu = time.perf_counter(), time.process_time()
        search_vectors(job, TaskContext(bench))
        told[f"{name}_s"] = time.perf_counter() - wall
        told[f"{name}_cpu_s"] = time.process_time() - cpu
    after = _status()
    told["before_kb"] = before["VmRSS"]
    told["kb"] = (after["VmRSS"] - before["VmRSS"]) * 1.024  # the kernel's are KiB
    told["own_kb"] = (after["RssAnon"] - before["RssAnon"]) * 1.024
    told["peak_kb"] = (after["VmHWM"] - before["VmRSS"]) * 1.024
    sys.stdout.write(json.dumps(told))


def _status() -> dict[str, int]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(said.split()[0])
        for name, said in (line.split(":", 1) for line in lines)
        if name in {"VmRSS", "RssAnon", "VmHWM"}
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
