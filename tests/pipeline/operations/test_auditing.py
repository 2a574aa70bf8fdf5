"""What counts as done twice."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import boto3
import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.auditing import _doubled, audit
from pipeline.operations.executions import Execution
from pipeline.operations.findings import DOUBLED
from pipeline.operations.site import Site

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAGES: Final = 60
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
    findings = list(_doubled(executions))

    assert [(finding.kind, finding.what) for finding in findings] == [
        (DOUBLED, job_id) for job_id in doubled
    ]


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
    """30,000 versions and rows would be 15 MB."""
    site = Site(LOCAL_NAMES, cast("boto3.Session", LongHistory()))

    tracemalloc.start()
    told = audit(site, NOON + timedelta(days=365), patience=timedelta(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (len(told.verdicts), told.findings) == (0, [])
    assert peak < 3 * 2**20
