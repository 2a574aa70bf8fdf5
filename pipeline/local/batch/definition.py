"""What the local AWS Batch knows before the first job: job definitions and queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pipeline.declared.job_retries import ATTEMPTS, COMMAND, EXIT_RULES, ExitRule
from pipeline.local.batch.attempt import TIMED_OUT, Ended
from pipeline.local.worker import Function


@dataclass(frozen=True)
class JobDefinition:
    """A job definition with the settings that the local cloud supports.

    `function` is what each job runs once: its name, memory and environment are the definition's,
    its timeout an attempt's.
    """

    function: Function
    vcpus: int
    command: Sequence[str] = COMMAND
    attempts: int = ATTEMPTS
    exit_rules: Sequence[ExitRule] = EXIT_RULES

    @property
    def name(self) -> str:
        return self.function.name

    def tries_again_after(self, ended: Ended, attempt: int) -> bool:
        """Return True if AWS Batch starts a job again whose attempt of this number so ended."""
        if ended.status_reason == TIMED_OUT or attempt >= self.attempts:
            return False
        matching = (rule for rule in self.exit_rules if _matches(rule, ended))
        return next(matching, ExitRule("RETRY")).action == "RETRY"


@dataclass(frozen=True)
class JobQueue:
    """A queue of the one compute environment. Jobs of a higher priority start first."""

    name: str
    priority: int


def _matches(rule: ExitRule, ended: Ended) -> bool:
    return (
        fnmatchcase(ended.status_reason, rule.status_reason)
        and fnmatchcase(ended.reason, rule.reason)
        and fnmatchcase(str(ended.exit_code), rule.exit_code)
    )
