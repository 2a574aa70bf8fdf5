"""`matteline jobs`: find, understand, rerun and audit jobs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click

from pipeline.cli import tables
from pipeline.cli.printable import printable
from pipeline.cli.site import Moment, ProductName, RowsOf, site_options
from pipeline.declared.products import Product
from pipeline.operations.auditing import audit
from pipeline.operations.deleting import NotDeleted, delete_results
from pipeline.operations.history import read_history
from pipeline.operations.jobs_table import DELETED, DONE, STATUSES, JobRow
from pipeline.operations.lookup import Job, Wanted, find_job, find_rows, job_of, read_reason
from pipeline.operations.measured_cost import measure_cost
from pipeline.operations.redriving import NotRedriven, redrive_named
from pipeline.operations.repairing import repair
from pipeline.operations.replaying import Changes, Replay, replay
from pipeline.operations.site import Site

since_option = click.option(
    "--since", type=Moment(), help="Only jobs changed since then: 2h, 7d, or a date."
)
error_option = click.option("--error", metavar="NAME", help="Only jobs that ended with this error.")
prefix_option = click.option("--prefix", help="Only jobs whose keys begin with this text.")
rows_option = click.option(
    "--product", type=RowsOf(), help="Only jobs of this product, or actions: `collection`."
)
product_option = click.option("--product", type=ProductName(), help="Only jobs of this product.")


@click.group()
def jobs() -> None:
    """Find, understand, rerun and audit jobs."""


@jobs.command("list")
@rows_option
@click.option(
    "--status",
    type=click.Choice(STATUSES, case_sensitive=False),
    help="Only jobs with this status.",
)
@error_option
@prefix_option
@since_option
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Maximum number of jobs."
)
@site_options
def list_jobs(site: Site, *, limit: int, **wanted: Any) -> None:
    """List jobs, latest first."""
    rows = find_rows(site, Wanted(**wanted))
    tables.print_jobs(list(islice(rows, limit)))


@jobs.command("show")
@click.argument("name")
@site_options
def show(site: Site, name: str) -> None:
    """Show a job's row, its execution, its error and its states.

    NAME is a job's id, or the name or ARN of its execution.
    """
    job = _require_job(site, name)
    reason = read_reason(site, job.row) if job.row else {}
    history = read_history(site, job.asked.arn) if job.asked else []
    tables.print_job(site, job, reason, history)


@jobs.command("replay")
@click.argument("names", nargs=-1)
@error_option
@since_option
@click.option("--force", is_flag=True, help="Rerun finished jobs too.")
@click.option("--dry-run", is_flag=True, help="Print what would be started; start nothing.")
@site_options
def replay_jobs(
    site: Site, names: tuple[str, ...], *, force: bool, dry_run: bool, **failed: Any
) -> None:
    """Rerun jobs with their recorded input.

    Give NAMES, or --error to rerun every job that ended with it. Running jobs are not rerun;
    finished jobs only with --force. Exit code 1 if a job was not rerun.
    """
    if not names and not failed["error"]:
        raise click.UsageError("choose the jobs with NAMES or --error NAME")
    named = [_require_recorded(site, name) for name in names]
    found = (*named, *_ended_with(site, Wanted(**failed)))
    replays = (replay(site, job, Changes(force=force), dry_run=dry_run) for job in found)
    report_replays(replays)


@jobs.command("redrive")
@click.argument("names", nargs=-1, required=True)
@site_options
def redrive_jobs(site: Site, names: tuple[str, ...]) -> None:
    """Resume failed executions at the failed state (AWS only).

    Tries each of NAMES. Exit code 1 if one was not resumed.
    """
    failures = 0
    for name in names:
        try:
            redrive_named(site, name)
        except NotRedriven as error:
            failures += 1
            click.echo(f"{name}  {error}")
        else:
            click.echo(f"{name}  resumed")
    sys.exit(bool(failures))


@jobs.command("delete")
@click.argument("names", nargs=-1)
@click.option("--prefix", help="Delete the results of all finished jobs whose keys begin so.")
@site_options
def delete_jobs(site: Site, names: tuple[str, ...], prefix: str | None) -> None:
    """Delete the results of finished jobs.

    Deletes the outputs and the output record of each of NAMES, or of a user's jobs: --prefix is
    then the prefix that `matteline keys list` shows. Uploads stay. Exit code 1 if a job has no
    results.
    """
    if bool(names) == bool(prefix):
        raise click.UsageError("name jobs, or pass --prefix")
    found = {name: require_row(_require_job(site, name), name) for name in names}
    if prefix:
        rows = find_rows(site, Wanted(prefix=prefix))
        # A deletion that was interrupted is completed.
        found = {row.job_id: row for row in rows if row.status in {DONE, DELETED}}
    if not found:
        click.echo("no job matches")
    failures = 0
    for name, row in found.items():
        try:
            deleted = delete_results(site, row)
        except NotDeleted as error:
            failures += 1
            click.echo(f"{name}  {error}")
        else:
            click.echo(f"{name}  deleted: {len(deleted)} files")
    sys.exit(bool(failures))


@jobs.command("cost")
@click.option(
    "--since", type=Moment(), default="1d", show_default=True, help="Jobs done since then."
)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=1_000,
    show_default=True,
    help="Read at most so many records, the latest.",
)
@site_options
def cost(site: Site, *, since: datetime, most: int) -> None:
    """Print what finished jobs cost, by their records.

    By product: Lambda's GB-seconds and AWS Batch's vCPU-seconds of a job, and list prices for
    1,000 jobs and for an hour of sound. Calls, transitions, storage and staging are not in it.
    """
    tables.print_cost(measure_cost(site, since, most=most))


@jobs.command("audit")
@product_option
@click.option(
    "--since",
    type=Moment(),
    default="1d",
    show_default=True,
    help="Check objects uploaded since then.",
)
@click.option(
    "--patience",
    "patience_s",
    type=click.IntRange(0),
    default=900,
    show_default=True,
    help="Seconds before a missing execution or record is reported.",
)
@click.option(
    "--repair",
    "repairs_wanted",
    is_flag=True,
    help="Close jobs whose execution ended; start missing executions; publish again.",
)
@click.option("--content", is_flag=True, help="Also read every output and compare its SHA-256.")
@site_options
def audit_jobs(  # noqa: PLR0913 - one for each option
    site: Site,
    since: datetime,
    patience_s: int,
    *,
    product: Product | None,
    repairs_wanted: bool,
    content: bool,
) -> None:
    """Check that every upload has one outcome, and its outputs.

    Exit code 1 if anything is wrong; `docs/operating.md` explains each finding.
    """
    patience = timedelta(seconds=patience_s)
    found = audit(site, since, patience=patience, product=product, content=content)
    repairs = [repair(site, finding) for finding in found.findings] if repairs_wanted else []
    tables.print_audit(found, repairs)
    sys.exit(bool(found.findings))


def report_replays(replays: Iterable[Replay]) -> None:
    """Print each outcome as it comes; exit code 1 if a job was not rerun."""
    found = refused = False
    for each in replays:
        found = True
        refused |= each.refused is not None
        line = f"{each.row.job_id}  {each.row.key or each.row.status}  {_outcome(each)}"
        click.echo(printable(line))
    if not found:
        click.echo("no job matches")
    sys.exit(refused)


def _outcome(each: Replay) -> str:
    if each.started is not None:
        return f"started again as {each.started.rpartition(':')[2]}"
    return each.refused or "would be started again"


def _ended_with(site: Site, wanted: Wanted) -> Iterator[Job]:
    rows = find_rows(site, wanted) if wanted.error else ()
    return (job_of(site, row) for row in rows if not row.released)


def require_row(job: Job, name: str) -> JobRow:
    """Return the job's row. Raises ClickException if there is none, which only an audit repairs."""
    if job.row is None:
        hint = "`matteline jobs audit --repair` records it."
        raise click.ClickException(f"{name} has no row in the jobs table\n{hint}")
    return job.row


def _require_recorded(site: Site, name: str) -> Job:
    job = _require_job(site, name)
    require_row(job, name)
    return job


def _require_job(site: Site, name: str) -> Job:
    job = find_job(site, name)
    if job is None:
        hint = "`matteline jobs list` lists jobs; with --stage NAME, those of a stage."
        raise click.ClickException(f"there is no job or execution {name}\n{hint}")
    return job
