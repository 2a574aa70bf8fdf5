"""What manifests declare is enough for every task, and is all that a task gets."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from tests.conftest import ROOT
from tests.execution.api import User, job, prefix_of, wait_for
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.execution.gate import Gate
from tests.models import Shelf
from tests.pictures import png, square

WHITE = png(np.full((48, 64, 3), 255, np.uint8))


@dataclass
class Guarded:
    driver: Driver
    gate: Gate

    def doers(self) -> set[str]:
        """The functions that were let through so far, less the models they are for."""
        containers = [each.name for each in self.driver.cloud.blueprint.containers]
        names = {request.function for request in self.gate.passed}
        return {each for each in containers if any(each in name for name in names)}


@pytest.fixture(scope="module")
def guarded(shelf: Shelf) -> Iterator[Guarded]:
    """A cloud in which every function has its own name, and the declared access."""
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    gate, faults = Gate(blueprint), Faults()
    with local_cloud(
        blueprint,
        weights_mirror=shelf.mirror,
        adjust=gate.mark,
        wrap=lambda app: gate.wrap(faults.wrap(app)),
    ) as cloud:
        yield Guarded(Driver(cloud, faults), gate)


def test_a_photo_whose_weights_are_not_staged_needs_no_more_than_is_declared(
    guarded: Guarded,
) -> None:
    outputs = "cutout,mask,preview"
    execution = guarded.driver.drop(png(square()), "in/cat.png", outputs=outputs, format="webp")

    assert execution.status == "SUCCEEDED", execution.reason
    assert guarded.gate.refused == []
    assert guarded.doers() == {
        "media-inspector", "model-downloader", "background-remover", "edge-refiner",
    }  # fmt: skip


@pytest.mark.parametrize("model", ["pointer", "pointer2"])
def test_a_photo_with_prompts_needs_no_more_than_is_declared(guarded: Guarded, model: str) -> None:
    point = '[{"points": [{"x": 16, "y": 24}]}]'
    execution = guarded.driver.drop(WHITE, f"in/{model}.png", model=model, prompts=point)

    assert execution.status == "SUCCEEDED", execution.reason
    assert guarded.gate.refused == []
    kept = [each.key for each in guarded.gate.passed if each.key.startswith("embeddings/")]
    assert kept


def test_the_api_needs_no_more_than_is_declared(guarded: Guarded) -> None:
    driver, ada = guarded.driver, User(guarded.driver.cloud.api, "ada")
    key = f"{prefix_of(ada)}in/cat.png"
    dropped = driver.drop(png(square()), key)
    bad = driver.drop(b"no photo", f"{prefix_of(ada)}in/letter.txt")
    guarded.gate.passed.clear()

    assert job(ada, ada.upload()["id"])["state"] == "waiting"
    for name in (dropped.name, dropped.output["job_id"]):
        assert job(ada, name)["results"]
    assert job(ada, bad.name)["error"]["name"] == "UnsupportedMedia"
    assert ada.ask("GET", "/jobs").status == 200
    for size in (1, 1, 2):
        body = {"name": "cat.png", "bytes": size}
        answer = ada.ask("POST", "/uploads", body=body, idempotency_key="one")
        assert answer.status == (201 if size == 1 else 409)
    started = ada.ask("POST", "/jobs", body={"key": key, "force": True}).json()
    wait_for(ada, started["id"], "done")
    again = ada.ask("POST", f"/jobs/{started['id']}/replay", body={"force": True}).json()
    assert again["state"] == "running"
    assert ada.ask("DELETE", f"/jobs/{again['id']}").status in {200, 409}
    assert wait_for(ada, again["id"], "done", "failed")

    assert guarded.gate.refused == []
    used = {each.action for each in guarded.gate.passed if "http-api" in each.function}
    assert {"StartExecution", "DescribeExecution", "GetExecutionHistory"} <= used
    assert {"GetItem", "Query", "PutItem", "UpdateItem", "list", "read"} <= used


def test_a_photo_in_a_bucket_we_may_not_read_is_quarantined_with_what_to_do(
    guarded: Guarded,
) -> None:
    driver, other = guarded.driver, guarded.driver.new_bucket()
    driver.put(png(square()), "theirs.png", to=other)

    execution = driver.start({"bucket": other, "key": "theirs.png"})

    refused = guarded.gate.refused
    asked = [refused.pop().bucket for _ in range(len(refused))]
    assert asked == [other, other]  # by HEAD, then by GET for the reason
    assert (execution.status, execution.error) == ("FAILED", "SourceForbidden")
    reason = driver.reason(execution)
    assert reason["error"] == "SourceForbidden"
    assert reason["hint"].startswith("Copy the file to the ingest bucket")
    row = driver.record(execution.name)
    assert (row["status"], row["error"]) == ("QUARANTINED", "SourceForbidden")


@pytest.mark.parametrize(
    ("function", "method", "bucket", "key"),
    [
        ("background-remover-brightness", "get_object", "models", "pointer/0123/manifest.json"),
        ("background-remover-brightness", "put_object", "output", "cat_bg_removed.png"),
        ("background-remover-brightness", "put_object", "work", "embeddings/1/0123/45.npz"),
        ("media-inspector", "delete_object", "ingest", "cat.png"),
        ("http-api", "put_object", "output", "cat_bg_removed.png"),
        ("http-api", "delete_object", "ingest", "cat.png"),
        ("model-downloader", "delete_object", "models", "brightness/0123/manifest.json"),
    ],
)
def test_the_gate_is_closed(
    guarded: Guarded, function: str, method: str, bucket: str, key: str
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=guarded.driver.cloud.endpoint,
        aws_access_key_id=f"matteline-local-{function}",
        aws_secret_access_key="any",  # noqa: S106
        region_name="us-east-1",
    )
    call = functools.partial(getattr(client, method), Bucket=NAMES.bucket(bucket), Key=key)

    with pytest.raises(ClientError, match=r"AccessDenied"):
        call()
    assert guarded.gate.refused.pop().key == key
