"""`matteline quarantine`: what was refused, why, and another try for what has been mended."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import click

from pipeline.cli import tables
from pipeline.cli.jobs import error_option, report_replays, require_row, since_option
from pipeline.cli.site import site_options
from pipeline.operations.jobs_table import QUARANTINED, JobRow
from pipeline.operations.lookup import Wanted, find_job, find_rows
from pipeline.operations.published import read_reason
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.site import Site


class JsonObject(click.ParamType[dict[str, Any]]):
    """A JSON object, as the options of an execution input are."""

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
    """What was refused, why, and another try for what has been mended."""


@quarantine.command("list")
@error_option
@since_option
@click.option("--all", "everything", is_flag=True, help="Released ones too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@site_options
def list_quarantine(site: Site, limit: int, *, everything: bool, **wanted: Any) -> None:
    """What was refused and not released since, latest first, with the reason."""
    rows = find_rows(site, Wanted(QUARANTINED, **wanted))
    kept = islice((row for row in rows if everything or not row.released), limit)
    tables.print_quarantine([(row, read_reason(site, row)) for row in kept])


@quarantine.command("show")
@click.argument("name")
@site_options
def show(site: Site, name: str) -> None:
    """The whole reason.json. NAME is a job's id, or the name or ARN of its execution."""
    reason = read_reason(site, _quarantined(site, name))
    click.echo(json.dumps(reason, indent=2, ensure_ascii=False))


@quarantine.command("release")
@click.argument("names", nargs=-1, required=True)
@click.option("--options", type=JsonObject(), help="Other options, in place of those typed before.")
@site_options
def release(site: Site, names: tuple[str, ...], options: dict[str, Any] | None) -> None:
    """Start what was refused again, once options, profiles or limits are mended.

    The record says which execution took over; reason.json stays. Exit code 1 if one was refused.
    """
    rows = [_quarantined(site, name) for name in names]
    report_replays(replay(site, row, Changes(options=options)) for row in rows)


def _quarantined(site: Site, name: str) -> JobRow:
    job = find_job(site, name)
    row = require_row(job, name) if job else None
    if row is None or row.status != QUARANTINED:
        state = row.status if row else "not known"
        raise click.ClickException(f"{name} is {state}, not in quarantine")
    return row
