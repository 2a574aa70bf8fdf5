"""The ways a photo ends well."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng


def test_a_dropped_photo_becomes_a_cutout_beside_its_manifest(driver: Driver) -> None:
    photo = square()

    execution = driver.drop(png(photo), "done/cat.png")

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.keys("output", prefix="done/") == [
        "done/cat_bg_removed.json",
        "done/cat_bg_removed.png",
    ]
    cutout = unpng(driver.read(f"s3://{NAMES.bucket('output')}/done/cat_bg_removed.png"))
    assert cutout.shape == (96, 96, 4)
    assert np.array_equal(cutout[40:56, 40:56], np.full((16, 16, 4), 255))
    assert not cutout[:16].any()


def test_the_manifest_tells_how_the_picture_came_about(driver: Driver) -> None:
    content = png(square())

    execution = driver.drop(content, "told/cat.png")

    manifest = json.loads(driver.read(execution.output["manifest"]))
    (picture,) = manifest["pictures"]
    assert picture["uri"] == f"s3://{NAMES.bucket('output')}/told/cat_bg_removed.png"
    assert picture["sha256"] == hashlib.sha256(driver.read(picture["uri"])).hexdigest()
    assert manifest["source"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["source"]["version_id"]
    assert manifest["options"]["model"] == manifest["model"] == "brightness"
    assert not manifest["degraded"]
    assert manifest["refinement"]["mode"] == "auto"
    assert manifest["refinement"]["resolution"] == "full"
    assert manifest["refinement"]["budget_mb"] > 0
    assert manifest["refinement"]["kept_mask"] is None
    assert manifest["execution"] == execution.arn
    assert manifest["inspected_at"] < manifest["published_at"]
    assert manifest["tasks"]["RemoveBackground"]["provenance"]["container"] == "background-remover"
    assert manifest["tasks"]["RemoveBackground"]["metrics"]["subject_coverage"] == pytest.approx(
        (32 / 96) ** 2, abs=0.02
    )
    assert set(manifest["tasks"]) == {"Inspect", "RemoveBackground", "RefineEdges"}


def test_a_finished_job_is_recorded_as_done(driver: Driver) -> None:
    execution = driver.drop(png(square()), "recorded/cat.png")

    (record,) = driver.records_of("recorded/cat.png")
    assert record["job_id"] == execution.output["job_id"]
    assert record["status"] == "DONE"
    assert record["execution"] == execution.arn
    assert record["manifest"] == execution.output["manifest"]


def test_a_finished_cutout_is_announced(driver: Driver) -> None:
    sqs, events = driver.cloud.client("sqs"), driver.cloud.client("events")
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    events.put_rule(Name="listener", EventPattern='{"detail-type": ["Cutout Ready"]}')
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_targets(Rule="listener", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])

    execution = driver.drop(png(square()), "announced/cat.png")

    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    events.remove_targets(Rule="listener", Ids=["1"])
    events.delete_rule(Name="listener")
    assert event["source"] == "matteline"
    assert event["detail"]["job_id"] == execution.output["job_id"]
    assert event["detail"]["pictures"] == execution.output["pictures"]


def test_the_same_photo_dropped_again_is_a_duplicate_without_inference(driver: Driver) -> None:
    first = driver.drop(png(square()), "twice/cat.png")

    second = driver.drop(png(square()), "twice/cat.png")

    assert second.status == "SUCCEEDED"
    assert driver.states_of(second) == [
        "Inspect", "Claim", "FindFirstResult", "FirstDone?", "FindRecord", "RecordOwn?",
        "FindOutputs", "FindOutput", "Duplicate",
    ]  # fmt: skip
    assert second.output == {
        "status": "DUPLICATE",
        "job_id": first.output["job_id"],
        "first": {
            "status": "DONE",
            "execution": first.arn,
            "manifest": first.output["manifest"],
        },
    }
    (record,) = driver.records_of("twice/cat.png")
    assert record["execution"] == first.arn


def test_another_photo_under_the_same_key_is_a_job_of_its_own(driver: Driver) -> None:
    driver.drop(png(square(left=8)), "replaced/cat.png")

    second = driver.drop(png(square(left=56)), "replaced/cat.png")

    cutout = unpng(driver.read(second.output["pictures"][0]["uri"]))
    assert cutout[48, 72, 3] == 255
    assert len(driver.records_of("replaced/cat.png")) == 2


def test_force_runs_a_finished_job_again(driver: Driver) -> None:
    first = driver.drop(png(square()), "forced/cat.png")

    again = driver.start({"bucket": NAMES.bucket("ingest"), "key": "forced/cat.png", "force": True})

    assert again.status == "SUCCEEDED", again.reason
    assert "RemoveBackground" in driver.states_of(again)
    assert again.output["job_id"] == first.output["job_id"]
    (record,) = driver.records_of("forced/cat.png")
    assert (record["status"], record["execution"]) == ("DONE", again.arn)


def test_an_execution_started_by_hand_does_what_a_drop_does(driver: Driver) -> None:
    other = driver.new_bucket()
    driver.put(png(square()), "by hand.png", to=other)

    execution = driver.start({"bucket": other, "key": "by hand.png"})

    assert execution.status == "SUCCEEDED", execution.reason
    assert "by hand_bg_removed.png" in driver.keys("output")


def test_weights_are_staged_by_the_first_photo_and_found_by_the_next(driver: Driver) -> None:
    for key in driver.keys("models", prefix="brightness/"):
        driver.s3.delete_object(Bucket=NAMES.bucket("models"), Key=key)

    first = driver.drop(png(square()), "staged/first.png")
    second = driver.drop(png(square()), "staged/second.png")

    assert first.status == second.status == "SUCCEEDED"
    assert "StageWeights" in driver.states_of(first)
    assert "StageWeights" not in driver.states_of(second)
    staged = driver.keys("models", prefix="brightness/")
    assert [key.rpartition("/")[2] for key in staged] == ["brightness.onnx", "manifest.json"]


def test_the_options_of_an_execution_shape_its_pictures(driver: Driver) -> None:
    driver.drop(png(square()), "shaped/cat.png")

    execution = driver.start(
        {
            "bucket": NAMES.bucket("ingest"),
            "key": "shaped/cat.png",
            "options": {
                "format": "webp",
                "crop": True,
                "refine": "none",
                "outputs": ["cutout", "mask", "preview"],
            },
        }
    )

    assert execution.status == "SUCCEEDED", execution.reason
    kinds = {picture["kind"]: picture for picture in execution.output["pictures"]}
    assert kinds["cutout"]["uri"].endswith("shaped/cat_bg_removed.webp")
    assert kinds["mask"]["uri"].endswith("shaped/cat_mask.png")
    assert kinds["preview"]["uri"].endswith("shaped/cat_preview.webp")
    assert kinds["cutout"]["width"] == kinds["mask"]["width"] == pytest.approx(34, abs=4)


def test_object_metadata_and_key_prefix_choose_options(driver: Driver) -> None:
    execution = driver.drop(png(square()), "meta/cat.png", background="#ff0000", model="brightness")

    cutout = unpng(driver.read(execution.output["pictures"][0]["uri"]))
    assert cutout.shape == (96, 96, 3)
    assert cutout[2, 2].tolist() == [255, 0, 0]
    assert cutout[48, 48].tolist() == [255, 255, 255]
