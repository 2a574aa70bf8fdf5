"""Jobs of AWS Batch run in the image of their container, which starts another program for them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final

import pytest

from pipeline.local.deployment import NAMES
from pipeline.local.image_launcher import ImageLauncher
from tests.execution.driver import Driver
from tests.images.conftest import CONTAINERS
from tests.images.test_events import becomes_empty, processes_with
from tests.pictures import png, square

pytestmark = pytest.mark.images
PATIENCE_S: Final = 60


def becomes_true(look: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not look() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(look())


def test_a_job_makes_its_result_inside_the_image(driver: Driver, launcher: ImageLauncher) -> None:
    (container,) = [each for each in CONTAINERS if each.name == "background-remover"]

    execution = driver.drop(png(square()), "on-batch.png", compute="batch")

    assert execution.status == "SUCCEEDED", execution.reason
    assert "RemoveBackgroundOnBatch" in driver.states_of(execution)
    record = json.loads(driver.read(execution.output["manifest"]))
    provenance = record["tasks"]["RemoveBackground"]["provenance"]
    assert provenance["image_digest"] == launcher.sandboxes[container.handler].image.digest


def test_a_job_that_is_stopped_leaves_no_process_in_the_image(driver: Driver) -> None:
    name = f"AWS_LAMBDA_FUNCTION_NAME={NAMES.job_definition('background-remover', 'slow')}"
    driver.put(png(square()), "stopped.png", model="slow", compute="batch")
    assert becomes_true(lambda: processes_with(name))

    driver.cloud.client("stepfunctions").stop_execution(executionArn=driver.running())

    assert becomes_empty(lambda: processes_with(name))
