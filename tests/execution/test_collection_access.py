"""What the vector index declares is enough for every action of a collection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from tests.conftest import ROOT
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.execution.gate import Gate
from tests.faces.collecting import Runs
from tests.faces.user import People
from tests.models import Shelf
from tests.small_models import people, stock_small_models

RECORD: Final = "group_faces.record.json"
INDEX: Final = NAMES.function("vector-index")
# What its role allows on indexes of S3 Vectors, in infra/grants.py.
ON_VECTORS: Final = {
    "CreateIndex", "DeleteIndex", "DeleteVectors", "GetVectors", "ListVectors", "PutVectors",
    "QueryVectors",
}  # fmt: skip


@pytest.fixture(scope="module")
def gate(shelf: Shelf) -> Gate:
    overlays = (shelf.catalogue, stock_small_models(shelf.folder))
    return Gate(Blueprint.read(ROOT, defaults=("brightness",), overlays=overlays))


@pytest.fixture(scope="module")
def driver(shelf: Shelf, gate: Gate) -> Iterator[Driver]:
    """A cloud in which every function has its own name, and the declared access."""
    with local_cloud(
        gate.blueprint, weights_mirror=shelf.mirror, adjust=gate.mark, wrap=gate.wrap
    ) as cloud:
        yield Driver(cloud, Faults())


def find(driver: Driver) -> list[Any]:
    """Return the matches of all faces in the photo that was enrolled."""
    job = {
        "schema": 1, "action": "search", "scope": "collection", "collection": "staff",
        "execution": "a test", "asked_by": "a test", "asked_at": "2026-11-30T12:00:00Z",
        "collections_bucket": NAMES.bucket("collections"),
        "vector_bucket": NAMES.vector_bucket("collections"),
        "output_bucket": NAMES.bucket("output"), "query": {"record": RECORD}, "threshold": 0.99,
    }  # fmt: skip
    answer = driver.cloud.client("lambda").invoke(FunctionName=INDEX, Payload=json.dumps(job))
    queries = json.loads(answer["Payload"].read())["queries"]
    return [match for query in queries for match in query["matches"]]


def test_every_action_needs_no_more_than_is_declared(driver: Driver, gate: Gate) -> None:
    runs = Runs(driver)
    assert People(driver).ask(people(), "group.png", embed="true").status == "SUCCEEDED"
    assert runs.create("staff").status == "SUCCEEDED"
    runs.result(action="enroll", collection="staff", records=[RECORD], person="ada")
    assert find(driver)
    runs.result(action="export", collection="staff", person="ada")
    runs.result(action="compact", collection="staff", force=True)
    runs.result(action="move", collection="staff", to="s3-vectors")
    assert find(driver)
    runs.result(action="forget", collection="staff", person="ada")
    runs.result(action="enroll", collection="staff", records=[RECORD], person="bo")
    runs.result(action="compact", collection="staff", force=True)
    assert runs.ask(machine="compact-collections").status == "SUCCEEDED"
    runs.result(action="delete", collection="staff")

    assert gate.refused == []
    used = [each for each in gate.passed if each.function == INDEX]
    assert {each.action for each in used if each.service == "s3"} >= {"read", "put", "erase"}
    on_vectors = {each.action for each in used if each.service == "s3vectors"}
    assert {"CreateIndex", "PutVectors", "QueryVectors", "DeleteVectors"} <= on_vectors
    assert on_vectors <= ON_VECTORS


@pytest.mark.parametrize("function", ["http-api", "face-embedder-face-api-resnet34"])
def test_nothing_else_reads_a_collection(driver: Driver, gate: Gate, function: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=driver.cloud.endpoint,
        aws_access_key_id=f"matteline-local-{function}",
        aws_secret_access_key="any",  # noqa: S106
        region_name="us-east-1",
    )

    with pytest.raises(ClientError, match=r"AccessDenied"):
        client.list_objects_v2(Bucket=NAMES.bucket("collections"))
    assert gate.refused.pop().bucket == NAMES.bucket("collections")
