"""Every failed release and build is announced exactly once."""

from __future__ import annotations

from typing import Any, Final

import pytest

from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates

NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)


@pytest.fixture
def stack(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-releases"])


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"])
def test_every_failed_build_is_announced(stack: Deployed, status: str) -> None:
    patterns = [each.properties.get("EventPattern", {}) for each in stack.of("Events::Rule")]
    broken = [each for each in patterns if each.get("source") == ["aws.codebuild"]]

    assert [status in each["detail"]["build-status"] for each in broken] == [True]


@pytest.mark.parametrize(
    ("status", "error", "heard"),
    [
        ("FAILED", "States.TaskFailed", True),
        ("FAILED", "Lambda.Unknown", True),
        ("FAILED", "RolledBack", False),
        ("FAILED", "RejectedByGate", False),
        ("TIMED_OUT", None, True),
        ("ABORTED", None, True),
        ("SUCCEEDED", None, False),
    ],
)
def test_an_ended_release_is_announced_if_the_machine_did_not_do_it(
    stack: Deployed, status: str, error: str | None, *, heard: bool
) -> None:
    event = {
        "status": status,
        "error": error,
        "stateMachineArn": NAMES.unqualified_machine_arn("release-container"),
    }
    patterns = [each.properties.get("EventPattern", {}) for each in stack.of("Events::Rule")]
    details = [each["detail"] for each in patterns if each.get("source") == ["aws.states"]]

    assert any(_matches(detail, event) for detail in details) == heard


def test_eventbridge_may_use_the_topics_key_without_a_condition(
    stack: Deployed,
) -> None:
    topic = stack.one("SNS::Topic", TopicName=NAMES.release_topic())
    (key,) = [
        each
        for each in stack.of("KMS::Key")
        if topic.properties["KmsMasterKeyId"] == f"<{each.id}.Arn>"
    ]
    (grant,) = [
        each
        for each in key.properties["KeyPolicy"]["Statement"]
        if each["Principal"] == {"Service": "events.amazonaws.com"}
    ]

    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(grant["Action"])
    assert "Condition" not in grant


def _matches(detail: dict[str, Any], event: dict[str, Any]) -> bool:
    """Match an event as EventBridge does, for the patterns in use."""
    return all(
        any(
            event[name] not in wanted["anything-but"]
            if isinstance(wanted, dict)
            else event[name] == wanted
            for wanted in allowed
        )
        for name, allowed in detail.items()
    )
