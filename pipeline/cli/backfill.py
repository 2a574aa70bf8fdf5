"""`matteline backfill`: process objects already in the ingest bucket."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.backfill_estimate import Plans, choose_cap, show_estimate
from pipeline.cli.quarantine import JsonObject
from pipeline.cli.site import ProductName, site_options
from pipeline.declared.products import Product
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill.backfilling import (
    Batch,
    estimate,
    require_options,
    start_backfill,
)
from pipeline.operations.backfill.lists import read_keys
from pipeline.operations.backfill.results import (
    ObjectResult,
    Summary,
    find_manifests,
    read_results,
    read_summary,
)
from pipeline.operations.site import Site

ALL: Final = "all"


class Listed(click.ParamType[tuple[str, ...]]):
    """Keys, read from a file of this machine."""

    name = "FILE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        try:
            return read_keys(Path(value))
        except OSError as error:
            self.fail(f"{value}: {error.strerror}", param, ctx)
        except InvalidOptions as error:
            self.fail(str(error), param, ctx)


class Products(ProductName):
    """A product by its name, or `all`, which is None: each object's own product."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return None if value == ALL else super().convert(value, param, ctx)


@click.group()
def backfill() -> None:
    """Process objects already in the ingest bucket."""


@backfill.command("start")
@click.option(
    "--product",
    type=Products(),
    help="Product that processes the objects; `all`: for each, the one that its name starts"
    " [default: all].",
)
@click.option("--prefix", default="", help="Process only keys with this prefix.")
@click.option(
    "--list", "keys", type=Listed(), help="Process only the keys in this file: CSV or JSON lines."
)
@click.option("--options", type=JsonObject(), help="Options for every object, as a JSON object.")
@click.option("--force", is_flag=True, help="Reprocess finished jobs.")
@click.option(
    "--concurrency",
    "max_concurrency",
    type=click.IntRange(1, 10_000),
    help="Maximum number of concurrent executions [default: those that leave half of the account's"
    " limits to uploads].",
)
@click.option(
    "--tolerate",
    "tolerated_failure_percentage",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    help="Fail the backfill if more than this percentage of objects fail.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print object count, size and estimated time and cost; start nothing.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds of Lambda time for each object, for the estimate and the default of --concurrency"
    " [default: as measured for the models, else 5].",
)
@site_options
def start(
    site: Site, *, product: Product | None, dry_run: bool, seconds: float | None, **wanted: Any
) -> None:
    """Start a backfill and print its execution's ARN.

    Finished jobs are inspected and skipped. Uploads go first.
    """
    batch = Batch(product, **wanted)
    try:
        require_options(batch, site.products)
        plans = Plans(batch, seconds)
        cap = batch.max_concurrency or choose_cap(site, batch, plans)
        if dry_run:
            show_estimate(site, estimate(site, batch), plans, cap)
        else:
            click.echo(start_backfill(site, replace(batch, max_concurrency=cap)))
    except InvalidOptions as error:
        raise click.UsageError(str(error)) from error


@backfill.command("report")
@click.argument("name")
@site_options
def report(site: Site, name: str) -> None:
    """Print the result of each object of a backfill, as CSV.

    NAME is the name or ARN of the backfill's execution.
    """
    manifests = find_manifests(site, name)
    if not manifests:
        hint = "It may still run, or have found no objects: see its execution in Step Functions."
        raise click.ClickException(f"there are no results of a backfill {name}\n{hint}")
    rows = csv.writer(sys.stdout)
    rows.writerow(ObjectResult._fields)
    for manifest in manifests:
        rows.writerows(read_results(site, manifest))


@backfill.command("summary")
@click.argument("names", nargs=-1, required=True)
@site_options
def summary(site: Site, names: tuple[str, ...]) -> None:
    """Count the objects of each backfill by outcome, as CSV.

    NAMES are the names or ARNs of the backfills' executions. Exit code 1 if a backfill has no
    summary, because it still runs, was stopped, or timed out.
    """
    rows = csv.writer(sys.stdout)
    rows.writerow(Summary._fields)
    found = [read_summary(site, name) for name in names]
    rows.writerows(each for each in found if each)
    for name in (name for name, each in zip(names, found, strict=True) if each is None):
        why = "it still runs, was stopped, or timed out"
        click.echo(f"there is no summary of a backfill {name}: {why}", err=True)
    sys.exit(None in found)
