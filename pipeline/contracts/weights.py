"""The jobs and results of staging weights, and of describing an unknown file."""

from pathlib import Path

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Contract, Job, Result


class StageWeights(Job):
    """`trace_id` says in the log for what the model is staged; an older state machine does not."""

    model: str
    models_bucket: str
    force: bool
    trace_id: str | None = None


class WeightsStaged(Result):
    model: str
    manifest: Artifact
    already_staged: bool


class NetworkQuestion(Contract):
    """A file to describe, asked of the container that stages weights: `matteline models add`.

    `black` and `white` are what the model's preprocessing makes of those colours. `input_size` is
    the side of the picture for a network that takes any.
    """

    path: Path
    black: float
    white: float
    input_size: int | None


class NetworkDescription(Contract):
    """A network from one picture to one map of the same size, in pixels.

    `lowest` and `highest` are of its answer to a gradient; `peak_mb` is what one run took.
    """

    input_size: int
    output_name: str
    output_shape: tuple[int, ...]
    lowest: float
    highest: float
    peak_mb: float
