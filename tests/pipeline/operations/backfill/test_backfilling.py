"""Lists, estimates and results of a backfill."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws
from pydantic import ValidationError

from pipeline.cli.backfill import backfill
from pipeline.contracts.inputs import BackfillInput
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.products import load_products
from pipeline.declared.resources import load_resources
from pipeline.errors import InvalidOptions
from pipeline.local.deployment import create_tables
from pipeline.operations.backfill.backfilling import (
    Batch,
    _each_of,
    require_options,
    start_backfill,
)
from pipeline.operations.backfill.lists import LISTS, put_list, read_keys
from pipeline.operations.backfill.pace import MOST_AT_ONCE
from pipeline.operations.backfill.results import (
    ObjectResult,
    find_manifests,
    object_result,
    read_results,
)
from pipeline.operations.backfill.work import most_transitions
from pipeline.operations.site import Site
from tests.conftest import ROOT
from tests.pipeline.operations.sites import CUTOUT, PRODUCTS, TRANSCRIPT, FakeSite

WORK: Final = LOCAL_NAMES.bucket("work")
INGEST: Final = LOCAL_NAMES.bucket("ingest")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'key,note\n"a, b.jpg",x\nc.jpg,\n'),
        ("a.csv", b'\xef\xbb\xbfnote,key\r\nx,"a, b.jpg"\r\n,c.jpg\r\n'),
        ("a.jsonl", b'{"key": "a, b.jpg"}\n\n{"key": "c.jpg", "note": 1}'),
    ],
    ids=["csv", "excel", "lines"],
)
def test_a_list_names_its_keys_whoever_wrote_it(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    assert read_keys(tmp_path / name) == ("a, b.jpg", "c.jpg")


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
        ("a.jsonl", b'{"key": "\\ud800.jpg"}'),
        ("a.jsonl", b"[" * 100_000),
        ("a.jsonl", b'{"key": "' + 1025 * b"a" + b'"}'),
        ("a.csv", b"key\n" + 200_000 * b"a" + b"\n"),
    ],
    ids=[
        "other-column", "text", "array", "bytes", "empty", "empty-key", "null", "number",
        "half-a-pair", "deep", "long", "endless-cell",
    ],
)  # fmt: skip
def test_a_list_without_keys_is_refused_by_its_name(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidOptions, match=name):
        read_keys(tmp_path / name)


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\u2029"], ids=["ls", "nel", "ps"])
def test_a_line_ends_with_a_line_feed_and_nothing_else(odd: str, tmp_path: Path) -> None:
    """Such separators stand in keys as they are, where JSON is written without escapes."""
    keys = (f"a{odd}b.jpg", "c\r\n.jpg")
    lines = "\r\n".join(json.dumps({"key": key}, ensure_ascii=False) for key in keys)
    (tmp_path / "a.jsonl").write_bytes(lines.encode())

    assert read_keys(tmp_path / "a.jsonl") == keys


def test_the_longest_way_without_an_error_is_what_is_billed() -> None:
    """Begin, Choose, Stage, Each with Copy, Both with Left and Right; no Repair, loop or job."""
    one: dict[str, Any] = {"StartAt": "Copy", "States": {"Copy": {"End": True}}}
    left, right = ({"StartAt": name, "States": {name: {"End": True}}} for name in "LR")
    states = {
        "Begin": {"Next": "Choose", "Catch": [{"Next": "Repair"}]},
        "Choose": {"Choices": [{"Next": "Stage"}, {"Next": "StageOnBatch"}], "Default": "Each"},
        "StageOnBatch": {"Branches": [one, one, one, one], "Next": "Each"},
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


def test_a_batch_of_one_product_below_a_prefix_is_listed_by_the_machine(site: Site) -> None:
    given = started(site, Batch(TRANSCRIPT, prefix="2024/"))

    assert (given["prefix"], given["machine"]) == ("2024/", "write-transcript")
    assert "list" not in given
    assert "max_concurrency" not in given


def test_each_object_below_a_prefix_gets_the_machine_that_its_name_starts(site: Site) -> None:
    for key in ("old/cat.jpg", "old/talk.mp3", "old/TALK.MP3", "old/mp3", "old/", "new/dog.jpg"):
        site.client("s3").put_object(Bucket=INGEST, Key=key, Body=b"")

    given = started(site, Batch(None, prefix="old/", max_concurrency=7))

    assert lines(site, given["list"]) == {
        "old/cat.jpg": "cutout",
        "old/mp3": "cutout",
        "old/talk.mp3": "write-transcript",
        "old/TALK.MP3": "write-transcript",
    }
    assert given["max_concurrency"] == 7
    assert given.keys() & {"machine", "prefix"} == set()


def test_a_list_for_one_product_sends_it_every_object(site: Site) -> None:
    given = started(site, Batch(TRANSCRIPT, keys=("cat.jpg", "talk.mp3", "folder/")))

    assert set(lines(site, given["list"]).values()) == {"write-transcript"}
    assert len(lines(site, given["list"])) == 2


def test_a_key_that_is_given_twice_is_processed_once(site: Site) -> None:
    given = started(site, Batch(None, keys=("cat.jpg", "dog.jpg", "cat.jpg")))

    stored = site.client("s3").get_object(Bucket=WORK, Key=f"{LISTS}{given['list']}")
    assert len(stored["Body"].read().splitlines()) == 2


@pytest.mark.parametrize("keys", [None, ("cat.jpg",)], ids=["prefix", "list"])
def test_what_the_command_starts_may_be_started_in_the_console(
    site: Site, keys: tuple[str, ...] | None
) -> None:
    given = started(site, Batch(CUTOUT, keys=keys, max_concurrency=MOST_AT_ONCE))

    assert BackfillInput.model_validate(given)
    for wrong in ({"machine": None}, {"prefix": "a/", "list": "b"}, {"list": None, "prefix": None}):
        with pytest.raises(ValidationError, match="give a machine and a prefix, or a list"):
            BackfillInput.model_validate({"machine": "cutout", "prefix": "a/", **wrong})


def test_nothing_starts_where_there_is_no_object(site: Site) -> None:
    site.client("s3").put_object(Bucket=INGEST, Key="old/", Body=b"")

    with pytest.raises(InvalidOptions, match="no object"):
        started(site, Batch(None, prefix="old/"))


def test_options_must_be_known_to_every_product_that_may_get_them() -> None:
    products = (CUTOUT, TRANSCRIPT)

    require_options(Batch(None, options={"compute": "batch"}), products)
    require_options(Batch(TRANSCRIPT, options={"diarize": True}), products)
    with pytest.raises(InvalidOptions, match="product cutout has no option diarize"):
        require_options(Batch(None, options={"diarize": True}), products)


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
        for bucket in (WORK, INGEST):
            session.client("s3").create_bucket(Bucket=bucket)
        session.client("stepfunctions").create_state_machine(
            name=LOCAL_NAMES.machine("backfill"),
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn=f"arn:aws:iam::{LOCAL_NAMES.account}:role/backfill",
        )
        yield Site(LOCAL_NAMES, session, PRODUCTS)


def started(site: Site, batch: Batch) -> dict[str, Any]:
    """Start a backfill, and return its execution's input."""
    arn = start_backfill(site, batch)
    states = site.client("stepfunctions")
    given: dict[str, Any] = json.loads(states.describe_execution(executionArn=arn)["input"])
    return given


