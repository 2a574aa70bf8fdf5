"""What S3 answers about a photo decides its end: quarantined by name, tried again, or failed."""

from __future__ import annotations

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.execution.faults import Answer
from tests.pictures import png, square

INGEST = NAMES.bucket("ingest")
WORK = NAMES.bucket("work")
DISABLED = Answer("400 Bad Request", "KMS.DisabledException", "arn:aws:kms:key/1 is disabled.")
DELETED = Answer("400 Bad Request", "KMS.KMSInvalidStateException", "It is pending deletion.")
UPLOADERS = Answer(
    "400 Bad Request",
    "InvalidRequest",
    "The object was stored using a form of Server Side Encryption.",
)


def photo(key: str) -> str:
    """Match every request for a photo, and for its head."""
    return rf"^(GET|HEAD) /{INGEST}/{key} "


@pytest.mark.parametrize(
    "answer",
    [
        Answer("400 Bad Request", "RequestTimeout", "The socket was not read from in time."),
        Answer("400 Bad Request", "ThrottlingException", "The rate of calls to KMS."),
        Answer("400 Bad Request", "ExpiredToken", "The provided token has expired."),
        Answer("403 Forbidden", "RequestTimeTooSkewed", "The difference is too large."),
    ],
    ids=lambda answer: answer.code,
)
def test_trouble_that_passes_is_tried_again(driver: Driver, answer: Answer) -> None:
    key = f"answers/{answer.code}.png"

    with driver.faults.outage(photo(key), answer=answer, times=2):
        execution = driver.drop(png(square()), key)

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.task_errors(execution) == ["StoreUnavailable"]
    assert driver.records_of(key)[0]["status"] == "DONE"


def test_trouble_that_lasts_fails_at_its_state_and_is_not_quarantined(driver: Driver) -> None:
    key = "answers/lasting.png"
    answer = Answer("400 Bad Request", "RequestTimeout", "The socket was not read from in time.")

    with driver.faults.outage(photo(key), answer=answer):
        execution = driver.drop(png(square()), key)

    assert (execution.status, execution.error) == ("FAILED", "StoreUnavailable")
    assert "RequestTimeout" in execution.reason
    assert driver.keys("quarantine", prefix=execution.name) == []


@pytest.mark.parametrize("method", ["GET", "(GET|HEAD)"])
def test_a_photo_whose_key_is_disabled_fails_by_name_for_an_operator(
    driver: Driver, method: str
) -> None:
    key = f"answers/disabled-{len(method)}.png"

    with driver.faults.outage(rf"^{method} /{INGEST}/{key} ", answer=DISABLED):
        execution = driver.drop(png(square()), key)
        driver.recording_of(execution)

    assert (execution.status, execution.error) == ("FAILED", "KeyUnusable")
    assert driver.states_of(execution) == ["Inspect"]
    assert driver.task_errors(execution) == ["KeyUnusable"]
    assert "arn:aws:kms:key/1 is disabled." in execution.reason
    assert driver.keys("quarantine", prefix=execution.name) == []
    assert driver.record(execution.name)["status"] == "FAILED"
    assert driver.drop(png(square()), key).status == "SUCCEEDED"


def test_a_work_bucket_whose_key_is_being_deleted_fails_the_state_that_writes(
    driver: Driver,
) -> None:
    key = "answers/work.png"

    with driver.faults.outage(rf"^PUT /{WORK}/.*/mask.png", answer=DELETED):
        execution = driver.drop(png(square()), key)
        driver.recording_of(execution)

    assert (execution.status, execution.error) == ("FAILED", "KeyUnusable")
    assert driver.states_of(execution)[-1] == "RemoveBackground"
    assert driver.task_errors(execution) == ["KeyUnusable"]
    assert driver.records_of(key)[0]["error"] == "KeyUnusable"


def test_a_photo_that_needs_its_uploaders_key_is_quarantined(driver: Driver) -> None:
    key = "answers/sealed.png"

    with driver.faults.outage(photo(key), answer=UPLOADERS):
        execution = driver.drop(png(square()), key)

    assert (execution.status, execution.error) == ("FAILED", "SourceForbidden")
    reason = driver.reason(execution)
    assert reason["message"].endswith("is encrypted with a customer-provided key (SSE-C)")
    assert "without a customer-provided key" in reason["hint"]


def test_a_photo_in_a_bucket_of_another_region_is_quarantined(driver: Driver) -> None:
    other = driver.new_bucket()
    answer = Answer("400 Bad Request", "AuthorizationHeaderMalformed", "the region is wrong")

    with driver.faults.outage(rf"^(GET|HEAD) /{other}/far.png ", answer=answer):
        execution = driver.start({"bucket": other, "key": "far.png"})

    assert (execution.status, execution.error) == ("FAILED", "SourceForbidden")
    assert driver.reason(execution)["message"].endswith(f"media must be in {INGEST}")


@pytest.mark.parametrize("version", ["malformed", "of a delete marker"])
def test_a_version_that_cannot_be_read_is_missing(driver: Driver, version: str) -> None:
    key = f"answers/{version.replace(' ', '-')}.png"
    driver.drop(png(square()), key)
    marker = driver.s3.delete_object(Bucket=INGEST, Key=key)["VersionId"]
    malformed = Answer("400 Bad Request", "InvalidArgument", "Invalid version id specified")
    asked = {"bucket": INGEST, "key": key, "version_id": marker}

    times = 10 if version == "malformed" else 0
    with driver.faults.outage(photo(key), answer=malformed, times=times):
        execution = driver.start(asked)

    assert (execution.status, execution.error) == ("FAILED", "SourceMissing")
    assert driver.reason(execution)["error"] == "SourceMissing"


def test_an_archived_photo_is_quarantined_and_processed_once_it_is_restored(
    driver: Driver,
) -> None:
    key = "answers/cold.png"
    driver.s3.put_object(Bucket=INGEST, Key=key, Body=png(square()), StorageClass="GLACIER")
    (execution,) = driver.wait_for([key])
    reason = driver.reason(execution)
    driver.s3.restore_object(Bucket=INGEST, Key=key, RestoreRequest={"Days": 7})

    again = driver.start(reason["replay"]["input"])

    assert (execution.status, execution.error) == ("FAILED", "SourceArchived")
    assert reason["message"] == f"s3://{INGEST}/{key} is archived in GLACIER"
    assert "aws s3api restore-object" in reason["hint"]
    assert driver.record(execution.name)["status"] == "QUARANTINED"
    assert again.status == "SUCCEEDED", again.reason


def test_a_photo_that_is_archived_while_it_is_worked_on_is_quarantined(driver: Driver) -> None:
    other = driver.new_bucket()
    driver.put(png(square()), "cooling.png", to=other)
    driver.faults.before(
        rf"GET /{NAMES.bucket('models')}",
        lambda: driver.s3.copy_object(
            Bucket=other,
            Key="cooling.png",
            CopySource=f"{other}/cooling.png",
            StorageClass="DEEP_ARCHIVE",
        ),
    )

    execution = driver.start({"bucket": other, "key": "cooling.png"})

    assert (execution.status, execution.error) == ("FAILED", "SourceArchived")
    assert driver.states_of(execution)[-1] == "Quarantined"
    assert "(it is archived in DEEP_ARCHIVE)" in driver.reason(execution)["message"]
