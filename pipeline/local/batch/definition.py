"""What the local AWS Batch knows before the first job: job definitions and queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from pipeline.declared.job_retries import ATTEMPTS, COMMAND, EXIT_RULES, ExitRule
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.batch.attempt import TIMED_OUT, Ended
from pipeline.local.worker import Function

_ARN: Final = LOCAL_NAMES.arn("batch")
COMPUTE_ENVIRONMENT: Final = f"{LOCAL_NAMES.prefix}-this-computer"
COMPUTE_ENVIRONMENT_ARN: Final = f"{_ARN}:compute-environment/{COMPUTE_ENVIRONMENT}"


@dataclass(frozen=True)
class JobDefinition:
    """A job definition with the settings that the local cloud supports.

    `function` is what each job runs once: its name, memory and environment are the definition's,
    its timeout is an attempt's. Its jobs write to the file of a log group.
    """

    function: Function
    vcpus: int
    log_group: str
    command: Sequence[str] = COMMAND
    attempts: int = ATTEMPTS
    exit_rules: Sequence[ExitRule] = EXIT_RULES

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def log(self) -> str:
        """Return the name of the log group's file."""
        return f"{self.log_group.rpartition('/')[2]}.batch.log"

    @property
    def arn(self) -> str:
        return f"{_ARN}:job-definition/{self.name}:1"

    def within(self, *, timeout_s: float | None, attempts: int | None) -> JobDefinition:
        """Return it with what SubmitJob may set for one job, where that is set."""
        function = replace(self.function, timeout_s=timeout_s or self.function.timeout_s)
        return replace(self, function=function, attempts=attempts or self.attempts)

    def tries_again_after(self, ended: Ended, attempts: int) -> bool:
        """Return True if AWS Batch starts a job again after an attempt that ended like this.

        It never does after a timeout.
        """
        if ended.status_reason == TIMED_OUT or attempts >= self.attempts:
            return False
        matching = (rule for rule in self.exit_rules if _matches(rule, ended))
        return next(matching, ExitRule("RETRY")).action == "RETRY"


@dataclass(frozen=True)
class JobQueue:
    """A queue of the one compute environment. Jobs of a higher priority start first."""

    name: str
    priority: int

    @property
    def arn(self) -> str:
        return f"{_ARN}:job-queue/{self.name}"


def _matches(rule: ExitRule, ended: Ended) -> bool:
    found = {
        "on_status_reason": ended.status_reason,
        "on_reason": ended.reason,
        "on_exit_code": str(ended.exit_code),
    }
    return all(fnmatchcase(found[name], pattern) for name, pattern in rule.patterns.items())
