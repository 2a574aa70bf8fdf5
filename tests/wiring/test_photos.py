"""A photo uploaded to the deployed stage is processed as on AWS."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from tests.pictures import Pixels, png, unpng
from tests.wiring.deployment import RELEASE
from tests.wiring.stage import Stage

pytestmark = pytest.mark.wiring
SIDE = 256
RED = (200, 40, 40)


def inside() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray((rows - 128) ** 2 + (columns - 128) ** 2 < 70**2)


def disc() -> Pixels:
    """Draw a red disc on a pale ground, clear enough for the starter model."""
    pixels = np.full((SIDE, SIDE, 3), 235, dtype=np.uint8)
    pixels[inside()] = RED
    return pixels


def test_an_uploaded_photo_becomes_a_cutout_of_its_subject(stage: Stage) -> None:
    execution = stage.drop(png(disc()), "trips/disc.png")

    assert execution.status == "SUCCEEDED", execution.reason
    cutout = unpng(stage.read("output", "trips/disc_bg_removed.png"))
    opaque = cutout[..., 3] > 127
    assert cutout.shape == (SIDE, SIDE, 4)
    assert (opaque & inside()).sum() / (opaque | inside()).sum() > 0.95
    assert tuple(cutout[128, 128]) == (*RED, 255)
    assert not cutout[:32].any()


def test_the_output_record_and_the_row_describe_the_job(stage: Stage) -> None:
    execution = stage.drop(png(disc()), "record/disc.png")

    manifest = stage.read_json("output", "record/disc_bg_removed.json")
    (picture,) = manifest["pictures"]
    content = stage.read("output", "record/disc_bg_removed.png")
    images = {task["provenance"]["image_digest"] for task in manifest["tasks"].values()}
    assert picture["sha256"] == hashlib.sha256(content).hexdigest()
    assert images == {f"sha256:{RELEASE['ImageDigestHex']}"}
    assert manifest["model"] == "starter"
    assert stage.record_of(execution)["status"] == "DONE"


def test_a_file_that_is_no_photo_is_quarantined_with_a_reason(stage: Stage) -> None:
    execution = stage.drop(b"a shopping list\n", "notes.jpg")

    name = execution.arn.rpartition(":")[2]
    reason = stage.read_json("quarantine", f"{name}/reason.json")
    assert (execution.status, execution.error) == ("FAILED", "UnsupportedMedia")
    assert reason["error"] == "UnsupportedMedia"
    assert reason["replay"]["input"]["detail"]["object"]["key"] == "notes.jpg"
    assert stage.record_of(execution)["status"] == "QUARANTINED"


def test_an_uncaught_failure_is_recorded_by_record_failure(stage: Stage) -> None:
    execution = stage.drop(png(disc()), "uncaught/disc.png", model="u2netp")

    row = stage.record_of(execution)
    assert execution.status == "FAILED"
    assert (row["status"], row["held_until"]) == ("FAILED", "0")
    assert "WeightsMismatch" in row["reason"]


def test_the_reaper_closes_only_jobs_without_an_execution(
    stage: Stage,
) -> None:
    done = stage.drop(png(disc()), "done/disc.png")
    gone = stage.names.execution_arn("cutout", "nobody-knows-it")
    stage.leave_running("gone", gone)

    stage.reap()

    row = stage.record_of_arn(gone)
    assert (row["status"], row["error"], row["held_until"]) == ("FAILED", "ExecutionGone", "0")
    assert stage.record_of(done)["status"] == "DONE"
