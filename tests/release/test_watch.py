"""What is live is scanned again, and what turns up in it is counted; other images are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.functions.image_watch.watch import Watch

REPOSITORY = "matteline/edge-refiner"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {}, "layers": []})
WEEKLY = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb, ecr = boto3.client("dynamodb"), boto3.client("ecr")
        dynamodb.create_table(
            TableName="releases",
            KeySchema=[{"AttributeName": "release_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "release_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        ecr.create_repository(repositoryName=REPOSITORY)
        yield Watch(dynamodb, ecr, "releases", "Matteline/test", {"edge-refiner": REPOSITORY})


def make_live(watch: Watch) -> str:
    image = watch.ecr.put_image(
        repositoryName=REPOSITORY, imageManifest=MANIFEST, imageTag="1.0.0"
    )["image"]
    digest: str = image["imageId"]["imageDigest"]
    row = {"release_id": {"S": "edge-refiner"}, "digest": {"S": digest}}
    watch.dynamodb.put_item(TableName="releases", Item=row)
    return digest


def basic(digest: str, critical: int) -> dict[str, Any]:
    counts = {"CRITICAL": critical} if critical else {"LOW": 1}
    detail = {
        "repository-name": REPOSITORY,
        "image-digest": digest,
        "finding-severity-counts": counts,
    }
    return {"source": "aws.ecr", "detail-type": "ECR Image Scan", "detail": detail}


def enhanced(digest: str) -> dict[str, Any]:
    image = {"repositoryName": REPOSITORY, "imageHash": digest}
    detail = {
        "severity": "CRITICAL",
        "status": "ACTIVE",
        "title": "CVE-2026-1 - libfoo",
        "resources": [{"details": {"awsEcrContainerImage": image}}],
    }
    return {"source": "aws.inspector2", "detail-type": "Inspector2 Finding", "detail": detail}


def counted(capsys: pytest.CaptureFixture[str]) -> list[int]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["critical-findings"] for line in lines]


def test_critical_findings_of_what_is_live_are_counted(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)

    watch.look(basic(digest, 2))
    watch.look(enhanced(digest))

    assert counted(capsys) == [2, 1]


def test_other_images_and_slighter_findings_are_not(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)

    watch.report(basic(f"sha256:{'0' * 64}", 2))
    watch.report(basic(digest, 0))

    assert counted(capsys) == []


def test_the_metric_is_one_that_cloudwatch_can_read(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch.report(basic(make_live(watch), 3))

    (line,) = capsys.readouterr().out.splitlines()
    (metric,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Matteline/test"
    assert metric["Metrics"] == [{"Name": "critical-findings", "Unit": "Count"}]


def test_what_is_live_is_scanned_again_and_at_most_once_a_day(watch: Watch) -> None:
    make_live(watch)

    assert watch.look(WEEKLY) == {"edge-refiner": "IN_PROGRESS"}
    assert watch.rescan() == {"edge-refiner": "LimitExceededException"}


def test_before_the_first_release_there_is_nothing_to_scan(watch: Watch) -> None:
    assert watch.rescan() == {}


def test_any_other_event_is_no_report(watch: Watch) -> None:
    with pytest.raises(ValueError, match=r"source 'aws\.s3'"):
        watch.report({"source": "aws.s3", "detail": {}})
