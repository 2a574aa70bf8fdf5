"""Model what moto lacks for releases: scans, signatures, builds, and stacks with their canaries.

Every image is clean and signed, and every update succeeds after its smoke test, unless a test
changes that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError

SMOKE_EVENT: Final = "BeforeAllowTraffic"
_SETTLED: Final = ("UPDATE_COMPLETE", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

Json = dict[str, Any]


@dataclass
class Scan:
    """A scan whose `statuses` are returned one after another; the last one repeats."""

    statuses: list[str] = field(default_factory=lambda: ["COMPLETE"])
    findings: Sequence[Json] = ()
    enhanced: Sequence[Json] = ()

    def look(self) -> str:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@dataclass
class Deployment:
    """A canary of one function, and the hook's answer about it."""

    function: str
    version: str
    status: str = "InProgress"


@dataclass
class Stack:
    """A container's stack; `ahead` are the statuses an update passes before it settles.

    Before the first release it has no `parameters` and no alias.
    """

    name: str
    functions: Sequence[str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    status: str = "CREATE_COMPLETE"
    ahead: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    refuses: str | None = None
    fails: str | None = None
    testing: bool = False


class ReleaseAws:
    """The state behind `moto_releases`, one per running cloud."""

    def __init__(self, smoke_test: Callable[[str], None]) -> None:
        """`smoke_test` invokes the hook for a deployment and returns when it has answered."""
        self.scans: dict[str, Scan] = {}
        self.signatures: dict[str, Sequence[str]] = {}
        self.builds: dict[str, Json] = {}
        self.stacks: dict[str, Stack] = {}
        self.deployments: dict[str, Deployment] = {}
        self.smoke_test = smoke_test
        self._lock = threading.RLock()

    def scan(self, digest: str) -> Scan:
        return self.scans.setdefault(digest, Scan())

    def stack(self, name: str) -> Stack:
        if name not in self.stacks:
            raise ValidationError(name)
        return self.stacks[name]

    def update(self, request: Json) -> None:
        """Start an update, or reject it as CloudFormation would."""
        stack = self.stack(request["StackName"])
        wanted = {each["ParameterKey"]: each["ParameterValue"] for each in request["Parameters"]}
        with self._lock:
            _require_updatable(stack, wanted)
            stack.requests.append({**request, "before": dict(stack.parameters)})
            stack.parameters = wanted
            stack.status = "UPDATE_IN_PROGRESS"
            token = request["ClientRequestToken"]
            stack.events.insert(0, event(stack.name, "UPDATE_IN_PROGRESS", "User Initiated", token))

    def describe(self, name: str) -> Stack:
        """Return the stack; each call moves a running update one step forward."""
        stack = self.stack(name)
        with self._lock:
            if stack.ahead:
                stack.status = stack.ahead.pop(0)
            begins = stack.status == "UPDATE_IN_PROGRESS" and not stack.ahead and not stack.testing
            stack.testing = stack.testing or begins
        if begins:  # the smoke tests describe the stack, too
            self._finish(stack)
        if stack.status.startswith("UPDATE_ROLLBACK"):
            stack.parameters = stack.requests[-1]["before"]
        return stack

    def _finish(self, stack: Stack) -> None:
        """Smoke-test every function, then keep the new version or roll back to the old one.

        CodeDeploy deploys only when an alias moves, so a first release calls no hook.
        """
        moved = stack.functions if stack.requests[-1]["before"] else ()
        failed = [name for name in moved if not self._passes(stack, name)]
        token = stack.requests[-1]["ClientRequestToken"]
        for name in failed:
            said = "CodeDeploy deployment failed: a lifecycle validation function failed"
            stack.events.insert(0, event(f"{name}:live", "UPDATE_FAILED", said, token))
        if stack.fails:
            stack.events.insert(0, event("LiveAlias", "UPDATE_FAILED", stack.fails, token))
        broken = bool(failed or stack.fails)
        stack.testing = False
        stack.status = "UPDATE_ROLLBACK_COMPLETE" if broken else "UPDATE_COMPLETE"

    def _passes(self, stack: Stack, function: str) -> bool:
        deployment_id = f"d-{len(self.deployments):09}"
        deployment = Deployment(function, version=str(len(stack.requests)))
        self.deployments[deployment_id] = deployment
        self.smoke_test(deployment_id)
        return deployment.status == "Succeeded"


def event(resource: str, status: str, reason: str, token: str) -> Json:
    """Return a stack event as DescribeStackEvents lists it."""
    return {
        "LogicalResourceId": resource,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "ClientRequestToken": token,
        "Timestamp": datetime.now(UTC),
    }


def _require_updatable(stack: Stack, wanted: Mapping[str, str]) -> None:
    if stack.refuses:
        raise ValidationError(message=stack.refuses)
    if stack.status not in _SETTLED:
        said = f"Stack:{stack.name} is in {stack.status} state and can not be updated."
        raise ValidationError(message=said)
    if dict(stack.parameters) == wanted:
        raise ValidationError(message="No updates are to be performed.")
