"""Weights that cannot be had, vanish, or are not what they should be."""

from __future__ import annotations

import json

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.pictures import png, square


def test_weights_nobody_has_leave_the_staging_state_red(driver: Driver) -> None:
    execution = driver.drop(png(square()), "weights/missing.png", model="missing")

    assert (execution.status, execution.error) == ("FAILED", "States.TaskFailed")
    assert driver.states_of(execution)[-1] == "StageWeights"
    assert execution.reason.startswith("WeightsUnavailable: missing.onnx could not be fetched")
    assert driver.keys("models", prefix="missing/") == []


def test_weights_that_vanish_behind_their_manifest_are_staged_once_more(driver: Driver) -> None:
    driver.stage("vanishing")
    (_manifest, weights) = driver.keys("models", prefix="vanishing/")
    driver.s3.delete_object(Bucket=NAMES.bucket("models"), Key=weights)

    execution = driver.drop(png(square()), "weights/vanishing.png", model="vanishing")

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.task_errors(execution) == ["WeightsNotStaged"]
    assert driver.states_of(execution).count("StageWeights") == 1
    assert weights in driver.keys("models")


def test_tampered_weights_are_never_loaded(driver: Driver) -> None:
    driver.stage("tampered")
    (_manifest, weights) = driver.keys("models", prefix="tampered/")
    driver.s3.put_object(Bucket=NAMES.bucket("models"), Key=weights, Body=b"something else")
    # The tests' models share their bytes: a copy verified earlier would serve.
    cached = [*driver.cloud.scratch.glob("weights/*-tampered.onnx")]

    execution = driver.drop(png(square()), "weights/tampered.png", model="tampered")

    assert cached == []
    assert (execution.status, execution.error) == ("FAILED", "WeightsMismatch")
    assert driver.task_errors(execution) == ["WeightsMismatch"]
    assert driver.keys("output", prefix="weights/tampered") == []


def test_weights_whose_licence_nobody_accepted_are_not_staged_by_hand(driver: Driver) -> None:
    execution = driver.stage("research")

    assert (execution.status, execution.error) == ("FAILED", "LicenseNotAccepted")
    assert driver.keys("models", prefix="research/") == []


def test_staging_by_hand_publishes_the_manifest_with_checksums(driver: Driver) -> None:
    execution = driver.stage("brightness")

    (staged,) = execution.output
    manifest = json.loads(driver.read(staged["manifest"]["uri"]))
    assert staged["model"] == manifest["model"] == "brightness"
    (file,) = manifest["files"]
    assert file["artifact"]["bytes"] == len(driver.read(file["artifact"]["uri"]))
