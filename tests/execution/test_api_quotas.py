"""What is started over HTTP is counted, on a running cloud with many requests at a time."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from click.testing import CliRunner

from pipeline.cli.command import matteline
from pipeline.local.deployment import NAMES
from tests.execution.api import PHOTO, User, done, prefix_of, problem, wait_for
from tests.execution.driver import Driver
from tests.pictures import png, square


def limit(driver: Driver, user: User, *words: str) -> None:
    """Set limits of one user, as an operator does."""
    _type(driver, "set", prefix_of(user), *words)


def _type(driver: Driver, *words: str, code: int = 0) -> str:
    endpoint = ("--endpoint-url", driver.cloud.endpoint)
    told = CliRunner().invoke(matteline, ["quotas", *words, *endpoint], env={"COLUMNS": "200"})
    assert told.exit_code == code, told.output
    return told.output


def left(user: User, name: str = "jobs") -> int | None:
    found = {each["name"]: each["left"] for each in user.ask("GET", "/quotas").json()["quotas"]}
    result: int | None = found[name]
    return result


def ask_for_form(user: User, **headers: str) -> urllib3.BaseHTTPResponse:
    body = {"name": "cat.png", "bytes": len(PHOTO)}
    return user.ask("POST", "/uploads", body=body, **headers)


def test_requests_at_the_same_time_get_no_more_than_the_limit(driver: Driver) -> None:
    ada, bob = User(driver.cloud.api, "busy-ada"), User(driver.cloud.api, "busy-bob")
    limit(driver, ada, "--jobs", "7")

    with ThreadPoolExecutor(8) as threads:
        users = [ada] * 16 + [bob] * 4
        answers = list(threads.map(ask_for_form, users))

    assert Counter(each.status for each in answers[:16]) == {201: 7, 429: 9}
    assert {each.status for each in answers[16:]} == {201}
    refused = next(each for each in answers if each.status == 429)
    assert problem(refused) == (429, "quotaexceeded")
    assert refused.headers["ratelimit"].startswith('"jobs";r=0;t=')
    assert (left(ada), refused.headers["retry-after"].isdecimal()) == (0, True)


def test_jobs_and_replays_count_when_they_start_and_not_when_they_are_refused(
    driver: Driver,
) -> None:
    ada = User(driver.cloud.api, "counted-ada")
    limit(driver, ada, "--jobs", "3", "--upload-bytes", "1M")
    first = done(ada)
    assert (left(ada), left(ada, "upload_bytes")) == (2, 2**20 - len(PHOTO))

    assert ada.ask("POST", "/jobs", body={"key": "none.png"}).status == 404
    assert ada.ask("POST", "/jobs", body={"key": first["key"], "options": {"x": 1}}).status == 422
    path = f"/jobs/{first['id']}/replay"
    assert problem(ada.ask("POST", path, body={})) == (409, "notreplayable")
    assert left(ada) == 2

    again = ada.ask("POST", path, body={"force": True})
    assert again.headers["ratelimit"].startswith('"jobs";r=1;t=')
    wait_for(ada, again.json()["id"], "done")
    body = {"key": first["key"], "options": {"format": "webp"}}
    started = ada.ask("POST", "/jobs", body=body, idempotency_key="job")
    assert (started.status, left(ada)) == (202, 0)
    assert ada.ask("POST", "/jobs", body=body, idempotency_key="job").json() == started.json()
    wait_for(ada, started.json()["id"], "done")

    for refused in (
        ada.ask("POST", "/jobs", body=body),
        ada.ask("POST", path, body={"force": True}),
        ask_for_form(ada),
    ):
        assert problem(refused) == (429, "quotaexceeded")
    assert ada.ask("GET", f"/jobs/{first['id']}").status == 200


def test_a_replay_that_starts_nothing_does_not_count(driver: Driver) -> None:
    ada = User(driver.cloud.api, "replaying-ada")
    first = done(ada)
    before = left(ada)
    driver.s3.put_object(Bucket=NAMES.bucket("ingest"), Key=first["key"], Body=png(square(left=40)))

    answer = ada.ask("POST", f"/jobs/{first['job']}/replay", body={"force": True})

    assert problem(answer) == (409, "notreplayable")
    assert "was replaced" in answer.json()["detail"]
    assert left(ada) == before


def test_a_batch_counts_each_of_its_objects(driver: Driver) -> None:
    ada = User(driver.cloud.api, "batching-ada")
    limit(driver, ada, "--jobs", "5")
    keys = [f"{prefix_of(ada)}batch/{number}.png" for number in range(3)]
    with driver.silence():
        for key in keys:
            driver.put(PHOTO, key)

    listed = ada.ask("POST", "/batches", body={"keys": [*keys, keys[0]]})
    assert (listed.status, left(ada)) == (202, 2)
    cutout = {"product": "cutout"}
    below = ada.ask("POST", "/batches", body=cutout | {"prefix": f"{prefix_of(ada)}batch/"})
    assert (problem(below), left(ada)) == ((429, "quotaexceeded"), 2)
    assert below.json()["quotas"][0]["left"] == 2
    few = ada.ask("POST", "/batches", body=cutout | {"prefix": keys[0]})
    assert (few.status, left(ada)) == (202, 1)
    none = ada.ask("POST", "/batches", body=cutout | {"prefix": f"{prefix_of(ada)}nothing/"})
    assert (none.status, left(ada)) == (202, 0)


def test_an_operator_changes_limits_without_a_release(driver: Driver) -> None:
    ada = User(driver.cloud.api, "limited-ada")
    limit(driver, ada, "--jobs", "0")
    assert ask_for_form(ada).status == 429

    listed = _type(driver, "list")
    assert prefix_of(ada) in listed
    assert "10,000" in listed
    limit(driver, ada, "--jobs", "none")
    answer = ask_for_form(ada)
    assert (answer.status, left(ada)) == (201, None)
    assert '"jobs"' not in answer.headers["ratelimit"]
    _type(driver, "clear", prefix_of(ada))
    assert left(ada) == 9_999
    _type(driver, "clear", prefix_of(ada), code=1)


@pytest.mark.parametrize(
    "words",
    [
        ["set", "default"],
        ["set", "ada", "--jobs", "1"],
        ["set", "default", "--jobs", "many"],
        ["set", "default", "--jobs", "-1"],
        ["set", "default", "--upload-bytes", "1000T"],
    ],
)
def test_wrong_limits_are_not_set(driver: Driver, words: list[str]) -> None:
    _type(driver, *words, code=2)
