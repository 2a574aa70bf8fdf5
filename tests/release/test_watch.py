"""Live images are scanned again and their critical findings counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.functions.image_watch.watch import Watch
from pipeline.functions.release_gate.policy import Waiver
from tests.release.moto_releases import release_services
from tests.release.release_aws import ReleaseAws

REPOSITORY = "matteline/edge-refiner"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {}, "layers": []})
DAILY = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


WAIVERS = tuple(
    Waiver(cve, container, until, "never called", "Ada")
    for cve, container, until in [
        ("CVE-WAIVED", "edge-refiner", date(2999, 12, 31)),
        ("CVE-LAPSED", "edge-refiner", date(2020, 1, 1)),
        ("CVE-OF-ANOTHER", "media-inspector", date(2999, 12, 31)),
    ]
)


@pytest.fixture
def aws() -> ReleaseAws:
    return ReleaseAws(smoke_test=lambda _: None)


@pytest.fixture
def watch(aws: ReleaseAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws(), release_services(aws):
        dynamodb, ecr = boto3.client("dynamodb"), boto3.client("ecr")
        dynamodb.create_table(
            TableName="releases",
            KeySchema=[{"AttributeName": "release_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "release_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        ecr.create_repository(repositoryName=REPOSITORY)
        repositories = {"edge-refiner": REPOSITORY}
        yield Watch(dynamodb, ecr, "releases", "Matteline/test", repositories, WAIVERS)


def make_live(watch: Watch) -> str:
    image = watch.ecr.put_image(
        repositoryName=REPOSITORY, imageManifest=MANIFEST, imageTag="1.0.0"
    )["image"]
    digest: str = image["imageId"]["imageDigest"]
    row = {
        "release_id": {"S": "edge-refiner"},
        "digest": {"S": digest},
        "live": {"S": "1.0.0"},
    }
    watch.dynamodb.put_item(TableName="releases", Item=row)
    return digest


def find(aws: ReleaseAws, digest: str, *names: str, severity: str = "CRITICAL") -> None:
    aws.scan(digest).findings = [{"name": name, "severity": severity} for name in names]


def basic(digest: str) -> dict[str, Any]:
    detail = {"repository-name": REPOSITORY, "image-digest": digest}
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


def test_critical_findings_of_a_live_image_are_counted(
    watch: Watch, aws: ReleaseAws, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)
    find(aws, digest, "CVE-1", "CVE-2")

    watch.look(basic(digest))
    watch.look(enhanced(digest))

    assert counted(capsys) == [2, 2]


def test_critical_findings_are_counted_every_day_while_they_last(
    watch: Watch, aws: ReleaseAws, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)
    find(aws, digest, "CVE-1")

    looks = [watch.look(DAILY)["edge-refiner"]["critical"] for _ in range(2)]
    find(aws, digest)
    looks.append(watch.look(DAILY)["edge-refiner"]["critical"])

    assert looks == [("CVE-1",), ("CVE-1",), ()]
    assert counted(capsys) == [1, 1]


def test_a_waiver_counts_as_it_does_at_the_gate(watch: Watch, aws: ReleaseAws) -> None:
    digest = make_live(watch)
    find(aws, digest, "CVE-WAIVED", "CVE-LAPSED", "CVE-OF-ANOTHER")

    found = watch.look(basic(digest))

    assert found == {"edge-refiner": ("CVE-LAPSED", "CVE-OF-ANOTHER")}


def test_other_images_and_lesser_findings_are_not_counted(
    watch: Watch, aws: ReleaseAws, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)
    find(aws, digest, "CVE-1", severity="HIGH")

    assert watch.report(basic(f"sha256:{'0' * 64}")) == {}
    assert watch.report(basic(digest)) == {"edge-refiner": ()}
    assert counted(capsys) == []


def test_the_metric_is_in_cloudwatchs_embedded_format(
    watch: Watch, aws: ReleaseAws, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = make_live(watch)
    find(aws, digest, "CVE-1")

    watch.report(basic(digest))

    (line,) = capsys.readouterr().out.splitlines()
    (metric,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Matteline/test"
    assert metric["Metrics"] == [{"Name": "critical-findings", "Unit": "Count"}]
    assert json.loads(line)["said"] == "CVE-1"


def test_a_live_image_is_scanned_at_most_once_a_day(watch: Watch) -> None:
    make_live(watch)

    scans = [watch.look(DAILY)["edge-refiner"]["scan"] for _ in range(2)]

    assert scans == ["IN_PROGRESS", "LimitExceededException"]


def test_before_the_first_release_there_is_nothing_to_scan(watch: Watch) -> None:
    assert watch.look(DAILY) == {}


def test_any_other_event_raises(watch: Watch) -> None:
    with pytest.raises(ValueError, match=r"source 'aws\.s3'"):
        watch.report({"source": "aws.s3", "detail": {}})


def test_the_gpu_image_of_a_live_version_is_watched_too(
    watch: Watch, aws: ReleaseAws, capsys: pytest.CaptureFixture[str]
) -> None:
    own = make_live(watch)
    gpu = f"sha256:{'1' * 64}"
    other = json.dumps({**json.loads(MANIFEST), "config": {"size": 2}})
    watch.ecr.put_image(
        repositoryName=REPOSITORY, imageManifest=other, imageTag="1.0.0-gpu", imageDigest=gpu
    )
    find(aws, gpu, "CVE-1")

    watch.look(basic(gpu))
    with_gpus = replace(watch, with_gpu_image={"edge-refiner"})
    reported, daily = with_gpus.look(basic(gpu)), with_gpus.look(DAILY)

    assert own != gpu
    assert reported == {"edge-refiner": ("CVE-1",)}
    assert {name: each["scan"] for name, each in daily.items()} == {
        "edge-refiner": "IN_PROGRESS",
        "edge-refiner-gpu": "IN_PROGRESS",
    }
    assert {name: each["critical"] for name, each in daily.items()} == {
        "edge-refiner": (),
        "edge-refiner-gpu": ("CVE-1",),
    }
    assert counted(capsys) == [1, 1]  # nothing was counted where jobs have no GPUs
