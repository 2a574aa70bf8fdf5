"""A batch processes the objects of a list or a prefix, and says what became of each."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.backfill import backfill
from pipeline.local.deployment import NAMES
from tests.execution.api import PHOTO, User, done, job, prefix_of, problem
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED


def store(driver: Driver, user: User, folder: str, **files: bytes) -> list[str]:
    """Put files below a folder of the user's, without starting jobs; return their keys."""
    keys = [f"{prefix_of(user)}{folder}/{name.replace('_', '.')}" for name in files]
    with driver.silence():
        for key, content in zip(keys, files.values(), strict=True):
            driver.put(content, key)
    return keys


def start(user: User, **body: Any) -> dict[str, Any]:
    answer = user.ask("POST", "/batches", body=body)
    assert answer.status == 202, answer.data
    batch: dict[str, Any] = answer.json()
    return batch


def ended(user: User, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = user.ask("GET", f"/batches/{name}", prefer="wait=20")
        assert answer.status == 200, answer.data
        batch: dict[str, Any] = answer.json()
        if batch["state"] != "running":
            return batch
        assert time.monotonic() < deadline, f"{batch} does not end"


def counted(**some: int) -> dict[str, int]:
    return (
        dict.fromkeys(("total", "pending", "running", "succeeded", "failed", "aborted"), 0) | some
    )


def failures(user: User, name: str, query: str = "") -> dict[str, Any]:
    answer = user.ask("GET", f"/batches/{name}/failures{query}")
    assert answer.status == 200, answer.data
    page: dict[str, Any] = answer.json()
    return page


def test_each_object_of_a_list_is_processed_and_failures_have_their_reasons(
    driver: Driver, ada: User
) -> None:
    cat, text = store(driver, ada, "list", cat_png=PHOTO, text_png=b"no photo")
    missing = f"{prefix_of(ada)}list/missing.png"

    batch = start(ada, keys=[cat, text, missing, cat], options={"format": "webp"})
    found = ended(ada, batch["id"])

    assert (batch["state"], batch["product"]) == ("running", "cutout")
    assert (found["state"], found["counts"]) == ("done", counted(total=3, succeeded=1, failed=2))
    assert found["ended_at"] >= found["started_at"]
    assert "error" not in found
    assert driver.keys("output", prefix=f"{prefix_of(ada)}list/") == [
        f"{prefix_of(ada)}list/cat_bg_removed.json",
        f"{prefix_of(ada)}list/cat_bg_removed.webp",
    ]
    page = failures(ada, batch["id"])
    told = {each["key"]: each["error"] for each in page["failures"]}
    assert {key: error["name"] for key, error in told.items()} == {
        text: "UnsupportedMedia",
        missing: "SourceMissing",
    }
    assert told[text]["message"] == "plain text"
    assert told[text]["hint"].startswith("Upload a photo (JPEG")
    assert "cursor" not in page
    for each in page["failures"]:
        assert job(ada, each["job"])["error"]["name"] == each["error"]["name"]


def test_each_object_below_a_prefix_is_processed_and_what_is_done_is_skipped(
    driver: Driver, ada: User
) -> None:
    one, two = store(driver, ada, "prefix", one_png=PHOTO, two_png=PHOTO)
    prefix = f"{prefix_of(ada)}prefix/"

    found = ended(ada, start(ada, prefix=prefix, product="cutout")["id"])

    assert (found["state"], found["prefix"]) == ("done", prefix)
    assert found["counts"] == counted(total=2, succeeded=2)
    listed = {
        each["key"]: each for each in ada.ask("GET", "/jobs?status=done&limit=100").json()["jobs"]
    }
    first = job(ada, listed[one]["id"])
    again = ended(ada, start(ada, prefix=prefix, product="cutout")["id"])
    assert again["counts"] == counted(total=2, succeeded=2)
    assert job(ada, first["job"])["execution"] == first["execution"]
    forced = ended(ada, start(ada, prefix=prefix, product="cutout", force=True)["id"])
    assert forced["counts"] == counted(total=2, succeeded=2)
    assert job(ada, first["job"])["execution"] != first["execution"]
    assert two in listed


def test_a_prefix_without_objects_is_done(ada: User) -> None:
    batch = start(ada, prefix=f"{prefix_of(ada)}nothing/", product="cutout")

    assert ended(ada, batch["id"])["counts"] == counted()
    assert failures(ada, batch["id"]) == {"failures": []}


def test_failures_come_a_page_at_a_time(driver: Driver, ada: User) -> None:
    names = {f"{number}_png": b"no photo" for number in range(5)}
    keys = store(driver, ada, "pages", **names)
    name = start(ada, keys=keys)["id"]
    ended(ada, name)

    seen, query, pages = [], "?limit=2", 0
    while query:
        page = failures(ada, name, query)
        seen += [each["key"] for each in page["failures"]]
        query = f"?limit=2&cursor={page['cursor']}" if "cursor" in page else ""
        pages += 1

    assert sorted(seen) == sorted(keys)
    assert pages == 3


@pytest.mark.parametrize("place", [[0, 3], [0, 9_999_999], [9, 0], [0, -1], [], ["a", "b"], None])
def test_a_cursor_that_is_none_is_refused(driver: Driver, ada: User, place: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    (key,) = store(driver, ada, "cursor", a_png=b"no photo")
    name = start(ada, keys=[key])["id"]
    ended(ada, name)

    answer = ada.ask("GET", f"/batches/{name}/failures?cursor={cursor}")

    assert problem(answer) == (422, "invalidrequest")
    assert answer.json()["errors"][0]["field"] == "query.cursor"


def test_a_batch_that_is_stopped_stops_its_jobs_and_starts_no_more(
    driver: Driver, ada: User
) -> None:
    told: list[Any] = []
    (key,) = store(driver, ada, "stopped", cat_png=PHOTO)
    batch: dict[str, Any] = {}

    def stop() -> None:
        told.append(problem(ada.ask("GET", f"/batches/{batch['id']}/failures")))
        told.append(ada.ask("DELETE", f"/batches/{batch['id']}").status)
        ended(ada, batch["id"])
        time.sleep(1)  # the job is stopped after the batch

    driver.faults.before(WEIGHTS_ARE_LISTED, stop)
    batch |= start(ada, keys=[key])
    found = ended(ada, batch["id"])

    assert told == [(404, "noreport"), 200]
    assert (found["state"], found["error"]["name"]) == ("failed", "BatchStopped")
    assert found["counts"] == counted(total=1, aborted=1)
    (stopped,) = [
        each for each in ada.ask("GET", "/jobs?limit=100").json()["jobs"] if each["key"] == key
    ]
    assert wait_for_stopped(ada, stopped["id"]) == "JobStopped"
    assert problem(ada.ask("DELETE", f"/batches/{batch['id']}")) == (409, "notrunning")
    assert problem(ada.ask("GET", f"/batches/{batch['id']}/failures")) == (404, "noreport")


def wait_for_stopped(user: User, name: str) -> str:
    answer = user.ask("GET", f"/jobs/{name}", prefer="wait=20").json()
    return str(answer["error"]["name"])


def test_nobody_finds_stops_or_starts_what_belongs_to_another(
    driver: Driver, ada: User, bob: User, operator: User
) -> None:
    (key,) = store(driver, ada, "own", cat_png=PHOTO)
    name = start(ada, keys=[key])["id"]
    ended(ada, name)

    for method, path in (
        ("GET", f"/batches/{name}"),
        ("GET", f"/batches/{name}/failures"),
        ("DELETE", f"/batches/{name}"),
    ):
        others = bob.ask(method, path)
        never = bob.ask(method, path.replace(name, "never"))
        assert problem(others) == problem(never) == (404, "nosuchbatch")
        assert others.json()["detail"].replace(name, "never") == never.json()["detail"]
    for body, field in (
        ({"keys": [f"{prefix_of(bob)}a.png", key]}, "body.keys.1"),
        ({"prefix": prefix_of(ada)}, "body.prefix"),
        ({"prefix": ""}, "body.prefix"),
        ({"prefix": prefix_of(bob)[:-2]}, "body.prefix"),
    ):
        answer = bob.ask("POST", "/batches", body=body)
        assert problem(answer) == (422, "invalidrequest")
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert ended(operator, name)["counts"]["total"] == 1
    again = start(operator, prefix=f"{prefix_of(ada)}own/", product="cutout")
    assert ended(operator, again["id"])["state"] == "done"


def test_an_id_of_a_batch_is_none_of_a_job_and_the_reverse(driver: Driver, ada: User) -> None:
    (key,) = store(driver, ada, "ids", cat_png=PHOTO)
    name, upload = start(ada, keys=[key])["id"], ada.upload()["id"]

    assert problem(ada.ask("GET", f"/jobs/{name}")) == (404, "nosuchjob")
    assert problem(ada.ask("GET", f"/batches/{upload}")) == (404, "nosuchbatch")
    ended(ada, name)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"keys": ["{own}a.png"], "prefix": "{own}"}, "body"),
        ({"keys": []}, "body.keys"),
        ({"keys": ["{own}folder/"]}, "body.keys.0"),
        ({"keys": [""]}, "body.keys.0"),
        ({"keys": ["{own}" + "x" * 1024]}, "body.keys.0"),
        ({"keys": ["{own}a.png", "{own}" + "é" * 500]}, "body.keys.1"),
        ({"prefix": "{own}" + "é" * 500}, "body.prefix"),
        ({"keys": ["{own}x.png"] * 10_001}, "body.keys"),
        ({"prefix": "{own}", "product": "cutouts"}, "body.product"),
        ({"prefix": "{own}"}, "body.product"),
        ({"keys": ["{own}a.png", "{own}a.mp3"]}, "body.product"),
        (
            {"prefix": "{own}", "product": "cutout", "options": {"margin": 101}},
            "body.options.margin",
        ),
        ({"prefix": "{own}", "max_concurrency": 10_000}, "body.max_concurrency"),
    ],
)
def test_a_wrong_request_names_its_field_and_starts_nothing(
    driver: Driver, ada: User, body: Any, field: str
) -> None:
    own = prefix_of(ada)
    if "keys" in body:
        body = {**body, "keys": [key.replace("{own}", own) for key in body["keys"]]}
    if "prefix" in body:
        body = {**body, "prefix": body["prefix"].replace("{own}", own)}
    arn = NAMES.machine_arn("backfill")
    states = driver.cloud.client("stepfunctions")
    before = len(states.list_executions(stateMachineArn=arn)["executions"])

    answer = ada.ask("POST", "/batches", body=body)

    assert answer.status == 422, answer.data
    assert answer.json()["errors"][0]["field"] == field
    assert len(states.list_executions(stateMachineArn=arn)["executions"]) == before


