"""Estimate the time and the cost of a backfill, and print them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

import click

from pipeline.cli.options import ROOT
from pipeline.contracts.contract import read_product_contract
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Product, naming_roles
from pipeline.operations.backfill_pace import calls_at_once, default_cap, find_account
from pipeline.operations.backfilling import Batch, Estimate
from pipeline.operations.site import Site
from pipeline.operations.volume import Account, Call, Work, foresee
from pipeline.operations.volume_work import EACH, EXECUTIONS, transitions
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

ASSUMED_S: Final = 5.0  # of an object whose model was not measured
ASSUMED_MB: Final = 1024  # of a product without models
_BESIDE_S: Final = 1.2  # inspecting and refining a small photo
_CENT: Final = 0.01
_PRODUCT: Final = "{}: {}, {:g} s each with {:,} MB ({})"


@dataclass(frozen=True)
class Planned:
    """The work of one object of a product, and how many functions it calls at a time at most."""

    models: tuple[str, ...]
    work: Work
    at_once: int


class Plans:
    """What the objects of a batch take, by product. Seconds that are not given are assumed."""

    def __init__(self, batch: Batch, seconds: float | None) -> None:
        self._options = batch.options or {}
        self._seconds = seconds
        self._catalogue = read_catalogue(ROOT, ModelChoice())

    def of(self, product: Product) -> Planned:
        rows = self._models(product)
        memory_mb = max((row.memory_mb for row in rows), default=ASSUMED_MB)
        call = Call(self._seconds or _seconds(self._catalogue, rows), memory_mb)
        child = _definition("backfill")["States"]["ProcessPrefix"]["ItemProcessor"]
        definition = _definition(product.machine)
        work = Work((call,), transitions(definition, child), EACH, EXECUTIONS)
        at_once = calls_at_once(definition, self._concurrency(product))
        return Planned(tuple(row.name for row in rows), work, at_once)

    def _concurrency(self, product: Product) -> int:
        known = read_product_contract(product.contracts).options.model_fields
        default = known["concurrency"].default if "concurrency" in known else 1
        asked = self._options.get("concurrency", default)
        return asked if isinstance(asked, int) else int(default)

    def _models(self, product: Product) -> list[ModelRow]:
        """Return a model for each role of the product that the options ask for.

        Where they name none, it is the container's default.
        """
        known = read_product_contract(product.contracts).options.model_fields
        defaults = self._catalogue.defaults
        required = {
            option: defaults[role.container]
            for option, role in naming_roles(product).items()
            if known[option].is_required()
        }
        options: Mapping[str, object] = {**required, **self._options}
        asked = [(role, role.asked(options)) for role in product.roles.values()]
        return [
            self._catalogue.row(defaults[role.container] if name is True else name)
            for role, name in asked
            if name is not None
        ]


def choose_cap(site: Site, batch: Batch, plans: Plans) -> int:
    """Return the cap that leaves room for uploads, whichever products the objects are of."""
    account = find_account(site)
    takers = [each for each in site.products if not each.on_request]
    planned = map(plans.of, [batch.product] if batch.product else takers)
    return min(default_cap(account, each.work, each.at_once) for each in planned)


def show_estimate(site: Site, size: Estimate, plans: Plans, cap: int) -> None:
    """Print the objects, and the cost and time of those that are not done."""
    gb = f"{size.bytes / 1e9:,.3f} GB"
    click.echo(f"{_objects(size.objects)}, {gb}; {size.done:,} done already")
    if size.missing:
        click.echo(f"listed keys that have no object: {size.missing:,}")
    if size.archived:
        click.echo(f"archived, to be restored first: {_objects(size.archived)}")
    works = []
    for product in site.products:
        if product.name in size.products:
            planned, count = plans.of(product), size.products[product.name]
            (call,) = planned.work.calls
            named = ", ".join(dict.fromkeys(planned.models)) or "no model"
            about = (
                product.name,
                _objects(count.objects),
                round(call.seconds, 1),
                call.memory_mb,
                named,
            )
            click.echo(_PRODUCT.format(*about))
            works.append((count.left, planned.work))
    _show_cost_and_time(works, find_account(site), cap)


def _objects(number: int) -> str:
    return f"{number:,} object{'' if number == 1 else 's'}"


def _show_cost_and_time(works: list[tuple[int, Work]], account: Account, cap: int) -> None:
    seen = foresee(works, cap=cap, account=account)
    parts = ((part.name, getattr(seen.costs, part.name)) for part in fields(seen.costs))
    told = ", ".join(
        f"{name.replace('_', ' ')} ${cost:,.2f}" for name, cost in parts if cost >= _CENT
    )
    click.echo(f"about ${seen.costs.total:,.2f}" + (f": {told}" if told else ""))
    took = timedelta(seconds=round(seen.seconds))
    click.echo(
        f"about {took}, {cap:,} at a time; {account.concurrency:,} functions may run at once"
    )


def _seconds(catalogue: Catalogue, rows: list[ModelRow]) -> float:
    """Return the seconds of Lambda time of a small photo, from its models' measured networks."""
    measured = [(row, catalogue.measured_of(row)) for row in rows]
    if not all(each for _, each in measured):
        return ASSUMED_S
    return _BESIDE_S + sum(each.seconds_with(row.memory_mb) for row, each in measured if each)


def _definition(machine: str) -> dict[str, Any]:
    path = ROOT / "state_machines" / f"{machine}.asl.json"
    definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return definition
