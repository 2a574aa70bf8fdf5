"""Many small photos through the local cloud: how fast, how evenly, and whether memory stays.

Each process's resident memory is read once the first photos are through, and at the end: what is
between them has grown with the photos.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.table import Table

from pipeline.cli.report import console
from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.operations.auditing import Audit, audit
from pipeline.operations.executions import Execution, executions_since
from pipeline.operations.site import local_site
from tests.calm import wait_for_calm
from tests.conftest import ROOT
from tests.models import stock
from tests.pictures import png, square

PHOTOS: Final = 1_000 if os.environ.get("BENCH") == "full" else 200
WARM_UP: Final = 100  # more than the local cloud keeps at hand
MOST_S: Final = 5  # that a photo may take on a busy machine


@dataclass(frozen=True)
class Load:
    """What a run of many photos took. Memory is in MB, by process: the cloud's, each worker's."""

    seconds: float
    executions: list[Execution]
    warm_mb: dict[str, float]
    end_mb: dict[str, float]
    told: Audit

    def kb_per_photo(self, process: str) -> float:
        return (self.end_mb[process] - self.warm_mb[process]) * 1024 / PHOTOS


def main() -> None:
    report(run())


def run() -> Load:
    with tempfile.TemporaryDirectory() as folder:
        shelf = stock(Path(folder))
        blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
        with local_cloud(blueprint, weights_mirror=shelf.mirror) as cloud:
            cloud.host.warm(warm_functions(blueprint))
            return _measure(cloud)


def _measure(cloud: LocalCloud) -> Load:
    site, began = local_site(NAMES, cloud.endpoint, cloud.blueprint.products), datetime.now(UTC)
    _send(cloud, range(WARM_UP))
    warm_mb, started = _memory(cloud), time.perf_counter()
    since = datetime.now(UTC)
    _send(cloud, range(WARM_UP, WARM_UP + PHOTOS))
    seconds, end_mb = time.perf_counter() - started, _memory(cloud)
    executions = list(executions_since(site, since, site.products))
    told = audit(site, began, patience=timedelta(0))
    return Load(seconds, executions, warm_mb, end_mb, told)


def _send(cloud: LocalCloud, numbers: range) -> None:
    """Drop them all, each a little different, and wait until every one is through."""
    for number in numbers:
        photo = square(left=number % 60, top=number // 60 % 60, size=24 + number // 3600)
        key = f"load/{number}.png"
        cloud.client("s3").put_object(Bucket=NAMES.bucket("ingest"), Key=key, Body=png(photo))
    wait_for_calm(cloud, patience_s=len(numbers) * MOST_S)


def _memory(cloud: LocalCloud) -> dict[str, float]:
    """Resident memory of the cloud's own process and of every worker."""
    workers = {
        f"{name.removeprefix(f'{NAMES.prefix}-')} {index}": pid
        for name in warm_functions(cloud.blueprint)
        for index, pid in enumerate(cloud.host.worker_pids(name), start=1)
    }
    return {name: _resident_mb(pid) for name, pid in {"cloud": os.getpid(), **workers}.items()}


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the load table needs Linux")


def report(load: Load) -> None:
    walls = sorted(
        (each.ended - each.started).total_seconds() * 1000
        for each in load.executions
        if each.started and each.ended
    )
    median, p95 = statistics.median(walls), walls[int(len(walls) * 0.95)]
    table = Table("figure", "value", title=f"{PHOTOS:,} small photos, {WARM_UP} before them")
    table.add_row("photos a second", f"{PHOTOS / load.seconds:,.1f}")
    table.add_row("execution, median, ms", f"{median:,.0f}")
    table.add_row("execution, p95, × median", f"{p95 / median:.2f}")
    for process in sorted(load.warm_mb.keys() & load.end_mb.keys()):
        grown = f"{load.end_mb[process]:,.0f} MB, {load.kb_per_photo(process):+,.1f} KB a photo"
        table.add_row(f"memory, {process}", grown)
    states = ", ".join(f"{times:,} {state}" for state, times in load.told.states["cutout"].items())
    table.add_row("accounted for", f"{states}; {len(load.told.findings)} findings")
    console().print(table)


if __name__ == "__main__":
    main()
