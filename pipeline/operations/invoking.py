"""Call a container's function and wait for its answer."""

from __future__ import annotations

import json

from pipeline.contracts.contract import Job
from pipeline.errors import PipelineError, leaves
from pipeline.operations.site import Site


class FunctionBusy(Exception):
    """A function was throttled, or did not answer in time."""


class FunctionBroken(Exception):
    """A function failed, and not by an error of the pipeline."""


def invoke(site: Site, container: str, job: Job, *, model: str | None = None) -> bytes:
    """Return the JSON with which a container's live function answers a job.

    Raises the function's own named error, FunctionBusy or FunctionBroken.
    """
    from botocore.exceptions import ReadTimeoutError

    client = site.client("lambda")
    busy = (
        ReadTimeoutError,
        client.exceptions.TooManyRequestsException,
        client.exceptions.ResourceNotReadyException,
        client.exceptions.ServiceException,
    )
    function = f"{site.names.function_arn(container, model)}:live"
    try:
        told = client.invoke(FunctionName=function, Payload=job.model_dump_json(by_alias=True))
    except busy as error:
        raise FunctionBusy(str(error)) from error
    answer: bytes = told["Payload"].read()
    if "FunctionError" in told:
        raise _named(answer)
    return answer


def _named(answer: bytes) -> Exception:
    """Return the error that a function ended with."""
    told = json.loads(answer)
    name, text = str(told.get("errorType")), str(told.get("errorMessage"))
    kind = leaves(PipelineError).get(name)
    return kind(text.partition("\n")[0]) if kind else FunctionBroken(f"{name}: {text}")
