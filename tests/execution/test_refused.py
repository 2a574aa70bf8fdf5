"""The ways a photo is refused: a named error, a reason to act on, a record, no picture."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest

from pipeline.local.deployment import NAMES
from tests.calm import wait_for_calm
from tests.execution.driver import PATIENCE_S, Driver
from tests.pictures import png, square


def _huge_png() -> bytes:
    """A few bytes that promise 400 megapixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b""))


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


NOTHING_IN_IT = png(np.zeros((96, 96, 3), dtype=np.uint8))
NOISE = png(np.random.default_rng(7).integers(0, 255, (96, 96, 3), dtype=np.uint8))

BEFORE_A_JOB_EXISTS = [
    pytest.param(b"Dear diary", {}, "UnsupportedMedia", id="text"),
    pytest.param(b"", {}, "UnsupportedMedia", id="empty"),
    pytest.param(_huge_png(), {}, "MediaTooLarge", id="400 megapixels"),
    pytest.param(b"\x89PNG\r\n\x1a\n nothing more", {}, "CorruptMedia", id="header only"),
    pytest.param(png(square()), {"model": "u3net"}, "UnknownModel", id="unknown model"),
    pytest.param(png(square()), {"model": "research"}, "LicenseNotAccepted", id="not commercial"),
    pytest.param(png(square()), {"refine": "magic"}, "InvalidOptions", id="unknown mode"),
    pytest.param(png(square()), {"colour": "red"}, "InvalidOptions", id="unknown option"),
]


@pytest.mark.parametrize(("content", "options", "error"), BEFORE_A_JOB_EXISTS)
def test_what_cannot_become_a_job_is_quarantined_under_the_executions_name(
    driver: Driver, content: bytes, options: dict[str, str], error: str
) -> None:
    key = f"refused/{error}/{len(content)}-{'-'.join(options)}.jpg"

    execution = driver.drop(content, key, **options)

    assert (execution.status, execution.error) == ("FAILED", error)
    name = execution.arn.rpartition(":")[2]
    reason = driver.reason(execution)
    assert reason["error"] == error
    assert reason["message"]
    assert reason["hint"]
    assert reason["job"] == {"job_id": name}
    assert reason["replay"]["input"]["detail"]["object"]["key"] == key
    assert driver.record(name)["status"] == "QUARANTINED"
    assert driver.record(name)["error"] == error
    assert driver.record(name)["reason"].endswith(f"{name}/reason.json")
    assert driver.keys("output", prefix="refused/") == []


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(NOTHING_IN_IT, "NoSubject", id="nothing stands out"),
        pytest.param(NOISE[: len(NOISE) // 2], "CorruptMedia", id="cut short"),
    ],
)
def test_a_job_that_can_never_succeed_is_quarantined_and_may_be_claimed_again(
    driver: Driver, content: bytes, error: str
) -> None:
    key = f"hopeless/{error}.png"

    first = driver.drop(content, key)
    second = driver.drop(content, key)

    assert (first.status, first.error) == ("FAILED", error)
    assert (second.status, second.error) == ("FAILED", error)
    assert driver.reason(first)["job"]["source"]["key"] == key
    (record,) = driver.records_of(key)
    assert (record["status"], record["error"]) == ("QUARANTINED", error)
    assert record["execution"] == second.arn
    assert driver.keys("output", prefix="hopeless/") == []


def test_the_reason_reads_as_what_happened_and_what_to_do(driver: Driver) -> None:
    execution = driver.drop(b"Dear diary", "readable/diary.jpg")

    reason = driver.reason(execution)
    assert reason["message"] == "plain text"
    assert reason["hint"].startswith("Upload a photo (JPEG, PNG, WebP")
    assert execution.cause == f"{reason['message']}\n{reason['hint']}"


@pytest.mark.parametrize(
    ("typed", "error", "named"),
    [
        ({"bucket": NAMES.bucket("ingest")}, "InvalidOptions", "key"),
        ({"bucket": NAMES.bucket("ingest"), "key": "x", "speed": 9}, "InvalidOptions", "speed"),
        ({"bucket": NAMES.bucket("ingest"), "key": 5}, "InvalidOptions", "key"),
        (
            {"bucket": NAMES.bucket("ingest"), "key": "not there.jpg"},
            "SourceMissing",
            "not there.jpg",
        ),
        ({"bucket": "no-such-bucket", "key": "x.jpg"}, "SourceMissing", "no-such-bucket"),
        (
            {"bucket": NAMES.bucket("ingest"), "key": "x", "job": {"job_id": "mine"}},
            "InvalidOptions",
            "job",
        ),
        ({}, "InvalidOptions", "bucket"),
        ({"bucket": NAMES.bucket("ingest"), "key": "x", "version_id": "no"}, "SourceMissing", "/x"),
        ({f"field {n}": n for n in range(3000)}, "InvalidOptions", "and 2994 more"),
        ("cat.jpg", "InvalidOptions", "input"),
        (["cat.jpg"], "InvalidOptions", "input"),
    ],
)
def test_a_wrong_input_is_refused_by_the_name_of_what_is_wrong(
    driver: Driver, typed: object, error: str, named: str
) -> None:
    execution = driver.start(typed)

    assert (execution.status, execution.error) == ("FAILED", error)
    assert named in driver.reason(execution)["message"]
    assert driver.reason(execution)["replay"]["input"] == typed
    assert driver.record("mine") == {}


def test_a_photo_replaced_while_it_is_worked_on_is_refused(driver: Driver) -> None:
    other = driver.new_bucket()
    driver.put(png(square(left=8)), "cat.png", to=other)
    driver.faults.before(
        rf"GET /{NAMES.bucket('models')}",
        lambda: driver.put(png(square(left=56)), "cat.png", to=other),
    )

    execution = driver.start({"bucket": other, "key": "cat.png"})

    assert (execution.status, execution.error) == ("FAILED", "SourceChanged")
    (record,) = driver.records_of("cat.png")
    assert (record["status"], record["error"]) == ("QUARANTINED", "SourceChanged")
    assert "cat_bg_removed.png" not in driver.keys("output")


def test_a_photo_deleted_while_it_is_worked_on_is_refused(driver: Driver) -> None:
    other = driver.new_bucket()
    driver.put(png(square()), "gone.png", to=other)
    driver.faults.before(
        rf"GET /{NAMES.bucket('models')}",
        lambda: driver.s3.delete_object(Bucket=other, Key="gone.png"),
    )

    execution = driver.start({"bucket": other, "key": "gone.png"})

    assert (execution.status, execution.error) == ("FAILED", "SourceMissing")


def test_a_version_named_by_hand_is_the_one_that_is_cut_out(driver: Driver) -> None:
    wanted = driver.s3.put_object(
        Bucket=NAMES.bucket("ingest"), Key="versions/.hidden/cat.png", Body=png(square(left=8))
    )
    driver.put(png(square(left=56)), "versions/.hidden/cat.png")
    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)

    execution = driver.start(
        {
            "bucket": NAMES.bucket("ingest"),
            "key": "versions/.hidden/cat.png",
            "version_id": wanted["VersionId"],
            "force": True,
        }
    )

    assert execution.status == "SUCCEEDED", execution.reason
    manifest = json.loads(driver.read(execution.output["manifest"]))
    assert manifest["source"]["version_id"] == wanted["VersionId"]
