"""Stage a model's weights through the local cloud's stage-weights state machine."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.artifacts import Location
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.local.deployment import NAMES
from pipeline.session.availability import Reach, require_model
from pipeline.session.kept_weights import staged_weights
from pipeline.session.watching import describe

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_POLL_S: Final = 0.1


@dataclass(frozen=True)
class StagedModel:
    """The result of staging a model. `reason` says why it failed; empty if it succeeded."""

    model: str
    bytes: int
    sources: tuple[str, ...]
    reason: str


def stage_model(cloud: LocalCloud, row: ModelRow, reach: Reach) -> StagedModel:
    """Run the stage-weights state machine for one model, if a source has its weights.

    It runs once more with the model's packages if an address answered and then failed.
    """
    try:
        require_model(cloud.blueprint.catalogue, row.name, reach)
        staged = _staged(cloud, row)
        if staged.reason.startswith(WeightsUnavailable.__name__) and reach.fetch_packages(row):
            staged = _staged(cloud, row)
    except (WeightsUnavailable, WeightsMismatch) as error:
        return StagedModel(row.name, 0, (), f"{type(error).__name__}: {error.message}")
    return staged


def _staged(cloud: LocalCloud, row: ModelRow) -> StagedModel:
    states = cloud.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=NAMES.machine_arn("stage-weights"), input=json.dumps({"models": [row.name]})
    )["executionArn"]
    while (execution := describe(states, arn)).status == "RUNNING":
        time.sleep(_POLL_S)
    if execution.status != "SUCCEEDED":
        return StagedModel(row.name, 0, (), execution.reason)
    (result,) = execution.output
    staged = staged_weights(cloud, Location.parse(result["manifest"]["uri"]).key)
    return StagedModel(
        model=row.name,
        bytes=sum(file.artifact.bytes for file in staged.files),
        sources=tuple(file.source for file in staged.files),
        reason="",
    )
