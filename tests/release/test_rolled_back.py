"""Updates that start and fail, and releases of one container at the same time."""

from __future__ import annotations

import pytest

from tests.release.driver import Releases
from tests.release.release_aws import event

CONTAINER = "model-downloader"


@pytest.fixture(autouse=True)
def stack_settles(releases: Releases) -> None:
    releases.stack(CONTAINER).status = "UPDATE_COMPLETE"


def test_a_canary_in_alarm_is_rolled_back_and_recorded(releases: Releases) -> None:
    releases.push(CONTAINER, "1.0.0")
    releases.release(CONTAINER, "1.0.0")
    digest = releases.push(CONTAINER, "1.1.0")
    stack = releases.stack(CONTAINER)
    stack.ahead = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"]
    stack.fails = "CodeDeploy deployment d-1 failed: alarm matteline-local-errors"

    execution = releases.release(CONTAINER, "1.1.0")
    stack.fails = None

    assert (execution.status, execution.error) == ("FAILED", "RolledBack")
    assert "LiveAlias: CodeDeploy deployment d-1 failed: alarm" in execution.reason
    assert "UPDATE_ROLLBACK_COMPLETE" in execution.reason
    assert stack.parameters["ReleaseVersion"] == "1.0.0"
    row = releases.row(CONTAINER)
    assert (row["live"], row["tried"], row["error"]) == ("1.0.0", "1.1.0", "RolledBack")
    assert row["digest"] != digest
    assert releases.row(f"{CONTAINER}@1.1.0") == {}
    (announcement,) = releases.announced(execution)
    assert (announcement["kind"], announcement["error"]) == ("Container Not Released", "RolledBack")


def test_a_version_that_was_rolled_back_is_no_rollback_target(releases: Releases) -> None:
    releases.push(CONTAINER, "1.2.0")
    releases.stack(CONTAINER).fails = "no"
    releases.release(CONTAINER, "1.2.0")
    releases.stack(CONTAINER).fails = None

    execution = releases.release(CONTAINER, "1.2.0", action="rollback")

    assert execution.error == "RejectedRollback"


def test_failures_of_an_earlier_update_are_not_reported(releases: Releases) -> None:
    releases.push(CONTAINER, "1.3.0")
    stack = releases.stack(CONTAINER)
    stack.events = [event("Other", "UPDATE_FAILED", "of an earlier release", "another token")]
    stack.ahead = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    arn = releases.start({"container": CONTAINER, "version": "1.3.0", "action": "deploy"})

    execution = releases.wait_for(arn)

    assert execution.error == "RolledBack"
    assert "CloudFormation gives no reason" in execution.reason


def test_a_failed_rollback_asks_for_a_manual_one(releases: Releases) -> None:
    releases.push(CONTAINER, "1.4.0")
    releases.stack(CONTAINER).ahead = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]

    execution = releases.release(CONTAINER, "1.4.0")

    assert (execution.status, execution.error) == ("FAILED", "RollbackFailed")
    assert "continue the stack's rollback in CloudFormation" in execution.reason


@pytest.mark.parametrize(
    ("ahead", "word"),
    [(["UPDATE_IN_PROGRESS"] * 200, "UPDATE_IN_PROGRESS"), (["A_NEW_WORD"], "A_NEW_WORD")],
)
def test_an_update_that_does_not_end_in_time_or_in_a_known_status_is_unclear(
    releases: Releases, ahead: list[str], word: str
) -> None:
    version = f"1.5.{len(ahead)}"
    releases.push(CONTAINER, version)
    releases.stack(CONTAINER).ahead = list(ahead)

    execution = releases.release(CONTAINER, version)
    releases.stack(CONTAINER).ahead = []

    assert (execution.status, execution.error) == ("FAILED", "ReleaseUnclear")
    assert f"is {word}" in execution.reason


def test_of_two_concurrent_releases_the_second_is_rejected(
    releases: Releases,
) -> None:
    releases.push(CONTAINER, "1.6.0")
    releases.push(CONTAINER, "1.7.0")
    stack = releases.stack(CONTAINER)
    stack.ahead = ["UPDATE_IN_PROGRESS"] * 60
    first = releases.start({"container": CONTAINER, "version": "1.6.0", "action": "deploy"})
    releases.wait_until_held(CONTAINER, first)

    second = releases.release(CONTAINER, "1.7.0")

    assert (second.status, second.error) == ("FAILED", "RejectedBusy")
    assert f"is being released as 1.6.0 by {first}" in second.reason
    assert releases.wait_for(first).status == "SUCCEEDED"
    assert stack.parameters["ReleaseVersion"] == "1.6.0"
    assert releases.row(CONTAINER)["live"] == "1.6.0"


def test_two_containers_may_be_released_at_once(releases: Releases) -> None:
    versions = {"edge-refiner": "8.0.0", "media-inspector": "8.0.0"}
    for container, version in versions.items():
        releases.push(container, version)

    started = [
        releases.start({"container": container, "version": version, "action": "deploy"})
        for container, version in versions.items()
    ]

    assert [releases.wait_for(arn).status for arn in started] == ["SUCCEEDED", "SUCCEEDED"]


def test_the_claim_of_a_dead_execution_ends_with_its_lease(
    releases: Releases,
) -> None:
    releases.push(CONTAINER, "1.8.0")
    releases.hold(CONTAINER, execution="arn:dead", until=1)

    assert releases.release(CONTAINER, "1.8.0").status == "SUCCEEDED"

    releases.push(CONTAINER, "1.9.0")
    releases.hold(CONTAINER, execution="arn:alive", until=9_999_999_999)
    assert "by arn:alive" in releases.release(CONTAINER, "1.9.0").reason
    releases.hold(CONTAINER, execution="arn:alive", until=0)
