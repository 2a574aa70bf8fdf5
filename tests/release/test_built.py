"""A finished build starts its release."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.local.deployment import NAMES
from tests.release.driver import Releases

CONTAINER = "media-inspector"
ARN = "arn:aws:codebuild:us-east-1:123456789012:build/p:1"


def build_of(container: str, version: str, digest: str, **other: Any) -> dict[str, Any]:
    exported = {"CONTAINER_NAME": container, "IMAGE_TAG": version, "IMAGE_DIGEST": digest}
    return {
        "id": "p:1",
        "projectName": NAMES.build_project(container),
        "buildStatus": "SUCCEEDED",
        "environment": {"environmentVariables": []},
        "exportedEnvironmentVariables": [
            {"name": name, "value": value} for name, value in exported.items()
        ],
        **other,
    }


def event_of(build_id: str = ARN) -> dict[str, Any]:
    return {
        "version": "0",
        "source": "aws.codebuild",
        "detail-type": "CodeBuild Build State Change",
        "detail": {"build-status": "SUCCEEDED", "project-name": "p", "build-id": build_id},
    }


def test_a_build_is_released_with_the_version_and_digest_it_exported(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "5.0.0")
    releases.aws.builds[ARN] = build_of(CONTAINER, "5.0.0", digest)

    execution = releases.run(event_of())

    assert execution.status == "SUCCEEDED", execution.reason
    assert execution.output["version"] == "5.0.0"
    assert releases.stack(CONTAINER).parameters["ImageDigestHex"] == digest.removeprefix("sha256:")


def test_a_rehearsal_releases_nothing_and_succeeds(releases: Releases) -> None:
    before = len(releases.stack(CONTAINER).requests)
    rehearsal = {"environmentVariables": [{"name": "REHEARSAL", "value": "1"}]}
    releases.aws.builds[ARN] = build_of(CONTAINER, "", "", environment=rehearsal)

    execution = releases.run(event_of())

    assert execution.status == "SUCCEEDED", execution.reason
    assert releases.states_of(execution)[-1] == "Rehearsed"
    assert len(releases.stack(CONTAINER).requests) == before


def test_a_build_is_rejected_when_its_tag_names_another_image(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "5.1.0")
    built = f"sha256:{'a' * 64}"
    releases.aws.builds[ARN] = build_of(CONTAINER, "5.1.0", built)

    execution = releases.run(event_of())

    assert execution.error == "RejectedVersion"
    assert f"the build pushed {built}, but {digest} is tagged 5.1.0" in execution.reason


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (
            build_of(CONTAINER, "5.2.0", "sha256:1", projectName=NAMES.build_project("x")),
            "CONTAINER_NAME 'media-inspector', but its project builds x",
        ),
        (build_of(CONTAINER, "", f"sha256:{'a' * 64}"), "IMAGE_TAG '', not a version"),
        (build_of(CONTAINER, "5.2.0", ""), "IMAGE_DIGEST '', not a digest"),
        (build_of(CONTAINER, "5.2.0", "", buildStatus="FAILED"), "is FAILED"),
        (build_of(CONTAINER, "5.2.0", "", projectName="somebody-elses"), "of somebody-elses"),
        (
            build_of(CONTAINER, "5.2.0", "", exportedEnvironmentVariables=[]),
            "exported CONTAINER_NAME '', but its project builds media-inspector; IMAGE_TAG '', not",
        ),
    ],
)
def test_a_build_with_missing_or_wrong_exports_is_rejected(
    releases: Releases, build: dict[str, Any], problem: str
) -> None:
    releases.aws.builds[ARN] = build

    execution = releases.run(event_of())

    assert (execution.status, execution.error) == ("FAILED", "RejectedRequest")
    assert problem in execution.reason


def test_an_event_of_an_unknown_build_is_rejected(releases: Releases) -> None:
    execution = releases.run(event_of("arn:gone"))

    assert (execution.error, "has no build arn:gone" in execution.reason) == (
        "RejectedRequest",
        True,
    )


def test_a_finished_build_starts_its_release(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "5.9.0")
    releases.aws.builds[ARN] = build_of(CONTAINER, "5.9.0", digest)
    detail = {
        "build-status": "SUCCEEDED",
        "project-name": NAMES.build_project(CONTAINER),
        "build-id": ARN,
    }

    releases.cloud.client("events").put_events(
        Entries=[
            {
                "Source": "aws.codebuild",
                "DetailType": "CodeBuild Build State Change",
                "Detail": json.dumps(detail),
            }
        ]
    )

    releases.wait_until_live(CONTAINER, "5.9.0")
    assert releases.row(CONTAINER)["digest"] == digest
