"""Lists, estimates and results of a backfill."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from pipeline.cli.backfill import backfill
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.resources import load_resources
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill_results import (
    ObjectResult,
    find_manifests,
    object_result,
    read_results,
)
from pipeline.operations.backfilling import (
    Batch,
    Estimate,
    KeyList,
    most_transitions,
    put_list,
)
from pipeline.operations.site import Site
from tests.conftest import ROOT
from tests.pipeline.operations.sites import CUTOUT, PRODUCTS, TRANSCRIPT

WORK: Final = LOCAL_NAMES.bucket("work")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'key,note\n"a, b.jpg",x\nc.jpg,\n'),
        ("a.csv", b'\xef\xbb\xbfnote,key\r\nx,"a, b.jpg"\r\n,c.jpg\r\n'),
        ("a.jsonl", b'{"key": "a, b.jpg"}\n\n{"key": "c.jpg", "note": 1}'),
    ],
)
def test_a_list_names_its_keys_whoever_wrote_it(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    listed = KeyList.read(tmp_path / name)

    assert listed.keys == ["a, b.jpg", "c.jpg"]
    assert not listed.content.startswith(codecs.BOM_UTF8)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"name\ncat.jpg\n"),
        ("a.jsonl", b"cat.jpg"),
        ("a.jsonl", b"[1]"),
        ("a.csv", b"\xff"),
        ("a.csv", b"size,key\n5\n6,x\n"),
        ("a.csv", b"key,size\n,5\n"),
        ("a.jsonl", b'{"key": null}'),
        ("a.jsonl", b'{"key": 5}'),
    ],
)
def test_a_list_without_keys_is_refused_by_its_name(name: str, content: bytes) -> None:
    with pytest.raises(InvalidOptions, match=name):
        KeyList(name, content).keys  # noqa: B018


def test_what_is_done_costs_nothing_and_the_rest_transitions_and_memory() -> None:
    size = Estimate(objects=1_500, bytes=0, missing=0, done=500)

    dollars = size.dollars(transitions=18, memory_mb=2048, seconds=3)

    assert dollars == pytest.approx(1_000 * (18 * 0.025 / 1_000 + 2 * 3 * 0.0000166667))


def test_the_longest_way_without_an_error_is_what_is_billed() -> None:
    """Begin, Choose, Stage, Each with Copy, Both with Left and Right; not Repair, nor the loop."""
    one: dict[str, Any] = {"StartAt": "Copy", "States": {"Copy": {"End": True}}}
    left, right = ({"StartAt": name, "States": {name: {"End": True}}} for name in "LR")
    states = {
        "Begin": {"Next": "Choose", "Catch": [{"Next": "Repair"}]},
        "Choose": {"Choices": [{"Next": "Stage"}], "Default": "Each"},
        "Stage": {"Next": "Each"},
        "Each": {"ItemProcessor": one, "Next": "Both"},
        "Both": {"Branches": [left, right], "Choices": [{"Next": "Choose"}]},
        "Repair": {"Next": "Wait"},
        "Wait": {"Next": "Begin"},
    }

    assert most_transitions({"StartAt": "Begin", "States": states}) == 8


def test_a_longer_machine_costs_more() -> None:
    definition = json.loads((ROOT / "state_machines" / "cutout.asl.json").read_text())
    longer = json.loads(json.dumps(definition))
    longer["States"]["First"] = {"Type": "Pass", "Next": longer["StartAt"]}
    longer["StartAt"] = "First"

    assert most_transitions(longer) == most_transitions(definition) + 1


def test_a_batch_is_a_list_or_a_prefix() -> None:
    assert Batch(CUTOUT, prefix="2024/").execution_input()["prefix"] == "2024/"
    listed = Batch(CUTOUT, listed=KeyList("rows.csv", b"key\ncat.jpg\n")).execution_input()
    assert "prefix" not in listed
    assert listed["list"].endswith("/rows.csv")


def test_a_batch_is_for_one_products_state_machine() -> None:
    assert Batch(TRANSCRIPT).execution_input()["machine"] == "write-transcript"


@pytest.mark.parametrize("field", ["result", "cutout"])
def test_a_result_is_the_one_of_the_execution_that_did_the_work(field: str) -> None:
    """`cutout` is what backfills wrote before there were products."""
    result = {"execution": "arn:cutout", "status": "DUPLICATE", "job_id": "j"}
    done = {"Input": json.dumps({"key": "cat.jpg"}), "Output": json.dumps({field: result}),
            "Status": "SUCCEEDED", "ExecutionArn": "arn:child"}  # fmt: skip

    assert object_result(done) == ObjectResult("cat.jpg", "DUPLICATE", "j", "", "arn:cutout")


def test_a_failure_is_told_by_the_innermost_error() -> None:
    failed = {"Input": json.dumps({"key": "cat.jpg"}), "Error": "States.TaskFailed",
              "Cause": json.dumps({"Error": "NoSubject", "Status": "FAILED"}),
              "Status": "FAILED", "ExecutionArn": "arn:child"}  # fmt: skip

    assert object_result(failed) == ObjectResult("cat.jpg", "FAILED", "", "NoSubject", "arn:child")


@pytest.fixture
def site() -> Iterator[Site]:
    with mock_aws():
        session = boto3.Session("key", "secret", region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=WORK)
        yield Site(LOCAL_NAMES, session, PRODUCTS)


def put(site: Site, key: str, content: Any) -> None:
    site.client("s3").put_object(Bucket=WORK, Key=key, Body=json.dumps(content))


@pytest.mark.parametrize("name", ["monday", LOCAL_NAMES.execution_arn("backfill", "monday")])
def test_results_are_found_by_the_name_and_by_the_arn_that_start_tells(
    site: Site, name: str
) -> None:
    result = {"Input": json.dumps({"key": "cat.jpg"}), "Status": "FAILED", "ExecutionArn": "arn"}
    file = "backfill/monday/results/run/FAILED_0.json"
    put(site, file, [result])
    written = {"ResultFiles": {"FAILED": [{"Key": file}]}}
    put(site, "backfill/monday/results/run/manifest.json", written)

    (manifest,) = find_manifests(site, name)

    assert [each.key for each in read_results(site, manifest)] == ["cat.jpg"]


def test_a_list_is_put_where_nothing_starts_and_the_machine_looks(site: Site) -> None:
    listed = KeyList("rows.csv", b"key\ncat.jpg\n")

    put_list(site, listed)

    key = f"backfill/lists/{listed.name}"
    stored = site.client("s3").get_object(Bucket=WORK, Key=key)["Body"].read()
    assert stored == listed.content
    assert not load_resources(ROOT).buckets["work"].events


def test_lists_of_one_name_and_other_content_do_not_meet() -> None:
    assert KeyList("a.csv", b"key\n1\n").name != KeyList("a.csv", b"key\n2\n").name


def test_a_summary_is_a_line_of_a_spreadsheet(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"total": 9, "succeeded": 7, "failed": 1, "aborted": 1, "timed_out": 0}
    told = {"schema": 1, "backfill": "monday", "counts": counts, "error": "TooManyFailed"}
    put(site, "backfill/monday/summary.json", told)
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: site)
    words = ["summary", "monday", "tuesday", "--endpoint-url", "http://localhost"]

    done = CliRunner().invoke(backfill, words)

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "backfill,total,succeeded,failed,aborted,timed_out,error",
        "monday,9,7,1,1,0,TooManyFailed",
    ]
    assert "no summary of a backfill tuesday" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"), [("name\ncat.jpg\n", "has a `key`"), ("key\n", "no `key` in the file")]
)
def test_a_file_that_lists_nothing_is_refused_before_anything_is_asked(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "rows.csv").write_text(content)

    done = CliRunner().invoke(backfill, ["start", "--list", str(tmp_path / "rows.csv")])

    assert done.exit_code == 2
    assert said in done.stderr


def test_a_backfill_without_results_is_an_error_and_not_an_empty_report(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: site)

    told = CliRunner().invoke(backfill, ["report", "tuesday", "--endpoint-url", "http://localhost"])

    assert told.exit_code == 1
    assert "no results of a backfill tuesday" in told.output
