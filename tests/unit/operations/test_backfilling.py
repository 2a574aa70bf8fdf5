"""Lists, estimates and results of a backfill."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import InvalidOptions
from pipeline.operations.backfill_results import PhotoResult, photo_result
from pipeline.operations.backfilling import Batch, Estimate, keys_listed


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'key,note\n"a, b.jpg",x\nc.jpg,\n'),
        ("a.csv", b'\xef\xbb\xbfnote,key\r\nx,"a, b.jpg"\r\n,c.jpg\r\n'),
        ("a.jsonl", b'{"key": "a, b.jpg"}\n\n{"key": "c.jpg", "note": 1}'),
    ],
)
def test_a_list_names_its_keys_whoever_wrote_it(name: str, content: bytes) -> None:
    assert keys_listed(content, name) == ["a, b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"name\ncat.jpg\n"),
        ("a.jsonl", b"cat.jpg"),
        ("a.jsonl", b"[1]"),
        ("a.csv", b"\xff"),
    ],
)
def test_a_list_without_keys_is_refused_by_its_name(name: str, content: bytes) -> None:
    with pytest.raises(InvalidOptions, match=name):
        keys_listed(content, name)


def test_what_is_done_costs_nothing_and_the_rest_transitions_and_memory() -> None:
    told = Estimate(photos=1_500, bytes=0, missing=0, done=500)

    dollars = told.dollars(memory_mb=2048, seconds=3)

    assert dollars == pytest.approx(1_000 * (18 * 0.025 / 1_000 + 2 * 3 * 0.0000166667))


def test_a_batch_is_a_list_or_a_prefix() -> None:
    assert Batch(prefix="2024/").execution_input()["prefix"] == "2024/"
    assert "prefix" not in Batch(listed="rows.csv").execution_input()
    assert Batch(listed="rows.csv").execution_input()["list"] == "rows.csv"


def test_a_result_is_told_by_the_cutout_that_made_it() -> None:
    cutout = {"execution": "arn:cutout", "status": "DUPLICATE", "job_id": "j"}
    done = {"Input": json.dumps({"key": "cat.jpg"}), "Output": json.dumps({"cutout": cutout}),
            "Status": "SUCCEEDED", "ExecutionArn": "arn:child"}  # fmt: skip

    assert photo_result(done) == PhotoResult("cat.jpg", "DUPLICATE", "j", "", "arn:cutout")


def test_a_failure_is_told_by_the_innermost_error() -> None:
    failed = {"Input": json.dumps({"key": "cat.jpg"}), "Error": "States.TaskFailed",
              "Cause": json.dumps({"Error": "NoSubject", "Status": "FAILED"}),
              "Status": "FAILED", "ExecutionArn": "arn:child"}  # fmt: skip

    assert photo_result(failed) == PhotoResult("cat.jpg", "FAILED", "", "NoSubject", "arn:child")
