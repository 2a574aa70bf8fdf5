"""Start a container's release and wait for it; the release machine does the work."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.operations.executions import Execution, read_execution
from pipeline.operations.site import Site

Action = Literal["deploy", "rollback"]
MACHINE: Final = "release-container"
_LOOK_AGAIN_S: Final = 2.0


@dataclass(frozen=True)
class Release:
    """The input of the release machine."""

    container: str
    version: str
    action: Action


def start_release(site: Site, release: Release) -> str:
    """Start the release and return its execution's ARN."""
    started: str = site.client("stepfunctions").start_execution(
        stateMachineArn=site.names.machine_arn(MACHINE),
        name=f"{release.action}-{release.container}-{release.version}-{time.time_ns() // 10**6}",
        input=json.dumps(vars(release)),
    )["executionArn"]
    return started


def follow(site: Site, arn: str) -> Execution:
    """Wait for the execution to end; the state machine limits how long it may take."""
    while (execution := read_execution(site.client("stepfunctions"), arn)).running:
        time.sleep(_LOOK_AGAIN_S)
    return execution
