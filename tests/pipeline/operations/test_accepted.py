"""Which executions belong to which version of an object."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.accepted import accepted_since
from pipeline.operations.executions import Execution
from tests.pipeline.operations.sites import FakeSite

BUCKET: Final = LOCAL_NAMES.bucket("ingest")
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


def version(name: str, *, minutes: int, key: str = "cat.jpg") -> dict[str, Any]:
    arrived = NOON + timedelta(minutes=minutes)
    return {"Key": key, "VersionId": name, "ETag": '"etag"', "LastModified": arrived}


def typed(name: str, *, minutes: int, **photo: str) -> Execution:
    asked = {"bucket": BUCKET, "key": "cat.jpg", **photo}
    started = NOON + timedelta(minutes=minutes)
    return Execution(name, "SUCCEEDED", asked, {}, None, None, started=started)


def event(name: str, version_id: str) -> Execution:
    stored = {"key": "cat.jpg", "version-id": version_id}
    asked = {"detail-type": "", "detail": {"bucket": {"name": BUCKET}, "object": stored}}
    return Execution(name, "SUCCEEDED", json.loads(json.dumps(asked)), {}, None, None, started=NOON)


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

    found = accepted_since(site.site, NOON, [execution])

    assert [each.photo.version_id for each in found if each.executions] == [owner]


def test_a_folders_marker_is_no_photo() -> None:
    site = FakeSite(versions=[version("v1", minutes=0, key="trips/")])

    assert list(accepted_since(site.site, NOON, [])) == []


def test_an_object_of_the_very_second_is_looked_at_and_an_older_one_is_not() -> None:
    site = FakeSite(versions=[version("v1", minutes=0), version("v0", minutes=-1, key="old.jpg")])

    found = accepted_since(site.site, NOON, [])

    assert [each.photo.key for each in found] == ["cat.jpg"]
