"""A job of AWS Batch: what was asked for, and what became of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.batch.attempt import Attempt, Ended
from pipeline.local.batch.definition import JobDefinition, JobQueue

Status = Literal["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"]
ARN_PREFIX: Final = LOCAL_NAMES.arn("batch")
REVISION: Final = 1  # of every job definition


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Job:
    """A job until it ends, guarded by the host's lock."""

    definition: JobDefinition
    queue: JobQueue
    name: str
    parameters: Mapping[str, str]
    environment: Mapping[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: int = field(default_factory=now_ms)
    status: Status = "RUNNABLE"
    status_reason: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    started_at: int | None = None
    stopped_at: int | None = None
    running: Attempt | None = None
    cancelled: bool = False
    terminated: bool = False

    @property
    def arn(self) -> str:
        return f"{ARN_PREFIX}:job/{self.id}"

    @property
    def ended(self) -> bool:
        return self.status in {"SUCCEEDED", "FAILED"}

    @property
    def log_stream(self) -> str:
        return f"{self.definition.name}/default/{self.id}"

    def command(self) -> tuple[str, ...]:
        """Return the command, with its parameters. Raises KeyError if one has no value."""
        return tuple(
            self.parameters[word.removeprefix("Ref::")] if word.startswith("Ref::") else word
            for word in self.definition.command
        )

    def begin(self) -> None:
        self.status = "RUNNING"
        self.started_at = now_ms()

    def note(self, ended: Ended) -> None:
        """Add an attempt that has ended."""
        self.attempts.append(
            {
                "container": self._container(ended),
                "startedAt": self.started_at,
                "stoppedAt": now_ms(),
                "statusReason": ended.status_reason,
            }
        )

    def end(self, status: Status, reason: str) -> None:
        self.status, self.status_reason, self.stopped_at = status, reason, now_ms()

    def summary(self) -> dict[str, Any]:
        """Return the job as ListJobs does."""
        last = self.attempts[-1]["container"] if self.attempts else {}
        return _present(
            {
                "jobArn": self.arn,
                "jobId": self.id,
                "jobName": self.name,
                "jobDefinition": self._definition_arn,
                "createdAt": self.created_at,
                "startedAt": self.started_at,
                "stoppedAt": self.stopped_at,
                "status": self.status,
                "statusReason": self.status_reason or None,
                "container": _present(
                    {"exitCode": last.get("exitCode"), "reason": last.get("reason")}
                ),
            }
        )

    def detail(self) -> dict[str, Any]:
        """Return the job as DescribeJobs does."""
        definition = self.definition
        last = self.attempts[-1]["container"] if self.attempts else {}
        needs = {"VCPU": definition.vcpus, "MEMORY": definition.function.memory_mb}
        return self.summary() | {
            "jobQueue": f"{ARN_PREFIX}:job-queue/{self.queue.name}",
            "attempts": self.attempts,
            "retryStrategy": {"attempts": definition.attempts},
            "timeout": {"attemptDurationSeconds": int(definition.function.timeout_s)},
            "parameters": dict(self.parameters),
            "dependsOn": [],
            "isCancelled": self.cancelled,
            "isTerminated": self.terminated,
            "container": {
                "command": list(self.command()),
                "environment": [
                    {"name": name, "value": text} for name, text in self.environment.items()
                ],
                "resourceRequirements": [
                    {"type": kind, "value": str(amount)} for kind, amount in needs.items()
                ],
            }
            | last,
        }

    @property
    def _definition_arn(self) -> str:
        return f"{ARN_PREFIX}:job-definition/{self.definition.name}:{REVISION}"

    def _container(self, ended: Ended) -> dict[str, Any]:
        told = {
            "exitCode": ended.exit_code,
            "reason": ended.reason or None,
            "logStreamName": self.log_stream,
        }
        return _present(told)

    def with_limits(self, *, attempts: int | None, timeout_s: int | None) -> None:
        """Let one job have another retry limit, or another time, than its definition's."""
        definition = self.definition
        function = replace(definition.function, **_present({"timeout_s": timeout_s}))
        changes = _present({"attempts": attempts})
        self.definition = replace(definition, function=function, **changes)


def _present(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in (None, {})}
