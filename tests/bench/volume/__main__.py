"""Run the parts that `V` names (`real`, `million`; both without it) and print their tables.

`real` starts `matteline up` with the starter, puts `N` small photos (10,000) into the ingest bucket
without events, and processes them with `matteline backfill start`. Meanwhile, as before it, a few
photos are dropped at random times. A photo's time is from PutObject until its execution has ended.
The cloud's memory is read all along: what it grows by after the first tenth has grown with photos.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pipeline.declared.products import load_products
from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.backfill.results import find_manifests, read_results, read_summary
from pipeline.operations.executions import executions_since
from pipeline.operations.site import local_site
from tests.bench.figures import Figures
from tests.bench.volume import million
from tests.bench.volume.memory import Memory
from tests.bench.volume.photos import INGEST, drop, small_photo
from tests.conftest import ROOT
from tests.no_events import no_events
from tests.packages import OFFLINE
from tests.pipeline.cli.terminal import Terminal, beside_up

PHOTOS: Final = int(os.environ.get("N") or 10_000)
DROPPED: Final = min(100, max(20, PHOTOS // 10))  # photos, without a backfill and during it
WARM_UP: Final = 20
OLD, WITHOUT, DURING = "old/", "without/", "during/"
_ENOUGH: Final = 1_000  # photos; of fewer, most of the growth is warming up
_SAMPLE_S: Final = 5.0
_DROPS_BEGIN_S: Final = 10.0  # after the backfill, which has its workers then


def main(wanted: Sequence[str]) -> None:
    if unknown := {*wanted} - {"real", "million"}:
        raise SystemExit(f"no part is called {unknown.pop()!r}; there are real, million")
    if not wanted or "real" in wanted:
        _real()
    if not wanted or "million" in wanted:
        _tell(f"Simulating {million.OBJECTS:,} photos, in several accounts; minutes")
        million.show()


def _real() -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    with (
        tempfile.TemporaryDirectory() as name,
        beside_up(ROOT, Path(name), kept | OFFLINE, model="starter") as terminal,
    ):
        _Run(terminal).measure()


class _Run:
    """One run of the real part, on a cloud in a process of its own."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._site = local_site(NAMES, terminal.endpoint, load_products(ROOT))
        self._s3 = self._site.client("s3")
        self._states = self._site.client("stepfunctions")
        self._memory = Memory(terminal.process.pid)

    def measure(self) -> None:
        began = datetime.now(UTC)
        _tell(f"Warming up: {WARM_UP} photos")
        drop(self._s3, "warm/", range(WARM_UP), go_on=lambda: True)
        _tell(f"Dropping {DROPPED} photos without a backfill")
        without = drop(self._s3, WITHOUT, range(100, 100 + DROPPED), go_on=lambda: True)
        _tell(f"Putting {PHOTOS:,} photos into the bucket, without events")
        with no_events(self._s3, INGEST):
            for number in range(1_000, 1_000 + PHOTOS):
                key = f"{OLD}{number}.png"
                self._s3.put_object(Bucket=INGEST, Key=key, Body=small_photo(number))
        started, arn = time.perf_counter(), self._start()
        during = self._drop_during(arn)
        seconds = time.perf_counter() - started
        self._show(began, seconds, arn, without, during)

    def _start(self) -> str:
        command = f"{sys.executable} -m pipeline backfill start --prefix {OLD}"
        return self._terminal.type(f"{command} --endpoint-url {self._terminal.endpoint}").strip()

    def _drop_during(self, arn: str) -> dict[str, float]:
        """Drop photos until there are enough, or the backfill ends; then wait for its end."""
        during: dict[str, float] = {}

        def drop_some() -> None:
            time.sleep(_DROPS_BEGIN_S)
            numbers = range(500, 500 + DROPPED)
            during.update(drop(self._s3, DURING, numbers, go_on=lambda: self._runs(arn)))

        dropping = threading.Thread(target=drop_some)
        dropping.start()
        while self._runs(arn):
            done = self._counts(arn)
            self._memory.read(done.get("succeeded", 0) + done.get("failed", 0))
            _tell(f"{self._memory.photos[-1]:,} of {PHOTOS:,}; the cloud has {self._memory.now()}")
            time.sleep(_SAMPLE_S)
        dropping.join()
        self._memory.read(PHOTOS)
        return during

    def _runs(self, arn: str) -> bool:
        return bool(self._states.describe_execution(executionArn=arn)["status"] == "RUNNING")

    def _counts(self, arn: str) -> dict[str, int]:
        runs = self._states.list_map_runs(executionArn=arn)["mapRuns"]
        if not runs:
            return {}
        told: dict[str, int] = self._states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])[
            "itemCounts"
        ]
        return told

    def _show(
        self,
        began: datetime,
        seconds: float,
        arn: str,
        without: dict[str, float],
        during: dict[str, float],
    ) -> None:
        self._calm()
        ended = self._ends(began)
        before, beside = (_times(keys, ended) for keys in (without, during))
        summary = read_summary(self._site, arn)
        reported = [
            each
            for place in find_manifests(self._site, arn)
            for each in read_results(self._site, place)
        ]
        _tell("Auditing")
        told = audit(self._site, began, patience=timedelta(0))
        states = told.states["cutout"]
        table = Figures(
            f"{PHOTOS:,} small photos with the starter, {len(beside)} dropped meanwhile"
        )
        table.add("photos a second", f"{PHOTOS / seconds:,.2f}")
        table.add("a dropped photo without a backfill, median · p95, s", _spread(before))
        table.add("a dropped photo during a backfill, median · p95, s", _spread(beside))
        table.at_most("p95 during ÷ without", _p95(beside) / _p95(before), 1.5, form=".2f")
        table.add("memory of the cloud, MB: first tenth · end", self._memory.span(PHOTOS))
        if PHOTOS >= _ENOUGH:
            grown_kb = self._memory.kb_a_photo(PHOTOS)
            table.at_most("memory of the cloud, KB a photo", grown_kb, 10, form=",.1f")
        table.add("all processes at most, MB", f"{self._memory.together_mb:,.0f}")
        table.at_least(
            "succeeded in the summary", summary.succeeded if summary else 0, PHOTOS, form=","
        )
        table.at_least("lines in the report that are DONE", _done(reported), PHOTOS, form=",")
        all_photos = WARM_UP + len(without) + len(during) + PHOTOS
        table.at_least("DONE in the audit", states["DONE"], all_photos, form=",")
        table.at_most("findings of the audit", len(told.findings), 0, form=",")
        table.show()

    def _calm(self) -> None:
        """Wait until the last dropped photo is through."""
        arn = NAMES.machine_arn("cutout")
        while self._states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")[
            "executions"
        ]:
            time.sleep(1)

    def _ends(self, since: datetime) -> dict[str, float]:
        """Return when the execution of each dropped photo ended, by key."""
        found = executions_since(self._site, since, self._site.products)
        return {each.key: each.ended.timestamp() for each in found if each.key and each.ended}


def _times(dropped: dict[str, float], ended: dict[str, float]) -> list[float]:
    return sorted(ended[key] - at for key, at in dropped.items() if key in ended)


def _p95(times: list[float]) -> float:
    return times[int(len(times) * 0.95)]


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} · {_p95(times):.2f}"


def _done(reported: Sequence[Any]) -> int:
    return sum(each.status == "DONE" for each in reported)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
