"""`matteline backfill`: process objects already in the ingest bucket."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.options import ROOT
from pipeline.cli.quarantine import JsonObject
from pipeline.cli.site import ProductName, site_options
from pipeline.contracts.contract import read_product_contract
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Product, naming_roles
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill_results import (
    ObjectResult,
    Summary,
    find_manifests,
    read_results,
    read_summary,
)
from pipeline.operations.backfilling import (
    Batch,
    KeyList,
    estimate,
    most_transitions,
    require_keys,
    start_backfill,
)
from pipeline.operations.site import Site
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

ASSUMED_S: Final = 5.0
ASSUMED_MB: Final = 1024  # of a product without models


class Listed(click.ParamType[KeyList]):
    """A list of keys, read from a file of this machine."""

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
    """Process objects already in the ingest bucket."""


@backfill.command("start")
@click.option(
    "--product",
    type=ProductName(),
    help="Product that processes the objects [default: the only one].",
)
@click.option("--prefix", default="", help="Process only keys with this prefix.")
@click.option(
    "--list", "listed", type=Listed(), help="Process only the keys in this file: CSV or JSON lines."
)
@click.option("--options", type=JsonObject(), help="Options for every object, as a JSON object.")
@click.option("--force", is_flag=True, help="Reprocess finished jobs.")
@click.option(
    "--concurrency",
    "max_concurrency",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Maximum number of concurrent executions.",
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
    help="Print object count, size and estimated cost; start nothing.",
)
@click.option(
    "--seconds",
    type=float,
    default=ASSUMED_S,
    show_default=True,
    help="Seconds of Lambda time for each object, for the estimate.",
)
@site_options
def start(
    site: Site, *, product: Product | None, dry_run: bool, seconds: float, **wanted: Any
) -> None:
    """Start a backfill and print its execution's ARN.

    Finished jobs are inspected and skipped.
    """
    batch = Batch(product or _only_product(site), **wanted)
    if dry_run:
        _print_estimate(site, batch, seconds)
    else:
        click.echo(start_backfill(site, batch))


@backfill.command("report")
@click.argument("name")
@site_options
def report(site: Site, name: str) -> None:
    """Print the result of each object of a backfill, as CSV.

    NAME is the name or ARN of the backfill's execution.
    """
    manifests = find_manifests(site, name)
    if not manifests:
        hint = "It may still run, or have found no objects: see its execution in the console."
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


def _only_product(site: Site) -> Product:
    if len(site.products) != 1:
        names = ", ".join(product.name for product in site.products)
        raise click.UsageError(f"choose one with --product: {names}")
    return site.products[0]


def _print_estimate(site: Site, batch: Batch, seconds: float) -> None:
    models = _assumed_models(batch)
    size = estimate(site, batch)
    memory_mb = max((row.memory_mb for row in models), default=ASSUMED_MB)
    dollars = size.dollars(
        transitions=_transitions(batch.product), memory_mb=memory_mb, seconds=seconds
    )
    click.echo(f"{size.objects:,} objects, {size.bytes / 1e9:,.3f} GB; {size.done:,} done already")
    if size.missing:
        click.echo(f"{size.missing:,} listed keys have no object")
    if size.archived:
        click.echo(f"{size.archived:,} objects are archived: restore them first")
    named = ", ".join(row.name for row in models) or "no model"
    click.echo(f"about ${dollars:,.2f}, at {seconds:g} s with {memory_mb:,} MB each ({named})")


def _assumed_models(batch: Batch) -> list[ModelRow]:
    """Return a model for each role of the product that the options ask for.

    Where they name none, it is the container's default.
    """
    catalogue, product = read_catalogue(ROOT, ModelChoice()), batch.product
    fields = read_product_contract(product.contracts).options.model_fields
    required = {
        option: catalogue.defaults[role.container]
        for option, role in naming_roles(product).items()
        if fields[option].is_required()
    }
    options = {**required, **(batch.options or {})}
    asked = [(role, role.asked(options)) for role in product.roles.values()]
    return [
        catalogue.row(catalogue.defaults[role.container] if name is True else name)
        for role, name in asked
        if name is not None
    ]


def _transitions(product: Product) -> int:
    """Return the most that is billed for one object: two executions, each with its start."""
    definition, backfill = (_definition(name) for name in (product.machine, "backfill"))
    child = backfill["States"]["ProcessPrefix"]["ItemProcessor"]
    return most_transitions(definition) + 1 + most_transitions(child) + 1


def _definition(machine: str) -> dict[str, Any]:
    path = ROOT / "state_machines" / f"{machine}.asl.json"
    definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return definition
