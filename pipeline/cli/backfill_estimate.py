"""Estimate the time and the cost of a backfill, and print them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

import click

from pipeline.cli.options import ROOT
from pipeline.cli.printable import counted
from pipeline.compute import Compute
from pipeline.contracts.contract import read_product_contract
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.containers import BatchJob, load_containers
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Product, Role, naming_roles
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill.backfilling import Batch, Estimate
from pipeline.operations.backfill.costs import VCPU_HOUR
from pipeline.operations.backfill.pace import calls_at_once, default_cap, find_account, with_jobs
from pipeline.operations.backfill.simulation import Account, Call, Work, foresee
from pipeline.operations.backfill.work import A_JOB, EACH, EXECUTIONS, transitions
from pipeline.operations.site import Site
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue

ASSUMED_S: Final = 5.0  # of an object whose model was not measured
ASSUMED_MB: Final = 1024  # of a product without models
_BESIDE_S: Final = 1.2  # inspecting and refining a small photo
_CENT: Final = 0.01
_JOB_MACHINE: Final = "run-on-batch"
_MEASURED_ON: Final = 2  # CPUs, at most, of a model's measured seconds
_PRODUCT: Final = "{}: {}, {:g} s each with {:,} MB{} ({})"


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
        self._jobs = {each.name: each.batch for each in load_containers(ROOT)}

    def of(self, product: Product) -> Planned:
        """Return what one object of a product takes: one call for its functions, then its jobs."""
        models = self._models(product)
        compute = self._options.get("compute", "auto")
        runs = [(row, self._job(role, row, compute)) for role, row in models]
        functions = [row for row, job in runs if job is None]
        jobs = [(row, job) for row, job in runs if job]
        memory_mb = max((row.memory_mb for row in functions), default=ASSUMED_MB)
        seconds = None if jobs else self._seconds
        call = Call(seconds or _seconds(self._catalogue, functions), memory_mb)
        child = _definition("backfill")["States"]["ProcessPrefix"]["ItemProcessor"]
        definition = _definition(product.machine)
        work = Work(
            (call, *(self._call(row, job, len(jobs)) for row, job in jobs)),
            transitions(definition, child, _definition(_JOB_MACHINE) if jobs else None),
            EACH.and_again(A_JOB, len(jobs)),
            EXECUTIONS + len(jobs),
        )
        at_once = calls_at_once(definition, self._concurrency(product))
        return Planned(tuple(row.name for _, row in models), work, at_once)

    def _job(self, role: Role, row: ModelRow, compute: object) -> BatchJob | None:
        """Return what a role's job gets; None if the role's function runs the model.

        With `auto`, functions run what they can.
        """
        job = self._jobs[role.container] if role.batch else None
        wanted: Compute = "batch" if compute == "batch" and not row.hosted else "lambda"
        if row.compute == "batch" and compute == "lambda":
            raise InvalidOptions(f"{row.name} runs on AWS Batch alone, and compute is lambda")
        return job if "batch" in (row.compute, wanted) else None

    def _call(self, row: ModelRow, job: BatchJob, jobs: int) -> Call:
        """Return one of the jobs of an object, which take the given seconds together."""
        measured = self._catalogue.measured_of(row)
        seconds = ASSUMED_S
        if self._seconds:
            seconds = self._seconds / jobs
        elif measured:
            seconds = measured.seconds * _MEASURED_ON / job.vcpus
        return Call(seconds, max(row.memory_mb, job.memory_mb), vcpus=job.vcpus)

    def _concurrency(self, product: Product) -> int:
        known = read_product_contract(product.contracts).options.model_fields
        default = known["concurrency"].default if "concurrency" in known else 1
        asked = self._options.get("concurrency", default)
        return asked if isinstance(asked, int) else int(default)

    def _models(self, product: Product) -> list[tuple[Role, ModelRow]]:
        """Return each role of the product that the options ask for, with its model.

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
            (role, self._catalogue.row(defaults[role.container] if name is True else name))
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
    click.echo(f"{counted(size.objects, 'object')}, {gb}; {size.done:,} done already")
    if size.missing:
        click.echo(f"listed keys that have no object: {size.missing:,}")
    if size.archived:
        click.echo(f"archived, to be restored first: {counted(size.archived, 'object')}")
    works = []
    for product in site.products:
        if product.name in size.products:
            planned, count = plans.of(product), size.products[product.name]
            call, *jobs = planned.work.calls
            named = ", ".join(dict.fromkeys(planned.models)) or "no model"
            told = "".join(f", and a job of {each.seconds:.1f} s" for each in jobs)
            about = (
                product.name,
                counted(count.objects, "object"),
                round(call.seconds, 1),
                call.memory_mb,
            )
            click.echo(_PRODUCT.format(*about, told, named))
            works.append((count.left, planned.work))
    account = find_account(site)
    if least := max((each.vcpus for _, work in works for each in work.calls), default=0):
        account = with_jobs(account, site, least)
    _show_cost_and_time(works, account, cap)


def _show_cost_and_time(works: list[tuple[int, Work]], account: Account, cap: int) -> None:
    seen = foresee(works, cap=cap, account=account)
    parts = ((part.name, getattr(seen.costs, part.name)) for part in fields(seen.costs))
    told = ", ".join(
        f"{name.replace('_', ' ')} ${cost:,.2f}" for name, cost in parts if cost >= _CENT
    )
    click.echo(f"about ${seen.costs.total:,.2f}" + (f": {told}" if told else ""))
    if account.batch_vcpus:
        waits = timedelta(seconds=round(account.machine_s))
        click.echo(
            f"${seen.costs.batch:,.2f} of it for jobs of AWS Batch, at ${VCPU_HOUR:.2f} for a"
            f" vCPU-hour on spot machines; {account.batch_vcpus:,} vCPUs at once, the first after"
            f" {waits}"
        )
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
