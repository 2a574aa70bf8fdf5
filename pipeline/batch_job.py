"""Run one task as a job of AWS Batch: `python -m pipeline.batch_job JOB OUTCOME`.

The job is what Lambda would get as its payload, in an object of S3. The outcome is an object with
`result`, or with `error` and `cause` as Step Functions has them. After an error that may pass,
there is no outcome and the exit code is 1: AWS Batch starts the job again.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline.artifacts import ArtifactStore, Location
from pipeline.aws.s3 import S3Store
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.errors import PipelineError, TransientError
from pipeline.observed import Handler
from pipeline.task import BATCH_VERSION


@dataclass(frozen=True)
class JobContext:
    """What a handler reads of Lambda's context, from the environment of a job."""

    function_name: str
    memory_limit_in_mb: int
    timeout_s: float
    function_version: str = BATCH_VERSION
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_group_name: str = ""
    log_stream_name: str = ""
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, container: ContainerManifest, environment: Mapping[str, str]) -> JobContext:
        timeout_s = container.batch.timeout_s if container.batch else container.timeout_s
        return cls(
            function_name=environment["AWS_LAMBDA_FUNCTION_NAME"],
            memory_limit_in_mb=int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
            timeout_s=timeout_s,
            aws_request_id=environment.get("AWS_BATCH_JOB_ID", "local"),
        )

    @property
    def invoked_function_arn(self) -> str:
        return self.function_name

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self.timeout_s - (time.monotonic() - self.started))))


def run(
    handler: Handler, store: ArtifactStore, job: str, outcome: str, context: JobContext
) -> None:
    """Run the handler on the job at one `s3://` address; store its outcome at another."""
    payload = json.loads(store.read(Location.parse(job)))
    told = json.dumps(_outcome(handler, payload, context)).encode()
    store.write(Location.parse(outcome), told, media_type="application/json")


def _outcome(handler: Handler, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
    try:
        result = handler(payload, cast("LambdaContext", context))
    except TransientError:
        raise
    except PipelineError as error:  # the same job would fail again
        name = type(error).__name__
        cause = json.dumps({"errorType": name, "errorMessage": str(error)})
        return {"result": None, "error": name, "cause": cause}
    return {"result": result, "error": None, "cause": None}


def _container(root: Path, function: str) -> ContainerManifest:
    """Return the image's container; in the sources, that of the job definition."""
    every = load_containers(root)
    (container,) = (each for each in every if len(every) == 1 or f"-{each.name}-" in function)
    return container


def main() -> None:
    """Run the job with its environment's handler, or the one that the container manifest names."""
    container = _container(Path(__file__).parents[1], os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    module, _, name = os.environ.get("_HANDLER", container.handler).rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), name)
    job, outcome = sys.argv[1:]
    run(handler, S3Store.connect(), job, outcome, JobContext.of(container, os.environ))


if __name__ == "__main__":
    main()
