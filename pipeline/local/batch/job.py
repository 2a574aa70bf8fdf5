"""A job of AWS Batch: its definition, its attempts and its status."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.batch.attempt import Attempt, Ended
from pipeline.local.batch.definition import JobDefinition, JobQueue

Status = Literal["RUNNABLE", "RUNNING", "SUCCEEDED", "FAILED"]
ARN_PREFIX: Final = LOCAL_NAMES.arn("batch")


@dataclass(eq=False)
class Job:
    """A job. It is not thread-safe: the host uses it under a lock."""

    definition: JobDefinition
    queue: JobQueue
    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = "RUNNABLE"
    status_reason: str = ""
    cancelled: bool = False
    terminated: bool = False
    running: Attempt | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=lambda: {"createdAt": _now_ms()})

    @property
    def arn(self) -> str:
        return f"{ARN_PREFIX}:job/{self.id}"

    def command(self) -> tuple[str, ...]:
        """Return the command, with its parameters. Raises KeyError if one has no value."""
        return tuple(
            self.parameters[word.removeprefix("Ref::")] if word.startswith("Ref::") else word
            for word in self.definition.command
        )

    def run(self, attempt: Attempt) -> None:
        self.running, self.status = attempt, "RUNNING"
        self.times["startedAt"] = _now_ms()

    def note(self, ended: Ended) -> bool:
        """Record the attempt that has ended. Return True if AWS Batch starts another one."""
        self.running = None
        self.attempts.append(
            {
                "container": self._container(ended),
                "startedAt": self.times["startedAt"],
                "stoppedAt": _now_ms(),
                "statusReason": ended.status_reason,
            }
        )
        failed = ended.exit_code != 0
        return (
            failed
            and not self.terminated
            and self.definition.tries_again_after(ended, len(self.attempts))
        )

    def end(self, status: Status, reason: str) -> None:
        self.status, self.status_reason = status, reason
        self.times["stoppedAt"] = _now_ms()

    def detail(self) -> dict[str, Any]:
        """Return the job as DescribeJobs does."""
        definition = self.definition
        function = definition.function
        needs = {"VCPU": definition.vcpus, "MEMORY": function.memory_mb}
        container = {
            "command": list(self.command()),
            "environment": _pairs(self.environment, "name"),
            "resourceRequirements": _pairs({k: str(v) for k, v in needs.items()}, "type"),
        }
        return {
            "jobArn": self.arn,
            "jobId": self.id,
            "jobName": self.name,
            "jobQueue": self.queue.arn,
            "jobDefinition": definition.arn,
            "status": self.status,
            "statusReason": self.status_reason,
            **self.times,
            "attempts": list(self.attempts),
            "container": container | (self.attempts[-1]["container"] if self.attempts else {}),
            "retryStrategy": {"attempts": definition.attempts},
            "timeout": {"attemptDurationSeconds": int(function.timeout_s)},
            "parameters": dict(self.parameters),
            "dependsOn": [],
            "isCancelled": self.cancelled,
            "isTerminated": self.terminated,
        }

    def _container(self, ended: Ended) -> dict[str, Any]:
        stream = f"{self.definition.name}/default/{self.id}"
        reason = {"reason": ended.reason} if ended.reason else {}
        return {"exitCode": ended.exit_code, "logStreamName": stream, **reason}


def _pairs(values: Mapping[str, str], key: str) -> list[dict[str, str]]:
    return [{key: name, "value": text} for name, text in values.items()]


def _now_ms() -> int:
    return int(time.time() * 1000)
