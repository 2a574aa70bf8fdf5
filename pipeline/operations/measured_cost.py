"""What jobs took, from the figures in their output records."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.operations.console.machines import at_once
from pipeline.operations.jobs_table import DONE, JobRow
from pipeline.operations.live.snapshot import Spent
from pipeline.operations.lookup import Wanted, find_rows, read_output_record
from pipeline.operations.site import Site


@dataclass(frozen=True)
class ProductCost:
    """What finished jobs of a product took. `unmeasured` ones have no figures in their record."""

    product: str
    jobs: int
    unmeasured: int
    spent: Spent


@dataclass(frozen=True)
class MeasuredCost:
    """The cost of each product's jobs, and how many jobs were left out: the oldest ones."""

    products: tuple[ProductCost, ...]
    left_out: int


def measure_cost(site: Site, since: datetime, *, most: int) -> MeasuredCost:
    """Read the records of jobs that were done since then: of the latest ones, at most `most`."""
    rows = list(find_rows(site, Wanted(status=DONE, since=since)))
    read = rows[:most]
    spent = at_once(functools.partial(_spent_by, site), read)
    products = [
        _cost_of(name, [took for row, took in zip(read, spent, strict=True) if row.product == name])
        for name in sorted({row.product for row in read if row.manifest})
    ]
    return MeasuredCost(tuple(products), len(rows) - len(read))


def _cost_of(product: str, spent: list[Spent | None]) -> ProductCost:
    measured = [each for each in spent if each]
    total = sum(measured, start=Spent())
    return ProductCost(product, len(measured), len(spent) - len(measured), total)


def _spent_by(site: Site, row: JobRow) -> Spent | None:
    """Return what a job took; None if it has no record, or one from before records said so.

    The record at that place may be another job's by now, which replaced the job's results.
    """
    record = read_output_record(site, row) or {}
    if record.get("job_id") != row.job_id:
        return None
    each = list(spent_in(record.get("tasks")))
    return sum(each, start=Spent()) if each else None


def spent_in(tasks: Any) -> Iterator[Spent]:  # noqa: ANN401 - JSON
    """Yield what each task of an output record took, of those that say so."""
    for task in tasks.values() if isinstance(tasks, dict) else ():
        metrics = task.get("metrics") if isinstance(task, dict) else None
        if isinstance(metrics, dict) and metrics.keys() & {"gb_s", "vcpu_s"}:
            yield Spent.of(metrics)
