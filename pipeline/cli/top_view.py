"""Draw one look at a deployment as tables, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.cli.printable import printable
from pipeline.operations.live.snapshot import Backfill, ContainerCalls, ProductFlow, Snapshot


def draw(seen: Snapshot, *, hint: str = "") -> RenderableType:
    """Return the tables that have rows, below a line that says of what and when."""
    at = f"{seen.at.astimezone():%Y-%m-%d %H:%M:%S}"
    return Group(Text.assemble((seen.deployment, "bold"), f"  {at}  {hint}"), *_tables(seen))


def as_json(seen: Snapshot) -> str:
    """Return what `draw` shows, with full numbers, as one JSON object."""
    products = [
        asdict(each)
        | {
            "dollars_per_thousand": each.dollars_per_thousand,
            "dollars_per_hour_of_sound": each.dollars_per_hour_of_sound,
        }
        for each in seen.products
    ]
    backfills = [
        asdict(each) | {"started": each.started.isoformat(), "left_s": each.left_s(seen.at)}
        for each in seen.backfills
    ]
    told: dict[str, Any] = asdict(seen) | {
        "at": seen.at.isoformat(), "products": products, "backfills": backfills,
    }  # fmt: skip
    return json.dumps(told, indent=2)


def _tables(seen: Snapshot) -> Iterator[RenderableType]:
    yield _products(seen.products)
    if seen.containers:
        yield _containers(seen.containers)
    if seen.errors:
        table = _table("errors in the last hour", "times")
        for name, times in seen.errors.items():
            table.add_row(escape(printable(name)), f"{times:,}")
        yield table
    if seen.queues:
        table = _table("queue of AWS Batch", "waiting", "running")
        for queue in seen.queues:
            table.add_row(queue.name, f"{queue.waiting:,}", f"{queue.running:,}")
        yield table
    if seen.backfills:
        table = _table("backfill", "ended", "of", "", "left")
        for each in seen.backfills:
            table.add_row(*_backfill(each, seen.at))
        yield table


def _products(products: Sequence[ProductFlow]) -> Table:
    table = _table(
        "product", "running", "a minute", "done", "quarantined", "failed", "p50", "p95",
        "per 1,000", "per hour",
    )  # fmt: skip
    for each in products:
        table.add_row(*_product(each))
    return table


def _product(flow: ProductFlow) -> Iterator[str]:
    yield flow.product
    yield f"{flow.running:,}"
    yield f"{flow.ended_in_minute:,}"
    yield f"{flow.done:,}{'+' if flow.partial else ''}"
    yield _coloured(flow.quarantined, "yellow")
    yield _coloured(flow.failed, "red")
    yield seconds(flow.p50_s)
    yield seconds(flow.p95_s)
    yield dollars(flow.dollars_per_thousand)
    yield dollars(flow.dollars_per_hour_of_sound)


def _containers(containers: Sequence[ContainerCalls]) -> Table:
    table = _table("container", "in flight", "calls", "cold starts")
    for each in containers:
        table.add_row(each.container, f"{each.in_flight:,}", f"{each.calls:,}", f"{each.cold:,}")
    return table


def _backfill(each: Backfill, now: datetime) -> Iterator[str]:
    yield each.name
    yield f"{each.ended:,}"
    yield f"{each.total:,}"
    yield f"{each.ended / each.total:.0%}" if each.total else ""
    yield seconds(each.left_s(now))


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first, min_width=24, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _coloured(number: int, colour: str) -> str:
    return f"[{colour}]{number:,}[/]" if number else "0"


def seconds(value: float | None) -> str:
    """`1.2 s`, `3 min`, `2 h 5 min`; empty for None."""
    if value is None:
        return ""
    if value < 100:
        return f"{value:.1f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def dollars(value: float | None) -> str:
    """`$0.0034`, with two digits; empty for None."""
    if value is None:
        return ""
    digits = 2 if value >= 0.1 else 4
    return f"${value:,.{digits}f}"
