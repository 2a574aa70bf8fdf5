"""A job is followed from its upload to its results or its error, by its owner and nobody else."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import urllib3

from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.local.deployment import NAMES
from pipeline.operations.uploading import LASTS, new_upload
from tests.execution.api import PHOTO, User, done, job, prefix_of, problem, send, wait_for
from tests.execution.driver import Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED
from tests.pictures import png


@pytest.fixture
def operator(driver: Driver) -> User:
    return User(driver.cloud.api, "olga", f"openid {OPERATOR_SCOPE}")


def test_an_upload_is_followed_to_its_results(ada: User) -> None:
    form = ada.upload(options={"outputs": ["cutout", "mask"]})
    waiting = job(ada, form["id"])
    assert waiting == {
        "id": form["id"],
        "state": "waiting",
        "form_expires_at": form["expires_at"],
    }

    send(form)
    found = wait_for(ada, form["id"], "done")

    assert (found["product"], found["key"]) == ("cutout", form["key"])
    assert [each["name"] for each in found["results"]] == ["cat_bg_removed.png", "cat_mask.png"]
    for each in found["results"]:
        content = urllib3.request("GET", each["url"]).data
        assert len(content) == each["bytes"]
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
        assert (each["media_type"], each["width"]) == ("image/png", found["results"][0]["width"])
        left = datetime.fromisoformat(each["expires_at"]) - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)
    record = json.loads(urllib3.request("GET", found["record"]["url"]).data)
    assert record["job_id"] == found["job"]
    assert record["source"]["key"] == form["key"]
    assert not found.keys() & {"error", "tasks"}


def test_a_job_is_found_by_its_id_and_by_its_execution(ada: User) -> None:
    found = done(ada)

    for name in (found["job"], found["execution"]):
        same = job(ada, name)
        assert (same["state"], same["job"]) == ("done", found["job"])
        assert [each["sha256"] for each in same["results"]] == [
            each["sha256"] for each in found["results"]
        ]


def test_what_was_refused_before_it_became_a_job_is_found_by_its_upload(ada: User) -> None:
    found = done(ada, b"no photo", name="letter.txt")

    assert found["state"] == "quarantined"
    assert found["key"].endswith("/letter.txt")
    assert found["error"]["name"] == "UnsupportedMedia"
    assert found["error"]["type"].endswith("errors.md#unsupportedmedia")
    assert found["error"]["message"] == "plain text"
    assert found["error"]["hint"].startswith("Upload a photo (JPEG")
    assert job(ada, found["execution"])["error"] == found["error"]
    assert "job" not in found


def test_what_was_refused_with_a_job_says_why(ada: User) -> None:
    black = png(np.zeros((48, 64, 3), np.uint8))
    found = done(ada, black)

    assert (found["state"], found["error"]["name"]) == ("quarantined", "NoSubject")
    assert job(ada, found["job"])["error"] == found["error"]


def test_a_bug_is_told_without_what_is_inside(ada: User) -> None:
    found = done(ada, options={"model": "buggy"})

    assert (found["state"], found["error"]["name"]) == ("failed", "JobFailed")
    assert "ZeroDivision" not in json.dumps(found)
    assert "division" not in json.dumps(found)
    # Jobs that other tests stopped may end later, so this one need not be the first.
    listed = ada.ask("GET", "/jobs?status=failed&limit=100").json()["jobs"]
    assert {each["id"]: each["error"] for each in listed}[found["job"]] == "JobFailed"


def test_an_upload_that_never_came_has_expired(ada: User, bob: User) -> None:
    upload = new_upload(prefix_of(ada), datetime.now(UTC) - LASTS)

    assert job(ada, upload.id)["state"] == "expired"
    assert problem(bob.ask("GET", f"/jobs/{upload.id}")) == (404, "nosuchjob")


def test_a_form_that_is_sent_again_makes_a_duplicate_with_the_first_result(
    driver: Driver, ada: User
) -> None:
    form = ada.upload()
    send(form)
    first = wait_for(ada, form["id"], "done")
    list(driver._watch.ended())
    send(form)
    (execution,) = driver.wait_for([form["key"]])

    found = job(ada, execution.name)

    assert (found["state"], found["job"]) == ("duplicate", first["job"])
    assert [each["sha256"] for each in found["results"]] == [
        each["sha256"] for each in first["results"]
    ]
    assert job(ada, form["id"])["state"] == "done"


def test_a_running_job_tells_its_tasks_and_can_be_cancelled(driver: Driver, ada: User) -> None:
    told: list[dict[str, Any]] = []
    form = ada.upload()

    def cancel() -> None:
        told.append(job(ada, form["id"]))
        told.append(ada.ask("DELETE", f"/jobs/{form['id']}").json())

    driver.faults.before(WEIGHTS_ARE_LISTED, cancel)
    send(form)
    found = wait_for(ada, form["id"], "failed")

    running, cancelled = told
    assert running["state"] == "running"
    assert [each["task"] for each in running["tasks"]][:3] == ["Inspect", "Claim", "FindWeights"]
    assert running["tasks"][0]["ms"] > 0
    assert "ms" not in running["tasks"][-1]
    assert cancelled["execution"] == running["execution"]
    assert found["error"]["name"] == "JobStopped"
    assert problem(ada.ask("DELETE", f"/jobs/{form['id']}")) == (409, "notrunning")


def test_a_file_that_has_no_job_yet_is_cancelled_later(driver: Driver, ada: User) -> None:
    form = ada.upload()
    with driver.silence():
        send(form)

    answer = ada.ask("DELETE", f"/jobs/{form['id']}")

    assert problem(answer) == (409, "notrunning")
    assert answer.json()["detail"] == "its job is not recorded yet; try again in a minute"


def test_no_object_has_a_longer_key_than_s3_allows(driver: Driver, ada: User) -> None:
    asked: list[int] = []
    driver.faults.before(rf"GET /{NAMES.bucket('ingest')}", lambda: asked.append(1))

    key = f"{prefix_of(ada)}{'é' * 500}.png"

    assert problem(ada.ask("POST", "/jobs", body={"key": key})) == (404, "nosuchobject")
    assert asked == []
    ada.ask("POST", "/jobs", body={"key": f"{prefix_of(ada)}a.png"})
    assert asked == [1]


def test_what_does_not_run_is_not_cancelled(ada: User) -> None:
    assert problem(ada.ask("DELETE", f"/jobs/{ada.upload()['id']}")) == (409, "notrunning")
    assert problem(ada.ask("DELETE", f"/jobs/{done(ada)['job']}")) == (409, "notrunning")


def test_a_failed_job_is_replayed(driver: Driver, ada: User) -> None:
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        failed = done(ada)
    assert (failed["state"], failed["error"]["name"]) == ("failed", "StoreUnavailable")

    answer = ada.ask("POST", f"/jobs/{failed['job']}/replay", body={})

    assert answer.status == 202, answer.data
    again = answer.json()
    assert again["state"] == "running"
    assert wait_for(ada, again["id"], "done", "failed")["state"] == "done"
    assert job(ada, failed["id"])["state"] == "done"


def test_a_refused_upload_is_replayed(ada: User) -> None:
    refused = done(ada, b"no photo")

    answer = ada.ask("POST", f"/jobs/{refused['id']}/replay", body={})

    assert answer.status == 202, answer.data
    again = wait_for(ada, answer.json()["id"], "quarantined")
    assert again["execution"] != refused["execution"]
    assert job(ada, refused["id"])["execution"] == again["execution"]


def test_a_finished_job_is_replayed_only_with_force(ada: User) -> None:
    first = done(ada)

    refused = ada.ask("POST", f"/jobs/{first['id']}/replay", body={})
    assert problem(refused) == (409, "notreplayable")

    answer = ada.ask("POST", f"/jobs/{first['id']}/replay", body={"force": True})
    assert answer.status == 202, answer.data
    again = wait_for(ada, answer.json()["id"], "done", "failed")
    assert (again["state"], again["job"]) == ("done", first["job"])
    assert again["execution"] != first["execution"]


def test_an_upload_that_never_came_is_not_replayed(ada: User) -> None:
    answer = ada.ask("POST", f"/jobs/{ada.upload()['id']}/replay", body={})

    assert problem(answer) == (409, "notreplayable")


@pytest.mark.parametrize("lost", ["record", "replaced"])
def test_a_result_that_is_gone_is_named_and_never_an_empty_answer(
    driver: Driver, ada: User, lost: str
) -> None:
    found = done(ada)
    key = f"{found['key'].removesuffix('.png')}_bg_removed.json"
    if lost == "record":
        driver.s3.delete_object(Bucket=NAMES.bucket("output"), Key=key)
    else:
        driver.s3.put_object(Bucket=NAMES.bucket("output"), Key=key, Body=b'{"job_id": "other"}')

    gone = job(ada, found["id"])

    assert (gone["state"], gone["error"]["name"]) == ("done", "ResultGone")
    assert not gone.keys() & {"results", "record"}


def test_a_job_is_started_for_an_object_that_is_there(ada: User) -> None:
    first = done(ada)

    answer = ada.ask("POST", "/jobs", body={"key": first["key"], "options": {"format": "webp"}})

    assert answer.status == 202, answer.data
    found = wait_for(ada, answer.json()["id"], "done", "failed")
    assert [each["name"] for each in found["results"]] == ["cat_bg_removed.webp"]
    assert found["job"] != first["job"]


def test_a_job_that_is_done_is_a_duplicate_unless_it_is_forced(ada: User) -> None:
    first = done(ada)

    again = ada.ask("POST", "/jobs", body={"key": first["key"]}).json()
    forced = ada.ask("POST", "/jobs", body={"key": first["key"], "force": True}).json()

    assert wait_for(ada, again["id"], "done", "duplicate")["state"] == "duplicate"
    assert wait_for(ada, forced["id"], "done", "duplicate")["state"] == "done"


def test_wrong_options_of_a_job_start_nothing(ada: User) -> None:
    first = done(ada)

    answer = ada.ask("POST", "/jobs", body={"key": first["key"], "options": {"margin": 101}})

    assert problem(answer) == (422, "invalidoptions")
    assert answer.json()["errors"][0]["field"] == "body.options.margin"


def test_nobody_finds_or_starts_what_belongs_to_another(ada: User, bob: User) -> None:
    """For every route, another's answer is that for something that never was."""
    found = done(ada)
    refused = done(ada, b"no photo")
    for name in (
        found["id"],
        found["job"],
        found["execution"],
        refused["id"],
        refused["execution"],
    ):
        for method, path, body in (
            ("GET", f"/jobs/{name}", None),
            ("POST", f"/jobs/{name}/replay", {"force": True}),
            ("DELETE", f"/jobs/{name}", None),
        ):
            answer = bob.ask(method, path, body=body)
            assert problem(answer) == (404, "nosuchjob"), (method, path)
            never = bob.ask(method, path.replace(name, "never"), body=body)
            assert answer.json()["detail"].replace(name, "never") == never.json()["detail"]
    others, missing = (
        bob.ask("POST", "/jobs", body={"key": key})
        for key in (found["key"], f"{prefix_of(bob)}cat.png")
    )
    assert problem(others) == problem(missing) == (404, "nosuchobject")
    assert found["job"] not in bob.ask("GET", "/jobs").data.decode()
    assert job(ada, found["id"])["execution"] == found["execution"]


def test_an_operator_finds_everybodys_jobs(driver: Driver, ada: User, operator: User) -> None:
    found = done(ada)
    dropped = driver.drop(PHOTO, "dropped/cat.png")

    assert job(operator, found["job"])["results"]
    assert job(operator, dropped.name)["results"]
    assert ada.ask("GET", f"/jobs/{dropped.name}").status == 404
    listed = {each["id"] for each in operator.ask("GET", "/jobs?limit=100").json()["jobs"]}
    assert {found["job"], dropped.output["job_id"]} <= listed
    started = operator.ask("POST", "/jobs", body={"key": "dropped/cat.png"})
    assert wait_for(operator, started.json()["id"], "duplicate")


@pytest.mark.parametrize(
    "name",
    [
        "never",
        "0" * 32,
        "x" * 81,
        "a.b",
        "arn:aws:states:us-east-1:123456789012:execution:m:n",
        "%00",
    ],
)
def test_an_unknown_name_is_not_found(ada: User, name: str) -> None:
    assert problem(ada.ask("GET", f"/jobs/{name}"))[0] == 404
