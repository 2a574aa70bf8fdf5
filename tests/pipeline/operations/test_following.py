"""A job is one job under every name, whichever execution has it."""

from __future__ import annotations

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations import executions
from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.following import follow
from pipeline.operations.site import Site
from tests.pipeline.operations.deployment import INPUT, Deployment
from tests.pipeline.operations.sites import CUTOUT, TRANSCRIPT


@pytest.fixture
def handed_over(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an execution that was handed over: moto does not run the machine."""
    arn = deployment.ended(CUTOUT.machine, "monday")
    other = LOCAL_NAMES.execution_arn(TRANSCRIPT.machine, "monday")

    def find(site: Site, asked: str) -> Execution | None:
        if asked != arn:
            return find_execution(site, asked)
        output = {"status": "HANDED_OVER", "execution": other}
        return Execution(arn, "SUCCEEDED", dict(INPUT), output, None, None)

    monkeypatch.setattr(executions, "find_execution", find)
    return "monday"


def test_a_job_is_followed_where_it_was_handed_over(
    deployment: Deployment, handed_over: str
) -> None:
    arn = deployment.running(TRANSCRIPT.machine, handed_over)

    running = follow(deployment.site, handed_over, owner="", visible="talk")
    deployment.stop(arn)
    stopped = follow(deployment.site, handed_over, owner="", visible="talk")

    assert running is not None
    assert running.execution is not None
    assert (running.state, running.execution.arn) == ("RUNNING", arn)
    assert stopped is not None
    assert stopped.execution is not None
    assert (stopped.state, stopped.execution.arn) == ("FAILED", arn)


def test_a_job_that_was_handed_over_long_ago_is_that_of_its_row(
    deployment: Deployment, handed_over: str
) -> None:
    lost = follow(deployment.site, handed_over, owner="", visible="")
    other = LOCAL_NAMES.execution_arn(TRANSCRIPT.machine, handed_over)
    deployment.record(handed_over, other, status="QUARANTINED", error="NoAudio", unclaimed="true")
    recorded = follow(deployment.site, handed_over, owner="", visible="")

    assert lost is not None
    assert lost.state == "FAILED"
    assert recorded is not None
    assert (recorded.state, recorded.execution) == ("QUARANTINED", None)
