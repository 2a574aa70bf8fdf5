"""Print what the commands for operators list, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from pipeline.cli.printable import counted, printable, printable_lines
from pipeline.cli.report import console
from pipeline.cli.top_view import dollars
from pipeline.operations.auditing import Audit
from pipeline.operations.dead_letters import DeadLetter
from pipeline.operations.executions import sentences
from pipeline.operations.history import Visit
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.keys import KeyRow
from pipeline.operations.lookup import Job, quarantined_key
from pipeline.operations.measured_cost import MeasuredCost
from pipeline.operations.quotas import EVERYBODY, Usage
from pipeline.operations.repairing import Repair
from pipeline.operations.site import Site
from pipeline.operations.verdicts import KINDS
from pipeline.traces import trace_id
from pipeline.webhooks.registered import EVENTS, Webhook

_COLOURS: Final = {
    "DONE": "green",
    "RUNNING": "blue",
    "DELETED": "magenta",
    "QUARANTINED": "yellow",
    "FAILED": "red",
}


def print_jobs(rows: Sequence[JobRow]) -> None:
    """Print one line for each job."""
    table = Table("job", "product", "status", "error", "updated", "model")
    table.add_column("key", overflow="fold")
    for row in rows:
        table.add_row(
            row.job_id,
            row.product,
            _coloured(row.status),
            row.error,
            _when(row.updated_at),
            row.model,
            _plain(row.key or ("(no job was made)" if row.unclaimed else "")),
        )
    console().print(table)


def print_job(site: Site, job: Job, reason: dict[str, Any], history: Iterable[Visit]) -> None:
    """Print a job's row, its execution, and the states that the execution entered."""
    screen = console()
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(site, job, reason):
        if text:
            facts.add_row(name, escape(printable_lines(text)))
    screen.print(facts)
    states = Table("entered", "state", "how long")
    for visit in history:
        states.add_row(f"{visit.entered:%H:%M:%S.%f}"[:-3], escape(visit.state), visit.words)
    if states.row_count:
        screen.print(states)


def _facts(site: Site, job: Job, reason: dict[str, Any]) -> Iterable[tuple[str, str]]:
    row, execution = job.row, job.asked
    if row:
        yield "job", row.job_id
        yield "product", row.product
        yield "status", row.status
        yield "object", f"s3://{row.bucket}/{row.key}" if row.key else quarantined_key(reason)
        yield "model", row.model
        yield "updated", _when(row.updated_at)
        yield "record", row.manifest if row.status == "DONE" else ""
        yield "released", f"as {row.released_by.rpartition(':')[2]}" if row.released else ""
    if execution:
        yield "execution", f"{execution.name}  {execution.status}"
        yield "trace id", trace_id(execution.arn)
        failed = execution.reason if execution.error else ""
        yield "error", reason.get("error") or failed or (row.error if row else "")
        yield "console", "" if site.local else f"{site.names.execution_page}{execution.arn}"
    elif row:
        yield "execution", f"{row.execution_name}  deleted by Step Functions after 90 days"
        yield "trace id", trace_id(row.execution)
        yield "error", row.error
    yield "message", reason.get("message", "")
    yield "hint", reason.get("hint", "")
    if row:
        yield "reason", row.reason
    yield "again", reason.get("replay", {}).get("command", "")


def print_quarantine(quarantined: Sequence[tuple[JobRow, dict[str, Any]]]) -> None:
    """Print one line for each quarantined upload: what, why, what to do."""
    table = Table("execution", "error", "quarantined")
    table.add_column("key", overflow="fold")
    table.add_column("message and hint", overflow="fold")
    for row, reason in quarantined:
        text = sentences(reason.get("message", ""), reason.get("hint", ""))
        name = f"{row.execution_name} (released)" if row.released else row.execution_name
        key = _plain(row.key or quarantined_key(reason))
        told = escape(printable_lines(text))
        table.add_row(name, row.error, _when(row.updated_at), key, told)
    console().print(table)


