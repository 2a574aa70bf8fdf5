"""`matteline backfill`: process objects already in the ingest bucket."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import timedelta
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
from pipeline.operations.backfill_lists import read_keys
from pipeline.operations.backfill_pace import calls_at_once, default_cap, find_concurrency
from pipeline.operations.backfill_results import (
    ObjectResult,
    Summary,
    find_manifests,
    read_results,
    read_summary,
)
from pipeline.operations.backfilling import (
    Batch,
    Estimate,
    estimate,
    require_options,
    start_backfill,
)
from pipeline.operations.site import Site
from pipeline.operations.volume import Account, Call, Work, foresee
from pipeline.operations.volume_work import EACH, most_transitions
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

ALL: Final = "all"
ASSUMED_S: Final = 5.0
ASSUMED_MB: Final = 1024  # of a product without models


class Listed(click.ParamType[tuple[str, ...]]):
    """Keys, read from a file of this machine."""

    name = "FILE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        try:
            return read_keys(Path(value))
        except (OSError, InvalidOptions) as error:
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
    " Lambda concurrency to uploads].",
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

    Finished jobs are inspected and skipped. Uploads go first.
    """
    batch = Batch(product, **wanted)
    try:
        require_options(batch, site.products)
        if batch.max_concurrency is None:
            batch = replace(batch, max_concurrency=_cap(site, batch))
        if dry_run:
            _print_estimate(site, batch, seconds)
        else:
            click.echo(start_backfill(site, batch))
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


def _cap(site: Site, batch: Batch) -> int:
    """Return the cap that leaves room for uploads, whichever products the objects turn out to be.

    On-request products take no object by its name.
    """
    products = [each for each in site.products if not each.on_request]
    widths = [
        _calls_at_once(each, batch) for each in ([batch.product] if batch.product else products)
    ]
    return default_cap(find_concurrency(site), max(widths))


def _calls_at_once(product: Product, batch: Batch) -> int:
    options = read_product_contract(product.contracts).options.model_fields
    default = options["concurrency"].default if "concurrency" in options else 1
    asked = (batch.options or {}).get("concurrency", default)
    return calls_at_once(_definition(product.machine), asked if isinstance(asked, int) else default)


def _print_estimate(site: Site, batch: Batch, seconds: float) -> None:
    size = estimate(site, batch)
    click.echo(f"{size.objects:,} objects, {size.bytes / 1e9:,.3f} GB; {size.done:,} done already")
    if len(size.products) > 1:
        counts = (f"{name} {each.objects:,}" for name, each in sorted(size.products.items()))
        click.echo(f"by product: {', '.join(counts)}")
    if size.missing:
        click.echo(f"{size.missing:,} listed keys have no object")
    if size.archived:
        click.echo(f"{size.archived:,} objects are archived: restore them first")
    works = _works(site, batch, size, seconds)
    concurrency, cap = find_concurrency(site), batch.max_concurrency or 1
    seen = foresee(works, cap=cap, account=Account(concurrency=concurrency))
    named = ", ".join(dict.fromkeys(_names(site, batch, size))) or "no model"
    most = max((call.memory_mb for _, work in works for call in work.calls), default=ASSUMED_MB)
    click.echo(f"about ${seen.costs.total:,.2f}, at {seconds:g} s with {most:,} MB each ({named})")
    parts = ((part.name, getattr(seen.costs, part.name)) for part in fields(seen.costs))
    costs = (f"{name.replace('_', ' ')} ${cost:,.2f}" for name, cost in parts if cost >= 0.01)
    click.echo(f"of it: {', '.join(costs) or 'nothing above a cent'}")
    took = timedelta(seconds=round(seen.seconds))
    click.echo(f"about {took}, {cap:,} at a time of {concurrency:,} function calls")


def _works(site: Site, batch: Batch, size: Estimate, seconds: float) -> list[tuple[int, Work]]:
    """Return the objects that are left, and what each one takes, by product."""
    by_name = {product.name: product for product in site.products}
    works = []
    for name, each in size.products.items():
        models = _assumed_models(by_name[name], batch)
        memory_mb = max((row.memory_mb for row in models), default=ASSUMED_MB)
        transitions = _transitions(by_name[name])
        works.append((each.left, Work((Call(seconds, memory_mb),), transitions, EACH)))
    return works


def _names(site: Site, batch: Batch, size: Estimate) -> Iterable[str]:
    for product in site.products:
        if product.name in size.products:
            yield from (row.name for row in _assumed_models(product, batch))


def _assumed_models(product: Product, batch: Batch) -> list[ModelRow]:
    """Return a model for each role of the product that the options ask for.

    Where they name none, it is the container's default.
    """
    catalogue = read_catalogue(ROOT, ModelChoice())
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
