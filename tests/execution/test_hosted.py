"""A model that somebody else runs: no weights, the same cutout, and its own ways to fail."""

from __future__ import annotations

import json

import numpy as np

from pipeline.local.deployment import NAMES
from tests.bedrock import HostedModel
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng


def test_a_hosted_model_cuts_out_without_weights(driver: Driver) -> None:
    execution = driver.drop(png(square()), "hosted/cat.png", model="hosted")

    assert execution.status == "SUCCEEDED", execution.reason
    states = driver.states_of(execution)
    assert states[2:5] == ["WeightsNeeded?", "RemoveBackgroundOnBatch?", "RemoveBackground"]
    assert driver.keys("models", prefix="hosted/") == []
    cutout = unpng(driver.read(execution.output["pictures"][0]["uri"]))
    assert np.array_equal(cutout[40:56, 40:56], np.full((16, 16, 4), 255))
    assert not cutout[:16].any()
    manifest = json.loads(driver.read(execution.output["manifest"]))
    assert (manifest["model"], manifest["weights_sha256"]) == ("hosted", None)


def test_a_busy_model_is_asked_again(driver: Driver, hosted: HostedModel) -> None:
    hosted.errors.extend([(429, "ThrottlingException")] * 3)

    execution = driver.drop(png(square(left=8)), "hosted/busy.png", model="hosted")

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.task_errors(execution) == ["ModelUnavailable"]


def test_a_photo_the_model_refuses_is_quarantined(driver: Driver, hosted: HostedModel) -> None:
    hosted.errors.append((400, "ValidationException"))

    execution = driver.drop(png(square(left=16)), "hosted/refused.png", model="hosted")

    assert (execution.status, execution.error) == ("FAILED", "PhotoRefused")
    assert driver.reason(execution)["message"].endswith("because (ValidationException)")
    assert "not hosted by Amazon Bedrock" in driver.reason(execution)["hint"]


def test_a_model_that_is_not_offered_leaves_its_state_red(
    driver: Driver, hosted: HostedModel
) -> None:
    hosted.errors.append((403, "AccessDeniedException"))

    execution = driver.drop(png(square(left=24)), "hosted/denied.png", model="hosted")

    assert (execution.status, execution.error) == ("FAILED", "ModelNotOffered")
    assert driver.states_of(execution)[-1] == "RemoveBackground"
    assert driver.task_errors(execution) == ["ModelNotOffered"]


def test_a_hosted_model_has_nothing_to_stage(driver: Driver) -> None:
    execution = driver.stage("hosted")

    assert execution.status == "FAILED"
    assert "hosted is a hosted model: it has no weights to stage" in execution.reason
    assert NAMES.bucket("models") not in execution.reason