def test_a_repeated_request_starts_one_batch(driver: Driver, ada: User) -> None:
    (key,) = store(driver, ada, "once", cat_png=PHOTO)

    first, again = (
        ada.ask("POST", "/batches", body={"keys": [key]}, idempotency_key="batch") for _ in range(2)
    )
    other = ada.ask("POST", "/batches", body={"keys": [f"{key}x"]}, idempotency_key="batch")

    assert (first.status, again.status) == (202, 202)
    assert again.json() == first.json()
    assert problem(other) == (409, "idempotencykeyreused")
    assert ended(ada, first.json()["id"])["state"] == "done"


def test_deleted_results_are_made_again_by_a_batch(ada: User) -> None:
    first = done(ada)
    ada.ask("DELETE", f"/jobs/{first['id']}?results=true")

    batch = ended(ada, start(ada, keys=[first["key"]])["id"])

    assert batch["counts"] == counted(total=1, succeeded=1)
    assert job(ada, first["id"])["results"]


def test_too_many_failures_fail_a_backfill_of_the_command_line_with_its_report(
    driver: Driver, ada: User, operator: User
) -> None:
    store(driver, ada, "cli", cat_png=PHOTO, a_png=b"no photo")
    there = ["--endpoint-url", driver.cloud.endpoint]
    prefix = f"{prefix_of(ada)}cli/"

    started = (
        CliRunner()
        .invoke(backfill, ["start", "--prefix", prefix, "--product", "cutout", *there])
        .output.strip()
    )
    name = started.rpartition(":")[2]
    found = ended(operator, name)

    assert (found["state"], found["error"]["name"]) == ("failed", "TooManyFailed")
    assert found["counts"] == counted(total=2, succeeded=1, failed=1)
    (failed,) = failures(operator, name)["failures"]
    assert (failed["key"], failed["error"]["name"]) == (f"{prefix}a.png", "UnsupportedMedia")
    report = CliRunner().invoke(backfill, ["report", name, *there]).output.splitlines()
    assert sorted(line.split(",")[:2] for line in report[1:]) == [
        [f"{prefix}a.png", "FAILED"],
        [f"{prefix}cat.png", "DONE"],
    ]
    summary = CliRunner().invoke(backfill, ["summary", name, *there]).output.splitlines()
    assert summary[1] == f"{name},2,1,1,0,0,TooManyFailed"
    assert problem(ada.ask("GET", f"/batches/{name}")) == (404, "nosuchbatch")
