"""A request that is sent again is answered as the first time, and a request may wait for an end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.api import PHOTO, User, done, job, problem, send, wait_for
from tests.execution.driver import Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED


def asked(**body: Any) -> dict[str, Any]:
    return {"name": "cat.png", "bytes": len(PHOTO), **body}


def test_a_repeated_upload_gets_the_first_form(ada: User) -> None:
    first, again = (
        ada.ask("POST", "/uploads", body=asked(), idempotency_key="form") for _ in range(2)
    )
    other = ada.ask("POST", "/uploads", body=asked(), idempotency_key="another")

    assert (first.status, again.status) == (201, 201)
    assert again.json() == first.json()
    assert other.json()["id"] != first.json()["id"]
    assert send(again.json()).status == 201
    assert wait_for(ada, first.json()["id"], "done")


def test_a_key_is_not_for_another_request(ada: User) -> None:
    assert ada.ask("POST", "/uploads", body=asked(), idempotency_key="once").status == 201

    for path, body in (("/uploads", asked(bytes=1)), ("/jobs", {"key": "cat.png"})):
        answer = ada.ask("POST", path, body=body, idempotency_key="once")
        assert problem(answer) == (409, "idempotencykeyreused"), path


def test_a_key_is_its_users_own(driver: Driver, ada: User) -> None:
    bob = User(driver.cloud.api, "bob")

    first, other = (
        user.ask("POST", "/uploads", body=asked(), idempotency_key="mine") for user in (ada, bob)
    )

    assert (first.status, other.status) == (201, 201)
    assert other.json()["key"] != first.json()["key"]
    assert bob.ask("POST", "/uploads", body=asked(bytes=2), idempotency_key="mine").status == 409


def test_a_repeated_start_starts_one_job(ada: User) -> None:
    key = done(ada)["key"]
    body = {"key": key, "options": {"format": "webp"}}

    first, again = (ada.ask("POST", "/jobs", body=body, idempotency_key="start") for _ in range(2))

    assert (first.status, again.status) == (202, 202)
    assert again.json() == first.json()
    assert ada.ask("POST", "/jobs", body=body).json()["id"] != first.json()["id"]


def test_a_repeated_replay_starts_one_execution(ada: User) -> None:
    name = done(ada)["id"]
    path, body = f"/jobs/{name}/replay", {"force": True}

    first = ada.ask("POST", path, body=body, idempotency_key="replay")
    wait_for(ada, first.json()["id"], "done")
    again = ada.ask("POST", path, body=body, idempotency_key="replay")

    assert again.json()["execution"] == first.json()["execution"]
    assert job(ada, name)["execution"] == first.json()["execution"]


def executions(driver: Driver, machine: str) -> set[str]:
    listed = driver.cloud.client("stepfunctions").list_executions(
        stateMachineArn=NAMES.machine_arn(machine)
    )
    return {each["name"] for each in listed["executions"]}


@pytest.mark.parametrize("machine", ["cutout", "backfill"])
def test_a_request_whose_answer_was_lost_starts_nothing_twice(
    driver: Driver, ada: User, machine: str
) -> None:
    key = done(ada)["key"]
    path, body = {
        "cutout": ("/jobs", {"key": key, "force": True}),
        "backfill": ("/batches", {"prefix": key, "force": True, "product": "cutout"}),
    }[machine]
    before = executions(driver, machine)
    with ExitStack() as stack:
        driver.faults.before(
            r"StartExecution",
            lambda: stack.enter_context(driver.faults.outage(r"Describe(Execution|MapRun)")),
        )
        lost = ada.ask("POST", path, body=body, idempotency_key=f"lost {machine}")
    assert problem(lost) == (503, "tryagainlater")
    left = ada.ask("GET", "/quotas").json()["quotas"]

    again = ada.ask("POST", path, body=body, idempotency_key=f"lost {machine}")

    assert again.status == 202, again.data
    (started,) = (
        name for name in executions(driver, machine) - before if not name.startswith("item-")
    )
    assert again.json()["id"] == started
    assert ada.ask("GET", "/quotas").json()["quotas"] == left
    driver.wait_until_ended(NAMES.execution_arn(machine, started))


def test_of_requests_at_the_same_time_one_is_answered(ada: User) -> None:
    def ask(_: int) -> tuple[int, str]:
        answer = ada.ask("POST", "/uploads", body=asked(), idempotency_key="race")
        return answer.status, answer.json().get("id", "")

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(ask, range(6)))

    assert {status for status, _ in answers} <= {201, 409}
    assert len({upload for status, upload in answers if status == 201}) == 1


def test_an_error_is_not_kept(ada: User) -> None:
    wrong = ada.ask("POST", "/jobs", body={"key": "none.png"}, idempotency_key="again")
    right = ada.ask("POST", "/uploads", body=asked(), idempotency_key="again")

    assert (problem(wrong), right.status) == ((404, "nosuchobject"), 201)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none_is_refused(ada: User, key: str) -> None:
    answer = ada.ask("POST", "/uploads", body=asked(), idempotency_key=key)

    assert problem(answer) == (422, "invalidrequest")
    assert answer.json()["errors"][0]["field"].lower() == "header.idempotency-key"


def test_a_request_that_waits_is_answered_when_the_job_has_ended(ada: User) -> None:
    form = ada.upload()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ada.ask, "GET", f"/jobs/{form['id']}", prefer="wait=20")
        send(form)

        assert waiting.result().json()["state"] == "done"


def test_a_request_waits_no_longer_than_it_asks_to(driver: Driver, ada: User) -> None:
    told: list[str] = []
    form = ada.upload()

    def ask() -> None:
        told.append(ada.ask("GET", f"/jobs/{form['id']}", prefer="wait=1").json()["state"])

    driver.faults.before(WEIGHTS_ARE_LISTED, ask)
    send(form)

    assert wait_for(ada, form["id"], "done")
    assert told == ["running"]


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "outage"}])
def test_an_outage_is_told_as_one_and_the_request_may_be_sent_again(
    driver: Driver, ada: User, key: dict[str, str]
) -> None:
    first = done(ada)
    with driver.faults.outage(r"POST / .*(GetItem|PutItem|StartExecution)"):
        answer = ada.ask("POST", "/jobs", body={"key": first["key"]}, **key)

    assert problem(answer) == (503, "tryagainlater")
    assert int(answer.headers["retry-after"]) > 0
    assert ada.ask("POST", "/jobs", body={"key": first["key"]}, **key).status == 202
