"""What operators see and do in the console, on a running cloud."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.contracts.inputs import STARTED_BY_HAND
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from tests.execution.api import User, problem
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED
from tests.pictures import png, square

INGEST = NAMES.bucket("ingest")


def get(user: User, path: str) -> Any:
    answer = user.ask("GET", f"/console/{path}")
    assert answer.status == 200, answer.data
    return answer.json()


def read(user: User, execution: Execution) -> dict[str, Any]:
    found: dict[str, Any] = get(user, f"executions/cutout/{execution.name}")
    return found


def states(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in found["states"] if each["name"] == name]


def wait_for(user: User, path: str, *statuses: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while (found := get(user, path))["status"] not in statuses:
        assert time.monotonic() < deadline, found["status"]
        time.sleep(0.1)
    return dict(found)


def test_every_machine_is_listed_and_drawn_as_it_is_deployed(
    driver: Driver, operator: User
) -> None:
    deployed = driver.cloud.blueprint.machines(NAMES)

    listed = {each["name"]: each for each in get(operator, "machines")["items"]}

    assert listed.keys() == deployed.keys()
    assert all(each["comment"] for each in listed.values())
    assert listed["cutout"]["product"] == "cutout"
    assert listed["reap-jobs"]["scheduled"] == "15 minutes"
    startable = {name for name, each in listed.items() if each["startable"]}
    products = {each.machine for each in driver.cloud.blueprint.products}
    assert startable == products | STARTED_BY_HAND.keys()


def test_every_example_is_an_input_that_the_schema_allows(operator: User) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for each in get(operator, "machines")["items"]:
        machine = get(operator, f"machines/{each['name']}")
        assert (machine["input_schema"] is not None) == each["startable"]
        assert bool(machine["examples"]) == each["startable"]
        for example in machine["examples"]:
            jsonschema.validate(example["input"], machine["input_schema"])


def test_a_task_that_fails_and_heals_shows_its_attempts(driver: Driver, operator: User) -> None:
    mask = rf"PUT /{NAMES.bucket('work')}/.*/mask.png"
    with driver.faults.outage(mask, times=20):  # S3's client tries some times by itself
        execution = driver.drop(png(square()), "console/heals.png")

    found = read(operator, execution)

    assert (found["status"], found["error"]) == ("succeeded", None)
    (removed,) = states(found, "RemoveBackground")
    assert removed["status"] == "succeeded"
    assert removed["attempts"] > 1
    assert len(removed["errors"]) == removed["attempts"] - 1
    assert {each["error"] for each in removed["errors"]} == {"StoreUnavailable"}
    assert removed["input"]["job"]["source"]["key"] == "console/heals.png"
    assert found["can"] == {"stop": False, "redrive": False, "replay": True}
    assert (found["trace_id"], found["truncated"]) == (execution.name, False)
    lines = get(operator, f"executions/cutout/{execution.name}/logs")
    assert {"background-remover", "media-inspector"} <= {e["container"] for e in lines["lines"]}
    assert "StoreUnavailable" in {each["error"] for each in lines["lines"]}
    assert lines["complete"]


def test_what_is_quarantined_is_listed_and_released(driver: Driver, operator: User) -> None:
    execution = driver.drop(b"no photo", "console/letter.jpg")
    driver.recording_of(execution)

    found = read(operator, execution)
    listed = get(operator, "quarantine?limit=100")["items"]
    (entry,) = (each for each in listed if each["key"] == "console/letter.jpg")

    assert (found["status"], found["error"]) == ("failed", "UnsupportedMedia")
    assert states(found, "Inspect")[0]["status"] == "caught"
    assert found["states"][-1]["status"] == "failed"
    assert (entry["error"], entry["message"]) == ("UnsupportedMedia", "plain text")
    assert entry["hint"].startswith("Upload a photo")
    released = operator.ask(
        "POST", f"/console/quarantine/{entry['id']}/release", body={"options": {"crop": True}}
    )
    assert released.status == 202, released.data
    again = released.json()
    rerun = wait_for(operator, f"executions/cutout/{again['name']}", "failed")
    assert rerun["input"]["options"] == {"crop": True}
    keys = {each["id"] for each in get(operator, "quarantine?limit=100")["items"]}
    assert entry["id"] not in keys


def test_an_input_that_is_nested_deep_spoils_no_answer(driver: Driver, operator: User) -> None:
    """Not through the console, which refuses such an input: by hand."""
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for key, value in (("deep", deep), ("large", "x" * 100_000)):
        given = {"bucket": INGEST, "key": f"console/{key}.png", "options": {"x": value}}
        driver.recording_of(driver.start(given))

    listed = {each["key"]: each for each in get(operator, "quarantine?limit=100")["items"]}
    assert listed["console/deep.png"]["error"] == "SourceMissing"
    assert len(json.dumps(listed["console/large.png"])) < 20_000
    found = get(operator, f"executions/cutout/{listed['console/deep.png']['id']}")
    assert found["truncated"]


def test_an_execution_is_started_with_a_checked_input(driver: Driver, operator: User) -> None:
    driver.put(png(square()), "console/started.png", to=driver.new_bucket())
    given = {"bucket": INGEST, "key": "console/none.png"}

    started = operator.ask(
        "POST", "/console/executions", body={"machine": "cutout", "input": given, "name": "by-hand"}
    )

    assert (started.status, started.json()) == (201, {"machine": "cutout", "name": "by-hand"})
    ended = wait_for(operator, "executions/cutout/by-hand", "failed")
    assert (ended["error"], ended["input"]) == ("SourceMissing", given)
    again = operator.ask(
        "POST",
        "/console/executions",
        body={"machine": "cutout", "input": {**given, "force": True}, "name": "by-hand"},
    )
    assert problem(again) == (409, "executionexists")


@pytest.mark.parametrize(
    ("machine", "given", "fields"),
    [
        ("cutout", {}, ["body.input.bucket", "body.input.key"]),
        ("cutout", 5, ["body.input"]),
        ("cutout", {"bucket": "b", "key": "k", "forced": True}, ["body.input.forced"]),
        (
            "cutout",
            {"bucket": "b", "key": "k", "options": {"crop": 7}},
            ["body.input.options.crop"],
        ),
        ("backfill", {"machine": "cutout"}, ["body.input"]),
        ("backfill", {"prefix": "", "list": "a/keys.jsonl"}, ["body.input"]),
        ("backfill", {"machine": "cutout", "prefix": "", "options": 1}, ["body.input.options"]),
        ("stage-weights", {"models": []}, ["body.input.models"]),
        ("reap-jobs", {"after": {}}, ["body.input.after"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_input_is_refused_with_the_fields_at_fault(
    operator: User, machine: str, given: Any, fields: list[str]
) -> None:
    answer = operator.ask("POST", "/console/executions", body={"machine": machine, "input": given})

    assert answer.status == 422, answer.data
    assert [each["field"] for each in answer.json()["errors"]] == fields


@pytest.mark.parametrize("machine", ["release-container", "record-failure", "collection"])
def test_what_is_not_for_operators_is_not_started(operator: User, machine: str) -> None:
    answer = operator.ask("POST", "/console/executions", body={"machine": machine, "input": {}})

    assert problem(answer) == (409, "notstartable")


def test_an_execution_is_read_while_it_runs_and_stopped(driver: Driver, operator: User) -> None:
    seen: list[Any] = []

    def stop() -> None:
        path = f"executions/cutout/{driver.running().rpartition(':')[2]}"
        seen.extend([get(operator, path), operator.ask("POST", f"/console/{path}/stop")])

    driver.faults.before(WEIGHTS_ARE_LISTED, stop)
    execution = driver.drop(png(square()), "console/stopped.png")

    live, stopped = seen
    ended = read(operator, execution)
    assert (live["status"], live["ended_at"]) == ("running", None)
    assert [each["status"] for each in live["states"]][-1] == "running"
    assert live["can"] == {"stop": True, "redrive": False, "replay": False}
    assert stopped.status == 202
    assert ended["status"] == "aborted"
    assert ended["states"][-1]["status"] == "aborted"
    path = f"/console/executions/cutout/{execution.name}"
    assert problem(operator.ask("POST", f"{path}/stop")) == (409, "executionended")


def test_a_finished_execution_is_replayed_only_by_force(driver: Driver, operator: User) -> None:
    execution = driver.drop(png(square()), "console/again.png")
    path = f"/console/executions/cutout/{execution.name}"

    refused = operator.ask("POST", f"{path}/replay", body={})
    replayed = operator.ask("POST", f"{path}/replay", body={"force": True})

    assert problem(refused) == (409, "notreplayable")
    assert replayed.status == 202, replayed.data
    again = wait_for(operator, f"executions/cutout/{replayed.json()['name']}", "succeeded")
    assert again["output"]["status"] == "DONE"
    assert problem(operator.ask("POST", f"{path}/redrive")) == (409, "notredrivable")


def test_executions_are_listed_latest_first_in_pages(driver: Driver, operator: User) -> None:
    driver.drop(png(square()), "console/one.png")
    driver.drop(b"no photo", "console/two.jpg")
    whole = get(operator, "executions?limit=100")["items"]

    pages, cursor = [], ""
    while True:
        page = get(operator, f"executions?limit=3{cursor}")
        pages += page["items"]
        if page["cursor"] is None or len(pages) >= len(whole):
            break
        cursor = f"&cursor={page['cursor']}"
    failed = get(operator, "executions?machine=cutout&status=failed&limit=1")["items"]
    since = quote(whole[0]["started_at"])

    assert [each["started_at"] for each in whole] == sorted(
        (each["started_at"] for each in whole), reverse=True
    )
    names = [(each["machine"], each["name"]) for each in pages]
    assert len(names) == len(set(names))
    assert names[: len(whole)] == [(each["machine"], each["name"]) for each in whole][: len(names)]
    assert (failed[0]["key"], failed[0]["error"]) == ("console/two.jpg", "UnsupportedMedia")
    later = get(operator, f"executions?limit=100&since={since}")["items"]
    assert min(each["started_at"] for each in later) == whole[0]["started_at"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("machines/none", "nosuchmachine"),
        ("executions?machine=none", "nosuchmachine"),
        ("executions/none/a", "nosuchmachine"),
        ("executions/cutout/none", "nosuchexecution"),
        ("executions/cutout/a:b", "nosuchexecution"),
        ("executions/cutout/none/logs", "nosuchexecution"),
    ],
)
def test_what_does_not_exist_is_not_found(operator: User, path: str, error: str) -> None:
    assert problem(operator.ask("GET", f"/console/{path}")) == (404, error)


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsLTFd", "WzFlOTksIDBd"])
def test_a_cursor_that_is_made_up_is_refused(driver: Driver, operator: User, cursor: str) -> None:
    name = driver.reap().name

    for path in ("executions", "quarantine", f"executions/reap-jobs/{name}"):
        answer = operator.ask("GET", f"/console/{path}?cursor={cursor}")
        assert problem(answer) == (422, "invalidrequest")


def test_containers_are_listed_with_their_models(driver: Driver, operator: User) -> None:
    listed = {each["name"]: each for each in get(operator, "containers")["items"]}

    blueprint = driver.cloud.blueprint
    assert listed.keys() == {each.name for each in blueprint.containers}
    remover = listed["background-remover"]
    (declared,) = (each for each in blueprint.containers if each.name == "background-remover")
    assert (remover["version"], remover["live"]) == (declared.version, None)
    assert "brightness" in {each["name"] for each in remover["models"]}