def lines(site: Site, listed: str) -> dict[str, str]:
    """Return the state machine of each key on a list."""
    stored = site.client("s3").get_object(Bucket=WORK, Key=f"{LISTS}{listed}")["Body"].read()
    return {line["key"]: line["machine"] for line in map(json.loads, stored.splitlines())}


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


def test_a_list_is_put_where_nothing_starts(site: Site) -> None:
    name = put_list(site, ["cat.jpg"], None)

    assert lines(site, name) == {"cat.jpg": "cutout"}
    assert not load_resources(ROOT).buckets["work"].events


def test_lists_with_other_content_do_not_meet(site: Site) -> None:
    names = {put_list(site, keys, None) for keys in (["1"], ["2"], ["1"])}

    assert len(names) == 2


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


def test_a_dry_run_over_every_product_tells_counts_cost_and_time_and_starts_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tables(load_resources(ROOT), site.client("dynamodb"))
    for key in ("cat.jpg", "dog.jpg", "talk.mp3"):
        site.client("s3").put_object(Bucket=INGEST, Key=key, Body=b"media")
    real = replace(site, products=load_products(ROOT))
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: real)

    done = CliRunner().invoke(
        backfill, ["start", "--dry-run", "--concurrency", "2", "--endpoint-url", "http://localhost"]
    )

    told = done.output.splitlines()
    assert told[0] == "3 objects, 0.000 GB; 0 done already"
    assert told[1].startswith("cutout: 2 objects, ")
    assert told[2].startswith("transcript: 1 object, 5 s each with ")
    assert told[3].startswith("about $0.00")
    assert re.match("about 0:00:0[5-9], 2 at a time; ", told[4])
    arn = LOCAL_NAMES.unqualified_machine_arn("backfill")
    assert not site.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]


def test_a_long_list_is_looked_up_bit_by_bit() -> None:
    """All of a million look-ups at once would take gigabytes."""
    asked: list[str] = []

    class Counting(FakeSite):
        def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
            asked.append(Key)
            return {"ContentLength": len(Bucket)}

    keys = {f"{number}.jpg": None for number in range(5_000)}
    found = _each_of(Counting().site, keys)

    first, _ = next(found)
    cast("Generator[object]", found).close()

    assert first == "0.jpg"
    assert len(asked) <= 1_000
    assert [key for key, _ in _each_of(Counting().site, keys)] == [*keys]


def test_an_option_that_some_products_lack_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replace(site, products=load_products(ROOT))
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: real)
    words = ["start", "--options", '{"diarize": true}', "--endpoint-url", "http://localhost"]

    done = CliRunner().invoke(backfill, words)

    assert done.exit_code == 2
    assert "choose the product with --product" in done.output
