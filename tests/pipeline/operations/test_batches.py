"""A batch is its owner's, and its failures are read from files of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations import batches
from pipeline.operations.batches import (
    FailedPage,
    FailedPlace,
    NoPlace,
    follow_batch,
    new_batch_id,
    read_failures,
)
from pipeline.operations.site import Site
from pipeline.operations.uploading import new_upload, read_upload
from tests.pipeline.operations.sites import PRODUCTS

WORK: Final = LOCAL_NAMES.bucket("work")
NOW: Final = datetime(2026, 10, 3, 12, 0, tzinfo=UTC)
CAUSE: Final = json.dumps(
    {"Name": "run-1", "Error": "NoSubject", "Cause": "nothing is seen: “é”\nShow it."}
)


@pytest.fixture
def site() -> Iterator[Site]:
    with mock_aws():
        session = boto3.Session("key", "secret", region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=WORK)
        yield Site(LOCAL_NAMES, session, PRODUCTS)


def entry(key: str, **more: str) -> dict[str, str]:
    failed = {"Status": "FAILED", "Error": "States.TaskFailed", "Cause": CAUSE}
    return {"Input": json.dumps({"key": key}), **failed, **more}


def write(site: Site, **files: list[list[dict[str, str]]]) -> None:
    """Write the report of the batch `monday`, with some files for each status."""
    listed: dict[str, list[dict[str, Any]]] = {"PENDING": [], "SUCCEEDED": [{"Key": "no"}]}
    for status, contents in files.items():
        for number, content in enumerate(contents):
            key = f"backfill/monday/results/run/{status}_{number}.json"
            text = json.dumps(content, ensure_ascii=False, indent=number or None)
            site.client("s3").put_object(Bucket=WORK, Key=key, Body=text.encode())
            listed.setdefault(status, []).append({"Key": key, "Size": len(text)})
    manifest = json.dumps({"ResultFiles": listed})
    site.client("s3").put_object(
        Bucket=WORK, Key="backfill/monday/results/run/manifest.json", Body=manifest
    )


def page(site: Site, after: FailedPlace | None = None, *, limit: int = 100) -> FailedPage:
    found = read_failures(site, "monday", after=after, limit=limit)
    assert found is not None
    return found


@pytest.mark.parametrize("chunk", [1, 64, 100_000])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_every_failure_comes_once_whatever_is_read_at_a_time(
    site: Site, monkeypatch: pytest.MonkeyPatch, chunk: int, limit: int
) -> None:
    monkeypatch.setattr(batches, "_CHUNK", chunk)
    keys = ["a.png", "ü/“b”.png", "c\\n.png", "😀.png", "e.png"]
    write(
        site,
        FAILED=[[entry(keys[0]), entry(keys[1])], [entry(keys[2])], []],
        TIMED_OUT=[[entry(keys[3], Status="TIMED_OUT"), entry(keys[4])]],
    )

    seen, found = [], page(site, limit=limit)
    while True:
        assert len(found.failed) <= limit
        seen += [each.key for each in found.failed]
        if found.after is None:
            break
        found = page(site, found.after, limit=limit)

    assert seen == keys


def test_a_failure_is_that_of_the_products_execution(site: Site) -> None:
    write(site, FAILED=[[entry("a.png"), entry("b.png", Error="States.Timeout", Cause="late")]])

    first, second = page(site).failed

    assert first.failure == ("NoSubject", "nothing is seen: “é”", "Show it.")
    assert (first.execution, second.execution) == ("run-1", "")
    assert second.failure.name == "States.Timeout"


@pytest.mark.parametrize("place", [(0, 5), (0, 10_000), (0, -1), (2, 0), (-1, 0)])
def test_a_place_without_a_failure_is_none(site: Site, place: tuple[int, int]) -> None:
    write(site, FAILED=[[entry("a.png")]])

    with pytest.raises(NoPlace):
        page(site, FailedPlace(*place))


def test_a_batch_without_a_manifest_has_no_failures_to_read(site: Site) -> None:
    assert read_failures(site, "monday", after=None, limit=1) is None


def test_an_id_is_its_owners_and_none_of_an_upload() -> None:
    batch, upload = new_batch_id("ada/", NOW), new_upload("ada/", NOW)

    assert read_upload(batch, "ada/") is None
    assert read_upload(upload.id, "ada/") == upload


@pytest.mark.parametrize("visible", ["bob/", "b"])
def test_anothers_batch_is_not_even_looked_up(site: Site, visible: str) -> None:
    for name in (new_batch_id("ada/", NOW), new_upload("bob/", NOW).id, "monday", "a:b"):
        assert follow_batch(site, name, owner="bob/", visible=visible) is None
