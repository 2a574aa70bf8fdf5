"""The job and the result of staging a model's weights."""

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Job, Result


class StageWeights(Job):
    model: str
    models_bucket: str
    force: bool


class WeightsStaged(Result):
    model: str
    manifest: Artifact
    already_staged: bool
