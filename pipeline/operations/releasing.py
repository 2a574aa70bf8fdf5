"""A container's release, started and followed: the release machine does all of it."""

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
    """What is wanted of the release machine."""

    container: str
    version: str
    action: Action


def start_release(site: Site, release: Release) -> str:
    """Start the release; its execution's ARN."""
    started: str = site.client("stepfunctions").start_execution(
        stateMachineArn=site.names.machine_arn(MACHINE),
        name=f"{release.action}-{release.container}-{release.version}-{time.time_ns() // 10**6}",
        input=json.dumps(vars(release)),
    )["executionArn"]
    return started


def follow(site: Site, arn: str) -> Execution:
    """Wait for the end, which the machine itself bounds."""
    while (execution := read_execution(site.client("stepfunctions"), arn)).running:
        time.sleep(_LOOK_AGAIN_S)
    return execution
