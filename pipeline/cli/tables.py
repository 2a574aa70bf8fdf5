"""How jobs, quarantine and audits are shown in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from pipeline.cli.report import console
from pipeline.operations.auditing import Audit
from pipeline.operations.findings import KINDS
from pipeline.operations.history import Visit
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.lookup import Job
from pipeline.operations.published import refused_key
from pipeline.operations.site import Site

_COLOURS: Final = {"DONE": "green", "RUNNING": "blue", "QUARANTINED": "yellow", "FAILED": "red"}


def print_jobs(rows: Sequence[JobRow]) -> None:
    """One line per job."""
    table = Table("job", "status", "error", "updated", "model")
    table.add_column("photo", overflow="fold")
    for row in rows:
        photo = escape(row.key or "(no job was made)")
        table.add_row(
            row.job_id, _coloured(row.status), row.error, _when(row.updated_at), row.model, photo
        )
    console().print(table)


def print_job(site: Site, job: Job, reason: dict[str, Any], history: Iterable[Visit]) -> None:
    """What the table says, what the execution says, and the states it went through."""
    screen = console()
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(site, job, reason):
        if text:
            facts.add_row(name, escape(text))
    screen.print(facts)
    states = Table("entered", "state", "how long")
    for visit in history:
        states.add_row(f"{visit.entered:%H:%M:%S.%f}"[:-3], escape(visit.state), visit.words)
    if states.row_count:
        screen.print(states)


def _facts(site: Site, job: Job, reason: dict[str, Any]) -> Iterable[tuple[str, str]]:
    row, execution = job.row, job.execution
    if row:
        yield "job", row.job_id
        yield "status", row.status
        yield "photo", f"s3://{row.bucket}/{row.key}" if row.key else refused_key(reason)
        yield "model", row.model
        yield "updated", _when(row.updated_at)
        yield "manifest", row.manifest if row.status == "DONE" else ""
        yield "released", f"as {row.released_by.rpartition(':')[2]}" if row.released else ""
    if execution:
        yield "execution", f"{execution.name}  {execution.status}"
        failed = execution.reason if execution.error else ""
        yield "error", reason.get("error") or failed or (row.error if row else "")
        yield "console", "" if site.local else f"{site.names.execution_page}{execution.arn}"
    elif row:
        yield "execution", f"{row.execution_name}  forgotten by Step Functions"
        yield "error", row.error
    yield "message", reason.get("message", "")
    yield "hint", reason.get("hint", "")
    if row:
        yield "reason", row.reason
    yield "again", reason.get("replay", {}).get("command", "")


def print_quarantine(refused: Sequence[tuple[JobRow, dict[str, Any]]]) -> None:
    """One line per refusal: what, why, what to do."""
    table = Table("execution", "error", "refused")
    table.add_column("photo", overflow="fold")
    table.add_column("message and hint", overflow="fold")
    for row, reason in refused:
        told = " ".join(filter(None, [reason.get("message"), reason.get("hint")]))
        name = f"{row.execution_name} (released)" if row.released else row.execution_name
        photo = escape(row.key or refused_key(reason))
        table.add_row(name, row.error, _when(row.updated_at), photo, escape(told))
    console().print(table)


def print_audit(told: Audit, repairs: Sequence[str]) -> None:
    """What is wrong, one line each, then the counts."""
    screen = console()
    done = [f": {each}" for each in repairs] or [""] * len(told.findings)
    for finding, mended in zip(told.findings, done, strict=True):
        line = f"{finding.kind:12} {finding.what}  {finding.told}{mended}"
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
    states = [f"{times} {state}" for state, times in sorted(told.states.items())]
    wrong = [f"{told.count(kind)} {kind}" for kind in KINDS]
    screen.print(f"{len(told.verdicts)} objects: {', '.join(states) or 'none'}")
    screen.print(", ".join(wrong))


def _coloured(status: str) -> str:
    return f"[{_COLOURS.get(status, 'default')}]{status}[/]"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
