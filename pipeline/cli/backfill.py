"""`matteline backfill`: photos that were there before, through the backfill machine on AWS."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.options import ROOT
from pipeline.cli.quarantine import JsonObject
from pipeline.cli.site import site_options
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill_results import (
    PhotoResult,
    Summary,
    find_manifests,
    read_results,
    read_summary,
)
from pipeline.operations.backfilling import Batch, estimate, start_backfill
from pipeline.operations.key_lists import KeyList, require_keys
from pipeline.operations.site import Site
from pipeline.session.session import ModelChoice, read_catalogue

ASSUMED_MODEL: Final = "u2net"
ASSUMED_S: Final = 5.0


class Listed(click.ParamType[KeyList]):
    """A list of photos, read from this machine."""

    name = "FILE"

    def convert(self, value: Any, param: Any, ctx: Any) -> KeyList:
        try:
            listed = KeyList.read(Path(value))
            require_keys(listed)
        except (OSError, InvalidOptions) as error:
            self.fail(str(error), param, ctx)
        return listed


@click.group()
def backfill() -> None:
    """Photos that were there before anybody dropped them."""


@backfill.command("start")
@click.option("--prefix", default="", help="Every photo of the ingest bucket below it; else all.")
@click.option("--list", "listed", type=Listed(), help="A file that names keys: CSV or JSON lines.")
@click.option("--options", type=JsonObject(), help="Options for every photo.")
@click.option("--force", is_flag=True, help="Do again what is done.")
@click.option("--concurrency", "max_concurrency", type=click.IntRange(1, 10_000), default=20)
@click.option(
    "--tolerate", "tolerated_failure_percentage", type=click.FloatRange(0, 100), default=5.0
)
@click.option("--dry-run", is_flag=True, help="Say how many, how large, how dear; start nothing.")
@click.option("--seconds", type=float, default=ASSUMED_S, help="Assumed of a photo, for the price.")
@site_options
def start(site: Site, *, dry_run: bool, seconds: float, **wanted: Any) -> None:
    """Send photos through the backfill machine. What is done already is looked at and skipped."""
    batch = Batch(**wanted)
    if dry_run:
        _say_estimate(site, batch, seconds)
    elif site.local:
        hint = "`matteline run FOLDER` does it here; --dry-run says how much there is."
        raise click.ClickException(f"the local cloud runs no distributed Map\n{hint}")
    else:
        click.echo(start_backfill(site, batch))


@backfill.command("report")
@click.argument("name")
@site_options
def report(site: Site, name: str) -> None:
    """What became of each photo of a backfill, as CSV. NAME is its execution's name or ARN."""
    manifests = find_manifests(site, name)
    if not manifests:
        hint = "It may still run, or have read nothing: see its execution in the console."
        raise click.ClickException(f"there are no results of a backfill {name}\n{hint}")
    rows = csv.writer(sys.stdout)
    rows.writerow(PhotoResult._fields)
    for manifest in manifests:
        rows.writerows(read_results(site, manifest))


@backfill.command("summary")
@click.argument("names", nargs=-1, required=True)
@site_options
def summary(site: Site, names: tuple[str, ...]) -> None:
    """What backfills came to, as CSV, a line for each. NAMES are their executions' names or ARNs.

    Exit code 1 if one has none: it has not ended, was stopped, or ran out of time.
    """
    rows = csv.writer(sys.stdout)
    rows.writerow(Summary._fields)
    found = [read_summary(site, name) for name in names]
    rows.writerows(each for each in found if each)
    for name in (name for name, each in zip(names, found, strict=True) if each is None):
        why = "it runs, was stopped, or ran out of time"
        click.echo(f"there is no summary of a backfill {name}: {why}", err=True)
    sys.exit(None in found)


def _say_estimate(site: Site, batch: Batch, seconds: float) -> None:
    row = read_catalogue(ROOT, ModelChoice()).row((batch.options or {}).get("model", ASSUMED_MODEL))
    told = estimate(site, batch)
    dollars = told.dollars(memory_mb=row.memory_mb, seconds=seconds)
    click.echo(f"{told.photos:,} photos, {told.bytes / 1e9:,.3f} GB; {told.done:,} done already")
    if told.missing:
        click.echo(f"{told.missing:,} that are listed are not there")
    click.echo(f"about ${dollars:,.2f}, at {seconds:g} s of {row.name}'s {row.memory_mb:,} MB each")