def print_audit(audit: Audit, repairs: Sequence[Repair]) -> None:
    """Print one line for each finding, with its repair, then the counts for each product."""
    screen = console()
    done = [f": {each.words}" for each in repairs] or [""] * len(audit.findings)
    for finding, repaired in zip(audit.findings, done, strict=True):
        line = printable(f"{finding.kind:12} {finding.what}  {finding.why}{repaired}")
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    if not audit.verdicts:
        screen.print("no objects")
    for product, states in sorted(audit.states.items()):
        counts = ", ".join(f"{times} {state}" for state, times in sorted(states.items()))
        screen.print(f"{product}: {counted(states.total(), 'object')}: {counts}")
    screen.print(", ".join(f"{audit.count(kind)} {kind}" for kind in KINDS))


def print_cost(found: MeasuredCost) -> None:
    """Print one line for each product, then what was left out."""
    screen = console()
    table = Table("product")
    for name in ("jobs", "GB-s a job", "vCPU-s a job", "per 1,000 jobs", "per hour of sound"):
        table.add_column(name, justify="right")
    for each in found.products:
        if each.jobs:
            table.add_row(
                each.product,
                f"{each.jobs:,}",
                f"{each.spent.gb_s / each.jobs:.2f}",
                f"{each.spent.vcpu_s / each.jobs:.2f}",
                dollars(each.spent.per_thousand(each.jobs)),
                dollars(each.spent.per_hour_of_sound),
            )
    screen.print(table if table.row_count else "no job with figures in its record")
    if unmeasured := sum(each.unmeasured for each in found.products):
        screen.print(f"{unmeasured:,} jobs not counted: their records have no such figures")
    if found.left_out:
        screen.print(f"{found.left_out:,} older jobs not counted: raise --most")


def print_keys(rows: Sequence[KeyRow], now: datetime) -> None:
    """Print one line for each key."""
    table = Table("id", "name", "state", "expires", "operator", "principal", "prefix")
    for row in rows:
        table.add_row(
            row.id,
            _plain(row.name),
            row.state(now),
            _when(row.expires_at) if row.expires_at else "never",
            "yes" if row.operator else "",
            _plain(row.principal),
            row.prefix,
        )
    console().print(table)


def print_quotas(usages: Sequence[Usage], keys: Sequence[KeyRow]) -> None:
    """Print one line for each quota of each principal, with the names of its keys."""
    table = Table("principal", "keys", "quota", "limit", "set", "used", "left", "resets")
    for usage in usages:
        names = ", ".join(dict.fromkeys(key.name for key in keys if key.prefix == usage.prefix))
        for each in usage.standings:
            everybody = usage.prefix == EVERYBODY
            table.add_row(
                usage.prefix,
                _plain(names),
                f"{each.quota.name} a {each.quota.window.name.lower()}",
                "none" if each.limit is None else f"{each.limit:,}",
                "yes" if each.quota.name in usage.own else "",
                "" if everybody else f"{each.used:,}",
                "" if everybody or each.left is None else f"{each.left:,}",
                "" if everybody else _when(each.resets_at),
            )
    console().print(table)


def print_webhooks(webhooks: Sequence[Webhook]) -> None:
    """Print one line for each webhook."""
    table = Table("webhook", "events", "prefix", "state")
    table.add_column("address", overflow="fold")
    for each in webhooks:
        events = "all" if set(each.events) == set(EVENTS) else ", ".join(each.events)
        state = f"disabled: {each.disabled}" if each.disabled else "enabled"
        table.add_row(each.webhook_id, events, *map(_plain, (each.prefix, state, each.url)))
    console().print(table)


def print_dead_letters(letters: Sequence[DeadLetter]) -> None:
    """Print one line for each message that was given up."""
    table = Table("message", "webhook", "event", "given up")
    table.add_column("key", overflow="fold")
    table.add_column("last error", overflow="fold")
    for each in letters:
        texts = map(_plain, (each.key, each.reason))
        table.add_row(each.message_id, each.webhook_id, each.event, _when(each.died_at), *texts)
    console().print(table)


def _plain(text: str) -> str:
    return escape(printable(text))


def _coloured(status: str) -> str:
    return f"[{_COLOURS.get(status, 'default')}]{status}[/]"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
