"""What is at an output key is the result of the latest upload, whatever was there before."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import numpy as np
import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.execution.driver import PATIENCE_S, Driver
from tests.pictures import png, square, unpng

LEFT = png(square(left=8))
RIGHT = png(square(left=56))


def test_a_photo_that_is_put_back_gets_its_cutout_back(driver: Driver) -> None:
    first = driver.drop(LEFT, "back/cat.png")
    driver.drop(RIGHT, "back/cat.png")

    third = driver.drop(LEFT, "back/cat.png")

    assert third.output["status"] == "DONE"
    assert third.output["job_id"] == first.output["job_id"]
    assert published(driver, "back/cat")["execution"] == third.arn
    assert subject_is_left(driver, "back/cat")
    assert driver.drop(LEFT, "back/cat.png").output["status"] == "DUPLICATE"


def test_options_that_are_put_back_get_their_cutout_back(driver: Driver) -> None:
    plain = {"bucket": NAMES.bucket("ingest"), "key": "toggled/cat.png"}
    driver.drop(LEFT, "toggled/cat.png")
    driver.start({**plain, "options": {"background": "#ff0000"}})
    assert pixels(driver, "toggled/cat").shape == (96, 96, 3)

    again = driver.start(plain)

    assert again.output["status"] == "DONE"
    assert pixels(driver, "toggled/cat").shape == (96, 96, 4)
    assert published(driver, "toggled/cat")["options"]["background"] is None


def test_of_two_names_that_differ_in_their_suffix_the_later_upload_is_published(
    driver: Driver,
) -> None:
    driver.drop(LEFT, "stem/cat.jpg")
    driver.drop(RIGHT, "stem/cat.png")
    assert not subject_is_left(driver, "stem/cat")

    third = driver.drop(LEFT, "stem/cat.jpg")

    assert third.output["status"] == "DONE"
    assert subject_is_left(driver, "stem/cat")
    assert published(driver, "stem/cat")["source"]["key"] == "stem/cat.jpg"


@pytest.mark.parametrize("suffix", ["bg_removed.png", "bg_removed.json", "mask.png"])
def test_an_output_that_was_deleted_is_made_again(driver: Driver, suffix: str) -> None:
    key, lost = f"lost/{suffix}.png", f"lost/{suffix}_{suffix}"
    driver.drop(LEFT, key, outputs="cutout,mask")
    driver.s3.delete_object(Bucket=NAMES.bucket("output"), Key=lost)

    again = driver.drop(LEFT, key, outputs="cutout,mask")

    assert again.output["status"] == "DONE"
    assert lost in driver.keys("output", prefix="lost/")
    assert driver.drop(LEFT, key, outputs="cutout,mask").output["status"] == "DUPLICATE"


def test_an_older_record_that_names_no_outputs_is_enough(driver: Driver) -> None:
    driver.drop(LEFT, "older/cat.png")
    record = published(driver, "older/cat")
    del record["outputs"]
    put_record(driver, "older/cat", record)

    assert driver.drop(LEFT, "older/cat.png").output["status"] == "DUPLICATE"


@pytest.mark.parametrize("foreign", [{}, {"job_id": 5}, ["job_id"], {"outputs": []}])
def test_a_record_of_something_else_is_replaced(driver: Driver, foreign: object) -> None:
    key = f"foreign/{len(str(foreign))}"
    driver.drop(LEFT, f"{key}.png")
    put_record(driver, key, foreign)

    again = driver.drop(LEFT, f"{key}.png")

    assert again.output["status"] == "DONE"
    assert published(driver, key)["job_id"] == again.output["job_id"]


NO_RECORDS = {
    "empty": b"", "text": b"no JSON", "byte order mark": b"\xef\xbb\xbf{}", "cut": b'{"job_id": "',
    "large": b" " * 300_000, "large JSON": b'{"a": "%s"}' % (b"a" * 300_000),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_RECORDS)
def test_what_is_no_record_is_replaced(driver: Driver, name: str) -> None:
    key = f"none/{name}"
    driver.drop(LEFT, f"{key}.png")
    driver.put(NO_RECORDS[name], f"{key}_bg_removed.json", to=NAMES.bucket("output"))

    again = driver.drop(LEFT, f"{key}.png")

    assert again.status == "SUCCEEDED", again.reason
    assert published(driver, key)["job_id"] == again.output["job_id"]


@pytest.mark.parametrize("outputs", [None, "cat.png", {"cutout": "cat.png"}, []], ids=str)
def test_a_record_with_no_list_of_outputs_is_enough(driver: Driver, outputs: object) -> None:
    key = f"listed/{len(str(outputs))}"
    driver.drop(LEFT, f"{key}.png")
    put_record(driver, key, published(driver, key) | {"outputs": outputs})

    assert driver.drop(LEFT, f"{key}.png").verdict == "DUPLICATE"


def test_two_duplicates_that_find_another_record_cost_one_inference(driver: Driver) -> None:
    driver.drop(LEFT, "race/cat.png")
    driver.drop(RIGHT, "race/cat.png")
    overtaking: list[Execution] = []
    driver.faults.before(
        rf"GET /{NAMES.bucket('output')}/race/cat_bg_removed.json",
        lambda: overtaking.append(driver.start(race)),
    )
    with driver.silence():
        driver.put(LEFT, "race/cat.png")
    race = {"bucket": NAMES.bucket("ingest"), "key": "race/cat.png"}

    first = driver.start(race)

    (second,) = overtaking
    assert [second.output["status"], first.output["status"]] == ["DONE", "DUPLICATE"]
    assert subject_is_left(driver, "race/cat")


def test_a_job_that_another_duplicate_has_claimed_meanwhile_is_not_released(
    driver: Driver,
) -> None:
    """Both find another job's record; the second has claimed the job before the first releases."""
    job_id = driver.drop(LEFT, "race/two.png").output["job_id"]
    driver.drop(RIGHT, "race/two.png")
    with driver.silence():
        driver.put(LEFT, "race/two.png")
    race = {"bucket": NAMES.bucket("ingest"), "key": "race/two.png"}
    first_ended = threading.Event()
    second: list[str] = []

    def let_the_second_claim() -> None:
        second.append(driver.begin(race))
        deadline = time.monotonic() + PATIENCE_S
        while driver.record(job_id)["execution"] != second[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_for_the_first() -> None:
        first_ended.wait(PATIENCE_S)

    driver.faults.before(
        rf"GET /{NAMES.bucket('output')}/race/two_bg_removed.json", let_the_second_claim
    )
    driver.faults.before(rf"PUT /{NAMES.bucket('work')}/.*/cutout.png", wait_for_the_first)

    first = driver.start(race)
    first_ended.set()
    driver.wait_until_ended(second[0])

    assert "ReleaseFirst" in driver.states_of(first)
    assert first.output["status"] == "DUPLICATE"
    assert first.output["first"]["execution"] == second[0]
    assert driver.record(job_id)["execution"] == second[0]
    assert subject_is_left(driver, "race/two")


def test_a_slow_photo_does_not_hide_the_one_that_replaced_it(driver: Driver) -> None:
    """The second is finished before the first has written its picture."""
    driver.faults.before(
        rf"PUT /{NAMES.bucket('work')}/.*/cutout.png",
        lambda: finish(driver, RIGHT, "slow/cat.png"),
    )

    driver.put(LEFT, "slow/cat.png")

    slow, fast = executions_of(driver, "slow/cat.png", times=2)
    assert (fast.verdict, slow.error) == ("DONE", "SourceChanged")
    assert not subject_is_left(driver, "slow/cat")
    assert published(driver, "slow/cat")["execution"] == fast.arn


def test_a_photo_deleted_before_it_is_finished_is_not_published(driver: Driver) -> None:
    driver.faults.before(
        rf"PUT /{NAMES.bucket('work')}/.*/cutout.png",
        lambda: driver.s3.delete_object(Bucket=NAMES.bucket("ingest"), Key="private/me.png"),
    )

    execution = driver.drop(LEFT, "private/me.png")

    assert (execution.verdict, execution.error) == ("QUARANTINED", "SourceMissing")
    assert "deleted before its result was published" in driver.reason(execution)["message"]
    assert driver.keys("output", prefix="private/") == []


def test_the_same_photo_uploaded_again_while_it_is_worked_on_is_published_once(
    driver: Driver,
) -> None:
    driver.faults.before(
        rf"PUT /{NAMES.bucket('work')}/.*/cutout.png", lambda: driver.put(LEFT, "same/cat.png")
    )

    driver.put(LEFT, "same/cat.png")

    ended = sorted(each.verdict for each in executions_of(driver, "same/cat.png", times=2))
    assert ended == ["DONE", "DUPLICATE"]
    assert subject_is_left(driver, "same/cat")


def test_a_version_that_a_user_named_is_published_over_a_newer_one(driver: Driver) -> None:
    asked = {"bucket": NAMES.bucket("ingest"), "key": "named/cat.png"}
    driver.drop(LEFT, asked["key"])
    old = driver.s3.head_object(Bucket=asked["bucket"], Key=asked["key"])
    driver.drop(RIGHT, asked["key"])

    execution = driver.start({**asked, "version_id": old["VersionId"], "force": True})

    assert execution.status == "SUCCEEDED", execution.reason
    assert subject_is_left(driver, "named/cat")


def published(driver: Driver, stem: str) -> dict[str, Any]:
    uri = f"s3://{NAMES.bucket('output')}/{stem}_bg_removed.json"
    record: dict[str, Any] = json.loads(driver.read(uri))
    return record


def put_record(driver: Driver, stem: str, record: object) -> None:
    driver.put(json.dumps(record).encode(), f"{stem}_bg_removed.json", to=NAMES.bucket("output"))


def pixels(driver: Driver, stem: str) -> Any:
    return unpng(driver.read(f"s3://{NAMES.bucket('output')}/{stem}_bg_removed.png"))


def subject_is_left(driver: Driver, stem: str) -> bool:
    """Return True if the cutout is that of `LEFT`, False if that of `RIGHT`."""
    columns = np.nonzero(pixels(driver, stem)[..., 3] > 127)[1]
    return bool(columns.mean() < 48)


def finish(driver: Driver, content: bytes, key: str) -> None:
    driver.put(content, key)
    executions_of(driver, key, times=1)


def executions_of(driver: Driver, key: str, *, times: int) -> list[Execution]:
    """Wait until that many executions of a key have ended; return them, first started first."""
    states = driver.cloud.client("stepfunctions")
    known: dict[str, Execution] = {}  # those that have ended
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, f"{key} does not end {times} times"
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=NAMES.machine_arn("cutout")
        )
        over = {
            row["executionArn"]
            for page in pages
            for row in page["executions"]
            if row["status"] != "RUNNING"
        }
        known |= {arn: describe(states, arn) for arn in over - known.keys()}
        ended = [each for each in known.values() if each.key == key]
        if len(ended) == times:
            return sorted(ended, key=lambda each: str(each.started))
        time.sleep(0.1)
