"""Answer AWS Batch's API in place of moto's Batch, which needs Docker."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.local.batch.batch_host import BatchHost
from pipeline.local.batch.definition import COMPUTE_ENVIRONMENT, COMPUTE_ENVIRONMENT_ARN
from pipeline.local.batch.job import Job

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")
_CALL: Final = re.compile(r"^/v1/(?P<operation>[a-z]+)$")
_SIGNED_FOR_BATCH: Final = re.compile(r"Credential=[^,]*/batch/aws4_request")
_REFERENCE: Final = re.compile(r"^(?:arn:.*/)?(?P<name>[^:/]+)(?::\d+)?$")
_JOB_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")
_PAGE: Final = 1_000
_LISTED: Final = (
    *("jobArn", "jobId", "jobName", "jobDefinition", "status", "statusReason"),
    *("createdAt", "startedAt", "stoppedAt"),
)

_Answer = dict[str, Any]


class ClientError(Exception):
    """A request that AWS Batch refuses, as its ClientException does."""


class BatchApi:
    """WSGI middleware that answers requests signed for AWS Batch, and passes on all others."""

    def __init__(self, app: WSGIApplication, host: BatchHost) -> None:
        self._app = app
        self._host = host
        self._operations: Final[dict[str, Callable[[_Answer], _Answer]]] = {
            "submitjob": self._submit,
            "describejobs": self._describe,
            "listjobs": self._list,
            "terminatejob": self._terminate,
            "canceljob": self._cancel,
            "describejobdefinitions": self._describe_definitions,
            "describejobqueues": self._describe_queues,
            "describecomputeenvironments": self._describe_compute_environments,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _CALL.match(environ["PATH_INFO"])
        signed = _SIGNED_FOR_BATCH.search(environ.get("HTTP_AUTHORIZATION", ""))
        if not match or not signed:
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", str(uuid.uuid4()))]
        try:
            status, told = "200 OK", self._answer(match["operation"], json.loads(body or b"{}"))
        except ClientError as error:
            status, told = "400 Bad Request", {"message": str(error)}
            headers.append(("x-amzn-ErrorType", "ClientException"))
        answer = json.dumps(told).encode()
        start_response(status, [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(self, operation: str, asked: _Answer) -> _Answer:
        if operation not in self._operations:
            raise ClientError(f"the local cloud's AWS Batch has no {operation}")
        return self._operations[operation](asked)

    def _submit(self, asked: _Answer) -> _Answer:
        if not _JOB_NAME.match(asked["jobName"]):
            raise ClientError(f"Job name should match valid pattern: {asked['jobName']}")
        definition = _named("JobDefinition", asked["jobDefinition"], self._host.definitions)
        overrides = asked.get("containerOverrides", {})
        job = Job(
            definition.within(
                timeout_s=asked.get("timeout", {}).get("attemptDurationSeconds"),
                attempts=asked.get("retryStrategy", {}).get("attempts"),
            ),
            _named("JobQueue", asked["jobQueue"], self._host.queues),
            asked["jobName"],
            parameters=asked.get("parameters", {}),
            environment={each["name"]: each["value"] for each in overrides.get("environment", ())},
        )
        try:
            job.command()
        except KeyError as error:
            raise ClientError(f"the parameter {error} has no value") from error
        self._host.submit(job)
        return {"jobArn": job.arn, "jobName": job.name, "jobId": job.id}

    def _describe(self, asked: _Answer) -> _Answer:
        found = (self._host.detail(_job_id(each)) for each in asked["jobs"])
        return {"jobs": [job for job in found if job]}

    def _list(self, asked: _Answer) -> _Answer:
        queue = _named("JobQueue", asked.get("jobQueue", ""), self._host.queues)
        status = asked.get("jobStatus", "RUNNING")
        listed = [
            _summary(job)
            for job in self._host.details()
            if (job["jobQueue"], job["status"]) == (queue.arn, status)
        ]
        listed.sort(key=lambda job: (job["createdAt"], job["jobId"]), reverse=True)
        first = int(asked.get("nextToken") or 0)
        end = first + int(asked.get("maxResults") or _PAGE)
        more = {"nextToken": str(end)} if end < len(listed) else {}
        return {"jobSummaryList": listed[first:end], **more}

    def _terminate(self, asked: _Answer) -> _Answer:
        self._host.terminate(_job_id(asked["jobId"]), asked["reason"])
        return {}

    def _cancel(self, asked: _Answer) -> _Answer:
        self._host.cancel(_job_id(asked["jobId"]), asked["reason"])
        return {}

    def _describe_definitions(self, asked: _Answer) -> _Answer:
        asked_for = asked.get("jobDefinitions") or [asked.get("jobDefinitionName", "")]
        return {
            "jobDefinitions": [
                {
                    "jobDefinitionName": each.name,
                    "jobDefinitionArn": each.arn,
                    "revision": 1,
                    "status": "ACTIVE",
                    "type": "container",
                    "containerProperties": {"command": list(each.command)},
                    "timeout": {"attemptDurationSeconds": int(each.function.timeout_s)},
                    "retryStrategy": {"attempts": each.attempts},
                }
                for each in _among(asked_for, self._host.definitions)
            ]
        }

    def _describe_queues(self, asked: _Answer) -> _Answer:
        order = [{"order": 1, "computeEnvironment": COMPUTE_ENVIRONMENT_ARN}]
        return {
            "jobQueues": [
                {
                    "jobQueueName": each.name,
                    "jobQueueArn": each.arn,
                    "priority": each.priority,
                    "state": "ENABLED",
                    "status": "VALID",
                    "computeEnvironmentOrder": order,
                }
                for each in _among(asked.get("jobQueues", []), self._host.queues)
            ]
        }

    def _describe_compute_environments(self, _asked: _Answer) -> _Answer:
        return {
            "computeEnvironments": [
                {
                    "computeEnvironmentName": COMPUTE_ENVIRONMENT,
                    "computeEnvironmentArn": COMPUTE_ENVIRONMENT_ARN,
                    "type": "UNMANAGED",
                    "state": "ENABLED",
                    "status": "VALID",
                    "unmanagedvCpus": self._host.room.vcpus,
                }
            ]
            if self._host.queues
            else []
        }


def _among(references: Iterable[str], known: Mapping[str, T]) -> Iterator[T]:
    """Yield what the references name; everything without any."""
    names = {_name(each) for each in references if each}
    return (each for name, each in known.items() if not names or name in names)


def _named(kind: str, reference: str, known: Mapping[str, T]) -> T:
    name = _name(reference)
    if name not in known:
        raise ClientError(f"{kind} {reference} not found")
    return known[name]


def _name(reference: str) -> str:
    """Return the name in `name`, `name:revision`, or an ARN with or without revision."""
    match = _REFERENCE.match(reference)
    return match["name"] if match else ""


def _job_id(reference: str) -> str:
    return reference.rpartition("/")[2]


def _summary(job: _Answer) -> _Answer:
    container = {name: job["container"][name] for name in ("exitCode", "reason")
                 if name in job["container"]}  # fmt: skip
    return {name: job[name] for name in _LISTED if name in job} | {"container": container}
