"""Answer AWS Batch's API in place of moto's Batch, which needs Docker."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.local.batch.batch_host import BatchHost
from pipeline.local.batch.job import Job

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")
_CALL: Final = re.compile(r"^/v1/(?P<operation>[a-z]+)$")
_SIGNED_FOR_BATCH: Final = re.compile(r"Credential=[^,]*/batch/aws4_request")
_REFERENCE: Final = re.compile(r"^(?:arn:.*/)?(?P<name>[^:/]+)(?::\d+)?$")


class ClientError(Exception):
    """What AWS Batch calls a ClientException."""


class BatchApi:
    """WSGI middleware that answers requests signed for AWS Batch, and passes on all others."""

    def __init__(self, app: WSGIApplication, host: BatchHost) -> None:
        self._app = app
        self._host = host
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "submitjob": self._submit,
            "describejobs": self._describe,
            "terminatejob": self._terminate,
            "canceljob": self._cancel,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _CALL.match(environ["PATH_INFO"])
        signed = _SIGNED_FOR_BATCH.search(environ.get("HTTP_AUTHORIZATION", ""))
        operate = self._operations.get(match["operation"]) if match and signed else None
        if operate is None:
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", str(uuid.uuid4()))]
        try:
            status, told = "200 OK", operate(json.loads(body or b"{}"))
        except ClientError as error:
            status, told = "400 Bad Request", {"message": str(error)}
            headers.append(("x-amzn-ErrorType", "ClientException"))
        answer = json.dumps(told).encode()
        start_response(status, [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        definition = _named("JobDefinition", asked["jobDefinition"], self._host.definitions)
        queue = _named("JobQueue", asked["jobQueue"], self._host.queues)
        overrides = asked.get("containerOverrides") or {}
        environment = {each["name"]: each["value"] for each in overrides.get("environment", ())}
        job = Job(definition, queue, asked["jobName"], asked.get("parameters", {}), environment)
        job.with_limits(
            attempts=asked.get("retryStrategy", {}).get("attempts"),
            timeout_s=asked.get("timeout", {}).get("attemptDurationSeconds"),
        )
        try:
            job.command()
        except KeyError as error:
            raise ClientError(f"the parameter {error} has no value") from error
        self._host.submit(job)
        return {"jobArn": job.arn, "jobName": job.name, "jobId": job.id}

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"jobs": list(self._host.details(asked["jobs"]))}

    def _terminate(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._host.end(asked["jobId"], asked["reason"], also_running=True)
        return {}

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._host.end(asked["jobId"], asked["reason"], also_running=False)
        return {}


def _named(kind: str, reference: str, known: Mapping[str, T]) -> T:
    match = _REFERENCE.match(reference)
    if match and match["name"] in known:
        return known[match["name"]]
    raise ClientError(f"{kind} {reference} not found")
