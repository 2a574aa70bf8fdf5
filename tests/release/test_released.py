"""Images become live: canary, wait for scan and stack, rollback."""

from __future__ import annotations

from typing import Any

from pipeline.local.deployment import NAMES
from tests.release.driver import Releases

DEPLOY_ROLE = "arn:aws:iam::123456789012:role/matteline-local-deploy-edge-refiner"


def test_a_good_image_becomes_live_and_its_release_is_announced(releases: Releases) -> None:
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


def test_a_release_is_recorded_and_releases_its_claim(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.1.0")

    execution = releases.release("edge-refiner", "1.1.0")

    version, container = releases.row("edge-refiner@1.1.0"), releases.row("edge-refiner")
    assert (version["status"], version["digest"]) == ("RELEASED", digest)
    assert version["execution"] == execution.arn
    assert (container["live"], container["digest"]) == ("1.1.0", digest)
    assert (container["status"], container["held_until"]) == ("RELEASED", "0")


def test_an_update_changes_only_parameters_and_uses_the_containers_deploy_role(
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


def test_each_update_has_its_own_valid_request_token(releases: Releases) -> None:
    """EventBridge puts underscores in execution names; a token may not contain them."""
    releases.push("edge-refiner", "1.2.1")

    releases.release("edge-refiner", "1.2.1")
    releases.release("edge-refiner", "1.2.0", action="rollback")

    tokens = [each["ClientRequestToken"] for each in releases.stack("edge-refiner").requests[-2:]]
    assert len(set(tokens)) == 2
    assert all(token.isalnum() and len(token) == 64 for token in tokens)


def test_a_release_waits_for_a_running_scan(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.3.0")
    releases.aws.scan(digest).statuses = ["NOT_BEGUN", "PENDING", "IN_PROGRESS", "COMPLETE"]

    execution = releases.release("edge-refiner", "1.3.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert releases.states_of(execution).count("WaitForScan") == 3


def test_an_active_enhanced_scan_counts_as_complete(releases: Releases) -> None:
    digest = releases.push("edge-refiner", "1.4.0")
    releases.aws.scan(digest).statuses = ["ACTIVE"]
    releases.aws.scan(digest).enhanced = [finding("CVE-2026-1", "LOW")]

    execution = releases.release("edge-refiner", "1.4.0")

    assert execution.status == "SUCCEEDED", execution.reason


def test_a_release_waits_for_its_canary(releases: Releases) -> None:
    releases.push("edge-refiner", "1.5.0")
    releases.stack("edge-refiner").ahead = ["UPDATE_IN_PROGRESS"] * 5

    execution = releases.release("edge-refiner", "1.5.0")

    assert execution.status == "SUCCEEDED", execution.reason
    assert releases.states_of(execution).count("WaitForStack") == 5


def test_a_release_succeeds_while_cloudformation_still_deletes_old_resources(
    releases: Releases,
) -> None:
    releases.push("edge-refiner", "1.5.1")
    releases.stack("edge-refiner").ahead = ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]

    assert releases.release("edge-refiner", "1.5.1").status == "SUCCEEDED"
    releases.stack("edge-refiner").status = "UPDATE_COMPLETE"


def test_a_rollback_shifts_all_traffic_at_once_without_scan_gate_or_alarms(
    releases: Releases,
) -> None:
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
