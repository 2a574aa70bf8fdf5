"""The ways a container gets live."""

from __future__ import annotations

from typing import Any

from pipeline.local.deployment import NAMES
from tests.release.driver import Releases

DEPLOY_ROLE = "arn:aws:iam::123456789012:role/matteline-local-deploy-edge-refiner"


def test_a_good_image_becomes_live_and_everybody_hears_of_it(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.0.0")

    execution = releases.release("edge-refiner", "1.0.0")

    assert execution.status == "SUCCEEDED", execution.reason
    release = {"container": "edge-refiner", "version": "1.0.0", "action": "deploy"}
    assert execution.output == {"status": "RELEASED", **release, "digest": digest}
    assert releases.stack("edge-refiner").parameters == {
        "ImageDigestHex": digest.removeprefix("sha256:"),
        "ReleaseVersion": "1.0.0",
        "TrafficShift": "canary",
    }
    assert releases.announced(execution) == [
        {"kind": "Container Released", **release, "digest": digest, "execution": execution.arn}
    ]


def test_a_release_is_recorded_and_the_next_one_may_come(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.1.0")

    execution = releases.release("edge-refiner", "1.1.0")

    version, container = releases.row("edge-refiner@1.1.0"), releases.row("edge-refiner")
    assert (version["status"], version["digest"]) == ("RELEASED", digest)
    assert version["execution"] == execution.arn
    assert (container["live"], container["digest"]) == ("1.1.0", digest)
    assert (container["status"], container["held_until"]) == ("RELEASED", "0")


def test_the_stack_is_updated_with_nothing_but_its_parameters_and_a_role_of_its_own(
    releases: Releases,
) -> None:
    releases.push("edge-refiner", "1.2.0")

    releases.release("edge-refiner", "1.2.0")

    request = releases.stack("edge-refiner").requests[-1]
    assert request["UsePreviousTemplate"] is True
    assert request["RoleARN"] == DEPLOY_ROLE
    assert {each["ParameterKey"] for each in request["Parameters"]} == {
        "ImageDigestHex",
        "ReleaseVersion",
        "TrafficShift",
    }
    assert request["RollbackConfiguration"]["RollbackTriggers"] == [
        {
            "Arn": NAMES.release_alarm_arn("edge-refiner"),
            "Type": "AWS::CloudWatch::CompositeAlarm",
        }
    ]


def test_the_update_is_marked_so_that_asking_twice_is_asking_once(releases: Releases) -> None:
    """Names that EventBridge gives executions have an underscore, which a token may not have."""
    releases.push("edge-refiner", "1.2.1")

    releases.release("edge-refiner", "1.2.1")
    releases.release("edge-refiner", "1.2.0", action="rollback")

    tokens = [each["ClientRequestToken"] for each in releases.stack("edge-refiner").requests[-2:]]
    assert len(set(tokens)) == 2
    assert all(token.isalnum() and len(token) == 64 for token in tokens)


def test_a_scan_that_is_not_over_is_waited_for(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.3.0")
    releases.aws.scan(digest).statuses = ["NOT_BEGUN", "PENDING", "IN_PROGRESS", "COMPLETE"]

    execution = releases.release("edge-refiner", "1.3.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert releases.states_of(execution).count("WaitForScan") == 3


def test_an_enhanced_scan_is_over_when_it_is_active(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.4.0")
    releases.aws.scan(digest).statuses = ["ACTIVE"]
    releases.aws.scan(digest).enhanced = [finding("CVE-2026-1", "LOW")]

    execution = releases.release("edge-refiner", "1.4.0")

    assert execution.status == "SUCCEEDED", execution.reason


def test_a_canary_is_waited_for(releases: Releases) -> None:
    releases.push("edge-refiner", "1.5.0")
    releases.stack("edge-refiner").ahead = ["UPDATE_IN_PROGRESS"] * 5

    execution = releases.release("edge-refiner", "1.5.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert releases.states_of(execution).count("WaitForStack") == 5


def test_old_functions_may_still_be_cleared_away(releases: Releases) -> None:
    releases.push("edge-refiner", "1.5.1")
    releases.stack("edge-refiner").ahead = ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]

    assert releases.release("edge-refiner", "1.5.1").status == "SUCCEEDED"
    releases.stack("edge-refiner").status = "UPDATE_COMPLETE"


def test_an_older_version_comes_back_at_once_and_whatever_alarm_is_on(releases: Releases) -> None:
    old = releases.push("media-inspector", "2.0.0")
    releases.push("media-inspector", "2.1.0")
    releases.release("media-inspector", "2.0.0")
    releases.release("media-inspector", "2.1.0")

    execution = releases.release("media-inspector", "2.0.0", action="rollback")

    assert execution.status == "SUCCEEDED", execution.reason
    assert not {"FindScan", "JudgeImage"} & set(releases.states_of(execution))
    stack = releases.stack("media-inspector")
    assert stack.parameters == {
        "ImageDigestHex": old.removeprefix("sha256:"),
        "ReleaseVersion": "2.0.0",
        "TrafficShift": "all-at-once",
    }
    assert not stack.requests[-1]["RollbackConfiguration"]["RollbackTriggers"]
    assert releases.row("media-inspector")["live"] == "2.0.0"
    assert [event["action"] for event in releases.announced(execution)] == ["rollback"]


def finding(cve: str, severity: str) -> dict[str, Any]:
    return {
        "severity": severity,
        "status": "ACTIVE",
        "packageVulnerabilityDetails": {"vulnerabilityId": cve},
    }
