"""Plan the models of a job: which fills a role, where it runs, what to try if that fails."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts.contract import InspectMedia, Options, PlannedModel
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Role
from pipeline.errors import BatchNotEnabled, InvalidOptions


def planned(
    role: Role, task: InspectMedia, default: str | None, options: Options, catalogue: Catalogue
) -> PlannedModel | None:
    """Return the model that fills a role, or None if it is not asked for.

    `default` is the deployment's model for the role. Raises LookupError if it is needed and the
    state machine does not give it; UnknownModel for a model that does not fit the role, or
    LicenseNotAccepted; InvalidOptions or BatchNotEnabled if it cannot run where it would have to.
    """
    name = _model_of(role, options, default)
    if name is None:
        return None
    models = catalogue.fitting(role)
    row = models.usable(name)
    ways = [*_ways(row, role, task, options)]
    if options.allow_fallback and row.fallback:
        ways += [
            way.model_copy(update={"degraded": True})
            for way in _ways(models.usable(row.fallback), role, task, options)
        ]
    plan: PlannedModel | None = None
    for way in reversed(ways):
        plan = way.model_copy(update={"fallback": plan})
    return plan


def _model_of(role: Role, options: Options, default: str | None) -> str | None:
    asked = role.asked(dict(options))
    if asked is not True:
        return asked
    if default is None:
        raise LookupError(f"no default model of {role.container} was given")
    return default


def _ways(
    row: ModelRow, role: Role, task: InspectMedia, options: Options
) -> Iterator[PlannedModel]:
    """Yield the ways to run a row, in the order in which they are tried.

    A photo is prepared for clicks by a function alone, and so is whatever `role` has no batch for.
    """
    able = role.batch and not task.prompts_follow
    compute = options.compute if able else "auto"
    if row.compute == "batch" and (not able or compute == "lambda"):
        why = "compute is lambda" if able else "this task runs in a function"
        raise InvalidOptions(f"{row.name} runs on AWS Batch alone, and {why}")
    if row.hosted and compute == "batch":
        raise InvalidOptions(f"{row.name} is hosted and called by a function, and compute is batch")
    needed = "batch" in (row.compute, compute)
    if needed and task.batch == "off":
        asks = row.name if row.compute == "batch" else "compute batch"
        raise BatchNotEnabled(f"{asks} needs AWS Batch, which this stage does not have")
    on_lambda = PlannedModel(
        model=row.name, weights_key=None if row.hosted else row.weights_key, output=row.output
    )
    if not needed:
        yield on_lambda
    if needed or (able and compute == "auto" and task.batch != "off" and not row.hosted):
        yield on_lambda.model_copy(update={"compute": "batch"})
