"""A million photos in the model of AWS, with other caps and accounts: the table of scaling.md."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Final

from rich.table import Table

from pipeline.cli.report import console
from pipeline.operations.backfill.pace import SMALLER, default_cap
from pipeline.operations.backfill.simulation import Account, Call, Outcome, Uploads, Work, simulate
from pipeline.operations.backfill.work import EACH, EXECUTIONS, transitions
from tests.conftest import ROOT

OBJECTS: Final = 1_000_000


@dataclass(frozen=True)
class Case:
    """One row: an account, a cap, and where the model runs."""

    title: str
    account: Account
    cap: int
    work: Work


def photo(model: Call) -> Work:
    """Return the work of one photo: inspected, cut out and refined, through both machines."""
    calls = (Call(0.4, 1_024, spread=0.5), model, Call(0.8, 4_096, spread=0.5))
    return Work(calls, _transitions(), EACH, EXECUTIONS)


def _transitions() -> int:
    cutout, backfill = (
        json.loads((ROOT / "state_machines" / f"{name}.asl.json").read_text())
        for name in ("cutout", "backfill")
    )
    return transitions(cutout, backfill["States"]["ProcessPrefix"]["ItemProcessor"])


def cases() -> list[Case]:
    small = photo(Call(0.5, 2_048, spread=0.5))  # u2netp, measured 0.17 s on two CPUs
    large = photo(Call(13.3, 8_192, spread=0.3))  # BiRefNet, measured 13.3 s on two CPUs
    job = photo(Call(13.3 * 2 / 4, 16_384, vcpus=4, spread=0.3))
    usual, new = Account(), Account(concurrency=10)
    with_batch = replace(usual, batch_vcpus=256)
    cap = default_cap
    return [
        Case("u2netp, the default cap", usual, cap(usual, small, 1), small),
        Case("u2netp, a cap of 2,000", usual, 2_000, small),
        Case("u2netp, a smaller region", SMALLER, cap(SMALLER, small, 1), small),
        Case("u2netp, 100 functions, a cap of 200", Account(concurrency=100), 200, small),
        Case("u2netp, 10 functions", new, cap(new, small, 1), small),
        Case("BiRefNet, the default cap", usual, cap(usual, large, 1), large),
        Case("BiRefNet on 256 vCPUs of AWS Batch", with_batch, 200, job),
    ]


def show() -> None:
    table = Table(
        "case", "cap", "time", "a second", "throttles", "failed", "uploads' wait, p95", "cost"
    )
    for case in cases():
        uploads = Uploads(0.2, photo(Call(0.5, 2_048, spread=0.5)))
        done = simulate([(OBJECTS, case.work)], cap=case.cap, account=case.account, uploads=uploads)
        table.add_row(
            case.title, f"{case.cap:,}", str(timedelta(seconds=round(done.seconds))),
            f"{done.per_second:,.1f}", f"{done.throttles:,}", f"{done.failed:,}",
            f"{p95(done.waits_s):.1f} s", _dollars(done),
        )  # fmt: skip
    console().print(table)


def p95(values: tuple[float, ...]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0


def _dollars(done: Outcome) -> str:
    parts = (
        (part.name.replace("_", " "), getattr(done.costs, part.name)) for part in fields(done.costs)
    )
    told = ", ".join(f"{name} {cost:,.0f}" for name, cost in parts if cost >= 1)
    return f"${done.costs.total:,.0f}: {told}"
