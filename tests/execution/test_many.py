"""Many photos at once, and more than one execution for the same one."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng

AWKWARD_KEYS = [
    "awkward/two words.png",
    "awkward/plus+and%20percent.png",
    "awkward/hash#and?mark&more=1.png",
    "awkward/😀 smile.png",
    "awkward/한글 사진.png",
    'awkward/quote\'s "double" {}[].png',
    "awkward/no extension",
    "awkward//double//slash.png",
    "awkward/" + "ü" * 506 + ".png",
]


def test_thirty_photos_dropped_at_once_each_become_their_own_cutout(driver: Driver) -> None:
    places = [(8 * (index % 6), 10 * (index // 6)) for index in range(30)]
    photos = [square(left=left, top=top, size=24) for left, top in places]
    keys = [f"burst/{index:02}.png" for index in range(30)]
    for key, photo in zip(keys, photos, strict=True):
        driver.put(png(photo), key)

    executions = driver.wait_for(keys)

    assert [row.status for row in executions] == ["SUCCEEDED"] * 30
    for execution, (left, top) in zip(executions, places, strict=True):
        alpha = unpng(driver.read(execution.output["pictures"][0]["uri"]))[..., 3]
        rows, columns = np.nonzero(alpha > 127)
        centre = (rows.mean(), columns.mean())
        assert centre == pytest.approx((top + 11.5, left + 11.5), abs=2)
    assert [len(driver.records_of(key)) for key in keys] == [1] * 30
    assert len(driver.keys("output", prefix="burst/")) == 60


@pytest.mark.parametrize("key", AWKWARD_KEYS, ids=range(len(AWKWARD_KEYS)))
def test_any_key_s3_accepts_is_cut_out_under_its_own_path(driver: Driver, key: str) -> None:
    execution = driver.drop(png(square()), key)

    assert execution.status == "SUCCEEDED", execution.reason
    uri = execution.output["pictures"][0]["uri"]
    assert unpng(driver.read(uri))[48, 48].tolist() == [255, 255, 255, 255]
    folder = key.rpartition("/")[0]
    assert uri.startswith(f"s3://{NAMES.bucket('output')}/{folder}/")
    assert json.loads(driver.read(execution.output["manifest"]))["source"]["key"] == key


def test_a_multipart_upload_starts_one_execution(driver: Driver) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (1800, 1800, 3), dtype=np.uint8)
    noise[:400, :400] = 255  # the subject
    driver.drop(png(square()), "multipart/first.png")
    path = driver.cloud.scratch / "large.png"
    path.write_bytes(png(noise))
    assert path.stat().st_size > 8 * 2**20

    driver.s3.upload_file(str(path), NAMES.bucket("ingest"), "multipart/large.png")

    (execution,) = driver.wait_for(["multipart/large.png"])
    driver.drop(png(square()), "multipart/last.png")
    assert execution.status == "SUCCEEDED", execution.reason
    assert _executions_of(driver, "multipart/large.png") == 1


def test_two_executions_for_one_photo_at_once_cost_one_inference(driver: Driver) -> None:
    other = driver.new_bucket()
    driver.put(png(square()), "race.png", to=other)
    states = driver.cloud.client("stepfunctions")
    arns = [
        states.start_execution(
            stateMachineArn=NAMES.machine_arn("cutout"),
            input=json.dumps({"bucket": other, "key": "race.png"}),
        )["executionArn"]
        for _ in range(2)
    ]

    outputs = [_output(states, arn) for arn in arns]

    assert sorted(output["status"] for output in outputs) == ["DONE", "DUPLICATE"]
    assert len(driver.records_of("race.png")) == 1


def test_many_first_photos_at_once_make_one_download(driver: Driver) -> None:
    keys = [f"first/{index}.png" for index in range(5)]
    driver.faults.before(r"PUT .*/vanishing\.onnx", lambda: _wait_for_an_answer(driver))
    for index, key in enumerate(keys):
        driver.put(png(square(left=index)), key, model="vanishing")

    executions = driver.wait_for(keys)

    assert [execution.status for execution in executions] == ["SUCCEEDED"] * 5
    stagings = _outputs_of(driver, "stage-weights", model="vanishing")
    assert [staged["already_staged"] for staged in stagings].count(False) == 1
    assert len(driver.keys("models", prefix="vanishing/")) == 2


@pytest.mark.parametrize(("age_s", "ended"), [(60, "DONE"), (-60, "DUPLICATE")])
def test_a_running_job_is_taken_over_once_its_lease_is_over(
    driver: Driver, age_s: int, ended: str
) -> None:
    key = f"lease/{ended}.png"
    job_id = driver.drop(png(square()), key).output["job_id"]
    driver.cloud.client("dynamodb").update_item(
        TableName=NAMES.table("jobs"),
        Key={"job_id": {"S": job_id}},
        UpdateExpression="SET #status = :running, held_until = :until, #execution = :dead",
        ExpressionAttributeNames={"#status": "status", "#execution": "execution"},
        ExpressionAttributeValues={
            ":running": {"S": "RUNNING"},
            ":until": {"N": str(int(time.time()) - age_s)},
            ":dead": {"S": "an execution nobody knows"},
        },
    )

    execution = driver.drop(png(square()), key)

    assert execution.output["status"] == ended


def _executions_of(driver: Driver, key: str) -> int:
    states = driver.cloud.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=NAMES.machine_arn("cutout")
    )
    inputs = [
        states.describe_execution(executionArn=row["executionArn"])["input"]
        for page in pages
        for row in page["executions"]
    ]
    return sum(f'"{key}"' in text for text in inputs)


def _wait_for_an_answer(driver: Driver) -> None:
    """Until some attempt to stage has ended: another one's, if this one is kept waiting."""
    states = driver.cloud.client("stepfunctions")
    deadline = time.monotonic() + 30
    ended = False
    while not ended and time.monotonic() < deadline:
        time.sleep(0.05)
        arn = NAMES.machine_arn("stage-weights")
        listed = states.list_executions(stateMachineArn=arn)["executions"]
        arns = [row["executionArn"] for row in listed]
        histories = [states.get_execution_history(executionArn=arn)["events"] for arn in arns]
        kinds = {event["type"] for events in histories for event in events}
        ended = not kinds.isdisjoint({"TaskFailed", "TaskSucceeded"})


def _outputs_of(driver: Driver, machine: str, *, model: str) -> list[dict[str, Any]]:
    """What every execution of a machine said about a model."""
    states = driver.cloud.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=NAMES.machine_arn(machine)
    )
    outputs = [
        json.loads(states.describe_execution(executionArn=row["executionArn"])["output"])
        for page in pages
        for row in page["executions"]
    ]
    return [staged for output in outputs for staged in output if staged["model"] == model]


def _output(states: object, arn: str) -> dict[str, str]:
    deadline = time.monotonic() + 30
    while (told := states.describe_execution(executionArn=arn))["status"] == "RUNNING":  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    output: dict[str, str] = json.loads(told["output"])
    return output
