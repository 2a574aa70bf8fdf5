"""`matteline jobs`: find a job, understand it, run it again; audit them all."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click

from pipeline.cli import tables
from pipeline.cli.site import Moment, site_options
from pipeline.operations.auditing import audit
from pipeline.operations.findings import repair
from pipeline.operations.history import read_history
from pipeline.operations.jobs_table import STATUSES, JobRow
from pipeline.operations.lookup import Job, Wanted, find_job, find_rows
from pipeline.operations.published import read_reason
from pipeline.operations.redriving import redrive_named
from pipeline.operations.replaying import Changes, Replay, replay
from pipeline.operations.site import Site

since_option = click.option("--since", type=Moment(), help="Only what changed since: 2h, 7d, date.")
error_option = click.option("--error", metavar="NAME", help="Only what failed of this error.")


@click.group()
def jobs() -> None:
    """Find a job, understand it, run it again; audit them all."""


@jobs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs in this state.")
@error_option
@since_option
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@site_options
def list_jobs(
    site: Site, status: str | None, error: str | None, since: datetime | None, limit: int
) -> None:
    """The jobs, latest first."""
    rows = list(islice(find_rows(site, Wanted(status, error, since)), limit))
    tables.print_jobs(rows)


@jobs.command("show")
@click.argument("name")
@site_options
def show(site: Site, name: str) -> None:
    """Everything about one job: its row, its execution, why it failed, what happened when.

    NAME is a job's id, or the name or ARN of its execution.
    """
    job = _require_job(site, name)
    reason = read_reason(site, job.row) if job.row else {}
    history = read_history(site, job.execution.arn) if job.execution else []
    tables.print_job(site, job, reason, history)


@jobs.command("replay")
@click.argument("names", nargs=-1)
@error_option
@since_option
@click.option("--force", is_flag=True, help="Run finished jobs again too.")
@click.option("--dry-run", is_flag=True, help="Say what would be started, and start nothing.")
@site_options
def replay_jobs(
    site: Site, names: tuple[str, ...], *, force: bool, dry_run: bool, **failed: Any
) -> None:
    """Start the recorded input of NAMES, or of all that failed of an error, again.

    Exit code 1 if one of them was refused: what is running is left alone, and so is what is done
    unless forced.
    """
    if not names and not failed["error"]:
        raise click.UsageError("say which: NAMES, or --error NAME")
    rows = [*_named(site, names), *_failed_of(site, Wanted(**failed))]
    replays = (replay(site, row, Changes(force=force), dry_run=dry_run) for row in rows)
    report_replays(replays, dry_run=dry_run)


@jobs.command("redrive")
@click.argument("names", nargs=-1, required=True)
@site_options
def redrive_jobs(site: Site, names: tuple[str, ...]) -> None:
    """Resume red executions where they failed, with what they had done so far.

    Exit code 1 if one of them could not be; the others are, all the same.
    """
    refusals = []
    for name in names:
        refusals.append(redrive_named(site, name))
        click.echo(f"{name}  {refusals[-1] or 'resumed'}")
    sys.exit(any(refusals))


@jobs.command("audit")
@click.option("--since", type=Moment(), default="1d", show_default=True, help="How far back.")
@click.option(
    "--patience",
    "patience_s",
    type=click.IntRange(0),
    default=900,
    show_default=True,
    help="Seconds a new object may wait for its execution, and that for its record.",
)
@click.option("--repair", "mend", is_flag=True, help="Close what is dead, start what was lost.")
@site_options
def audit_jobs(site: Site, since: datetime, patience_s: int, *, mend: bool) -> None:
    """Every object that arrived against the jobs table and the executions.

    Exit code 1 if anything is lost, doubled, stuck or unpublished.
    """
    told = audit(site, since, patience=timedelta(seconds=patience_s))
    repairs = [repair(site, finding) for finding in told.findings] if mend else []
    tables.print_audit(told, repairs)
    sys.exit(bool(told.findings))


def report_replays(replays: Iterable[Replay], *, dry_run: bool = False) -> None:
    """Say what became of each as it does; exit code 1 if one was refused."""
    refusals = []
    started = "would be started again" if dry_run else "started again as"
    for each in replays:
        refusals.append(each.refused)
        outcome = each.refused or f"{started} {each.execution.rpartition(':')[2]}".rstrip()
        click.echo(f"{each.row.job_id}  {each.row.key or each.row.status}  {outcome}")
    sys.exit(any(refusals))


def _named(site: Site, names: Iterable[str]) -> list[JobRow]:
    return [require_row(_require_job(site, name), name) for name in names]


def _failed_of(site: Site, wanted: Wanted) -> list[JobRow]:
    found = find_rows(site, wanted) if wanted.error else ()
    return [row for row in found if not row.released]


def require_row(job: Job, name: str) -> JobRow:
    """The job's row; one without any was never recorded, which is for the audit to mend."""
    if job.row is None:
        hint = "`matteline jobs audit --repair` records it."
        raise click.ClickException(f"{name} has an execution and no record\n{hint}")
    return job.row


def _require_job(site: Site, name: str) -> Job:
    job = find_job(site, name)
    if job is None:
        raise click.ClickException(f"there is no job or execution {name}")
    return job
