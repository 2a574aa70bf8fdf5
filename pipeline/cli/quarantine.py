"""`matteline quarantine`: list, inspect and rerun quarantined uploads."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import click

from pipeline.cli import tables
from pipeline.cli.jobs import (
    error_option,
    report_replays,
    require_row,
    rows_option,
    since_option,
)
from pipeline.cli.site import site_options
from pipeline.operations.jobs_table import QUARANTINED
from pipeline.operations.lookup import Job, Wanted, find_job, find_rows, read_reason
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.site import Site


class JsonObject(click.ParamType[dict[str, Any]]):
    """A JSON object, such as the options of an execution input."""

    name = "JSON"

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, Any]:
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            self.fail(f"""{value!r} is not a JSON object like '{{"model": "u2net"}}'""", param, ctx)
        return parsed


@click.group()
def quarantine() -> None:
    """List, inspect and rerun quarantined uploads."""


@quarantine.command("list")
@rows_option
@error_option
@since_option
@click.option("--all", "everything", is_flag=True, help="List released uploads too.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Maximum number of uploads.",
)
@site_options
def list_quarantine(site: Site, limit: int, *, everything: bool, **wanted: Any) -> None:
    """List quarantined uploads with the reason, latest first."""
    rows = find_rows(site, Wanted(QUARANTINED, **wanted))
    kept = islice((row for row in rows if everything or not row.released), limit)
    tables.print_quarantine([(row, read_reason(site, row)) for row in kept])


@quarantine.command("show")
@click.argument("name")
@site_options
def show(site: Site, name: str) -> None:
    """Print the whole reason.json.

    NAME is a job's id, or the name or ARN of its execution.
    """
    reason = read_reason(site, require_row(_quarantined(site, name), name))
    click.echo(json.dumps(reason, indent=2, ensure_ascii=False))


@quarantine.command("release")
@click.argument("names", nargs=-1, required=True)
@click.option("--options", type=JsonObject(), help="Options that replace the recorded ones.")
@site_options
def release(site: Site, names: tuple[str, ...], options: dict[str, Any] | None) -> None:
    """Rerun quarantined uploads after the cause is fixed.

    Fix options, profiles or limits first. The rows name the new execution, and reason.json stays.
    Exit code 1 if an upload was not rerun.
    """
    found = [_quarantined(site, name) for name in names]
    report_replays(replay(site, job, Changes(options=options)) for job in found)


def _quarantined(site: Site, name: str) -> Job:
    job = find_job(site, name)
    status = require_row(job, name).status if job else "unknown"
    if job is None or status != QUARANTINED:
        hint = "`matteline quarantine list` lists what is."
        raise click.ClickException(f"{name} is {status}, not in quarantine\n{hint}")
    return job
