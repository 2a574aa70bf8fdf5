"""Collections in S3, served by moto, with versioning and without: nothing is left of the erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.artifacts import Location
from pipeline.aws.s3 import S3Store
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import COLLECTIONS, INGEST, OUTPUT, Desk, vector


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture(params=[False, True], ids=["without versions", "versioned"])
def client(request: pytest.FixtureRequest, port: int) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - moto's
    )
    buckets = (COLLECTIONS, INGEST, OUTPUT)
    for bucket in buckets:
        client.create_bucket(Bucket=bucket)
        if request.param or bucket == INGEST:
            client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
    yield client
    for bucket in buckets:
        S3Store(client).erase_below(Location(bucket, ""))
        client.delete_bucket(Bucket=bucket)
    client.close()


@pytest.fixture
def desk(client: Any, tmp_path: Path) -> Desk:
    store = S3Store(client)
    settings = Settings(scratch=tmp_path / "scratch")
    return Desk(store, TaskContext(Workbench(root=ROOT, settings=settings, store=store)))


def versions(client: Any) -> list[str]:
    answer = client.list_object_versions(Bucket=COLLECTIONS)
    return [row["Key"] for row in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))]


def test_the_life_of_a_collection(desk: Desk, client: Any) -> None:
    desk.create()
    desk.enroll(desk.record("anna.jpg", [vector(1)]), person="anna")
    desk.enroll(desk.record("ben.jpg", [vector(2), vector(3)]), person="ben")
    (old, other) = desk.objects("collections/staff/segments/")

    assert desk.forget(person="ben").forgotten == 2
    assert desk.alive() == [("anna.jpg", 0, "anna")]
    assert desk.compact(force=True).erased == 2
    assert {old, other}.isdisjoint(versions(client))
    assert desk.alive() == [("anna.jpg", 0, "anna")]

    client.delete_object(Bucket=INGEST, Key="anna.jpg")
    assert desk.forget_source("anna.jpg").forgotten == 1
    assert desk.alive() == []
    desk.delete()
    assert {key.split("/")[0] for key in versions(client)} == {"receipts"}


def test_only_the_version_that_a_key_holds_stays(desk: Desk) -> None:
    desk.create()
    old = desk.record("anna.jpg", [vector(1)])
    desk.enroll(old, person="anna")
    desk.photo("anna.jpg", b"another photo")

    assert desk.forget_source("anna.jpg").forgotten == 1
    assert desk.alive() == []


def test_the_same_photo_uploaded_again_stays(desk: Desk) -> None:
    desk.create()
    desk.enroll(desk.record("anna.jpg", [vector(1)]), person="anna")
    desk.photo("anna.jpg")

    assert desk.forget_source("anna.jpg").forgotten == 0
    assert desk.alive() == [("anna.jpg", 0, "anna")]
