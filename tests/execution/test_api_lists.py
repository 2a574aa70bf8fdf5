"""A caller's jobs are listed, by state and by time, a page at a time."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.execution.api import User, done, job, prefix_of, problem
from tests.execution.driver import Driver


@pytest.fixture(scope="module")
def carl(driver: Driver) -> User:
    """A user with three done jobs and one that was refused."""
    user = User(driver.cloud.api, "carl")
    for number in range(3):
        done(user, name=f"{number}.png")
    done(user, b"no photo", name="3.png")
    return user


def test_a_list_has_all_jobs_of_the_caller_latest_upload_first(carl: User) -> None:
    listed = carl.ask("GET", "/jobs").json()

    names = [each["key"].rpartition("/")[2] for each in listed["jobs"]]
    assert sorted(names) == ["0.png", "1.png", "2.png", "3.png"]
    keys = [each["key"] for each in listed["jobs"]]
    assert keys == sorted(keys, reverse=True)
    assert "cursor" not in listed
    for each in listed["jobs"]:
        assert job(carl, each["id"])["state"] == each["state"]


def test_a_list_goes_on_with_its_cursor(carl: User) -> None:
    whole = carl.ask("GET", "/jobs").json()["jobs"]

    first = carl.ask("GET", "/jobs?limit=3").json()
    rest = carl.ask("GET", f"/jobs?limit=3&cursor={first['cursor']}").json()

    assert first["jobs"] + rest["jobs"] == whole
    assert "cursor" not in rest


def test_a_list_may_be_of_one_state_or_one_time(carl: User) -> None:
    refused = carl.ask("GET", "/jobs?status=quarantined").json()["jobs"]
    past = datetime.now(UTC) - timedelta(hours=1)
    future = datetime.now(UTC) + timedelta(hours=1)

    assert [each["error"] for each in refused] == ["UnsupportedMedia"]
    assert len(since(carl, past)) == 4
    assert since(carl, future) == []
    assert len(carl.ask("GET", "/jobs?status=done").json()["jobs"]) == 3


@pytest.mark.parametrize(
    "query",
    [
        "status=waiting", "status=DONE", "since=yesterday", "since=2026-10-03T12:00:00",
        "since=0.5", "since=1790000000",
        "since=9999-12-31T23:59:59-12:00", "since=0001-01-01T00:00:00%2B14:00",
        "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=e30",
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(carl: User, query: str) -> None:
    answer = carl.ask("GET", f"/jobs?{query}")

    assert problem(answer) == (422, "invalidrequest")
    field = f"query.{query.partition('=')[0]}"
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_a_cursor_that_is_made_up_shows_nobody_elses_jobs(driver: Driver, carl: User) -> None:
    made_up = json.dumps([f"{prefix_of(carl)}~", "x"]).encode()
    cursor = base64.urlsafe_b64encode(made_up).decode().rstrip("=")

    bob = User(driver.cloud.api, "bob")
    answer = bob.ask("GET", f"/jobs?cursor={cursor}")

    assert problem(answer) == (422, "invalidrequest")
    assert len(carl.ask("GET", f"/jobs?cursor={cursor}").json()["jobs"]) == 4


def since(user: User, moment: datetime) -> list[Any]:
    found: list[Any] = user.ask("GET", f"/jobs?since={moment:%Y-%m-%dT%H:%M:%SZ}").json()["jobs"]
    return found
