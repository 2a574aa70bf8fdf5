"""What an audit compares: object versions, their executions, and what was done twice."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import boto3
import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.auditing import _doubled, accepted_since, audit
from pipeline.operations.executions import Execution
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.site import Site
from pipeline.operations.verdicts import DOUBLED
from tests.pipeline.operations.sites import CUTOUT, PRODUCTS, TRANSCRIPT, FakeSite

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET: Final = LOCAL_NAMES.bucket("ingest")
PAGES: Final = 20
PAGE: Final = 500


def done(job_id: str, *, forced: bool = False, ended_as: str = "DONE") -> Execution:
    output = {"status": ended_as, "job_id": job_id}
    return Execution("arn", "SUCCEEDED", {"force": forced}, output, None, None)


@pytest.mark.parametrize(
    ("executions", "doubled"),
    [
        pytest.param([done("j"), done("j")], ["j"], id="twice"),
        pytest.param([done("j"), done("k")], [], id="two jobs"),
        pytest.param([done("j"), done("j", forced=True)], [], id="once more by force"),
        pytest.param([done("j"), done("j", ended_as="DUPLICATE")], [], id="a duplicate"),
        pytest.param([Execution("arn", "RUNNING", {}, {}, None, None)], [], id="not yet"),
    ],
)
def test_a_job_is_doubled_if_it_was_cut_out_twice_and_nobody_forced_it(
    executions: list[Execution], doubled: list[str]
) -> None:
    findings = list(_doubled(executions, []))

    assert [(finding.kind, finding.what) for finding in findings] == [
        (DOUBLED, job_id) for job_id in doubled
    ]


@pytest.mark.parametrize(
    ("missed_by", "doubled"),
    [(("first",), 0), (("before the audit",), 1), ((), 1)],
)
def test_a_job_whose_result_was_missed_in_between_is_not_doubled(
    missed_by: tuple[str, ...], doubled: int
) -> None:
    executions = [replace(done("j"), arn=name) for name in ("first", "second")]
    row = JobRow("j", "DONE", "second", NOON, missed_by=missed_by)

    assert len(list(_doubled(executions, [row]))) == doubled


class LongHistory:
    """A deployment that has done much, all of it long ago."""

    def client(self, _service: str, **_: Any) -> Any:
        return self

    def get_paginator(self, name: str) -> Any:
        self.asked = name
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        pages = {"list_object_versions": _versions, "scan": _rows, "list_executions": _none}
        return pages[self.asked]()


def _versions() -> Iterator[dict[str, Any]]:
    for page in range(PAGES):
        keys = (f"{page:03}/{number:03}.jpg" for number in range(PAGE))
        facts = {"VersionId": "v", "ETag": '"etag"', "LastModified": NOON}
        yield {"Versions": [facts | {"Key": key} for key in keys]}


def _rows() -> Iterator[dict[str, Any]]:
    for page in range(PAGES):
        ids = (f"{page:03}-{number:03}" for number in range(PAGE))
        facts = {"status": {"S": "DONE"}, "updated_at": {"S": NOON.isoformat()}}
        yield {"Items": [facts | {"job_id": {"S": id_}, "execution": {"S": id_}} for id_ in ids]}


def _none() -> Iterator[dict[str, Any]]:
    yield {"executions": []}


def test_an_audit_of_the_last_hour_holds_nothing_of_the_years_before() -> None:
    """10,000 versions and rows would be 5 MB."""
    site = Site(LOCAL_NAMES, cast("boto3.Session", LongHistory()), PRODUCTS)

    tracemalloc.start()
    told = audit(site, NOON + timedelta(days=365), patience=timedelta(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (len(told.verdicts), told.findings) == (0, [])
    assert peak < 2 * 2**20


def version(name: str, *, minutes: int, key: str = "cat.jpg") -> dict[str, Any]:
    arrived = NOON + timedelta(minutes=minutes)
    return {"Key": key, "VersionId": name, "ETag": '"etag"', "LastModified": arrived}


def arn(name: str, machine: str = "cutout") -> str:
    return LOCAL_NAMES.execution_arn(machine, name)


def typed(name: str, *, minutes: int, **photo: str) -> Execution:
    asked = {"bucket": BUCKET, "key": "cat.jpg", **photo}
    started = NOON + timedelta(minutes=minutes)
    return Execution(arn(name), "SUCCEEDED", asked, {}, None, None, started=started)


def event(name: str, version_id: str) -> Execution:
    stored = {"key": "cat.jpg", "version-id": version_id}
    asked = {"detail-type": "", "detail": {"bucket": {"name": BUCKET}, "object": stored}}
    return Execution(arn(name), "SUCCEEDED", asked, {}, None, None, started=NOON)


@pytest.mark.parametrize(
    ("execution", "owner"),
    [
        pytest.param(event("e", "v1"), "v1", id="the event names it"),
        pytest.param(event("e", "v2"), "v2", id="the event names the other"),
        pytest.param(typed("t", minutes=9, version_id="v1"), "v1", id="typed with a version"),
        pytest.param(typed("t", minutes=2), "v1", id="typed before the second came"),
        pytest.param(typed("t", minutes=9), "v2", id="typed after"),
    ],
)
def test_an_execution_belongs_to_the_version_it_was_started_for(
    execution: Execution, owner: str
) -> None:
    site = FakeSite(versions=[version("v1", minutes=0), version("v2", minutes=5)])

    found = accepted_since(site.site, NOON, [execution], defaultdict(list))

    assert [each.source.version_id for each in found if each.executions] == [owner]


def test_versions_of_one_second_come_in_the_order_of_their_upload() -> None:
    site = FakeSite(versions=[version("v2", minutes=0), version("v1", minutes=0)])

    found = accepted_since(site.site, NOON, [], defaultdict(list))

    assert [each.source.version_id for each in found] == ["v1", "v2"]


def test_a_folders_marker_is_no_photo() -> None:
    site = FakeSite(versions=[version("v1", minutes=0, key="trips/")])

    assert list(accepted_since(site.site, NOON, [], defaultdict(list))) == []


def test_an_object_of_the_very_second_is_looked_at_and_an_older_one_is_not() -> None:
    site = FakeSite(versions=[version("v1", minutes=0), version("v0", minutes=-1, key="old.jpg")])

    found = accepted_since(site.site, NOON, [], defaultdict(list))

    assert [each.source.key for each in found] == ["cat.jpg"]


def test_a_version_is_audited_for_the_product_that_takes_its_key() -> None:
    site = FakeSite(versions=[version("v1", minutes=0, key="talk.mp3")])

    found = accepted_since(site.site, NOON, [], defaultdict(list))

    assert [(each.source.key, each.product) for each in found] == [("talk.mp3", TRANSCRIPT)]


def test_a_version_is_audited_for_every_product_that_processed_it() -> None:
    site = FakeSite(versions=[version("v1", minutes=0)])
    of_cutout = typed("t", minutes=1)
    of_other = replace(of_cutout, arn=arn("o", "write-transcript"))

    found = list(accepted_since(site.site, NOON, [of_cutout, of_other], defaultdict(list)))

    assert [(each.product, each.executions) for each in found] == [
        (CUTOUT, (of_cutout,)),
        (TRANSCRIPT, (of_other,)),
    ]


def test_an_execution_of_no_product_is_ignored() -> None:
    site = FakeSite(versions=[version("v1", minutes=0)])
    execution = replace(typed("t", minutes=1), arn=arn("t", "backfill"))

    assert [
        each.executions for each in accepted_since(site.site, NOON, [execution], defaultdict(list))
    ] == [()]
