"""The console is for operators, shows every machine, and its answers stay small enough."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from aws_lambda_powertools import Logger

from containers.http_api.api import RestApi
from containers.http_api.console.executions import MOST_STATES, describe_execution
from containers.http_api.console.starting import Inputs
from containers.http_api.cursors import read_counts
from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.contracts.inputs import STARTED_BY_HAND
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import load_container
from pipeline.declared.names import LOCAL_NAMES, stage_names
from pipeline.operations.console.reach import Reach
from pipeline.operations.console.reading import ReadExecution, ReadHistory
from pipeline.operations.console.states import StateVisit
from pipeline.operations.site import Site, local_site
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Ask
from tests.containers.http_api.finished import NAMES

ADA: Final = {"lambda": {"principal": "ada"}}
OLGA: Final = {"lambda": {"principal": "olga", "scopes": OPERATOR_SCOPE}}
BLUEPRINT: Final = Blueprint.read(ROOT)
REACH: Final = Reach(load_container(ROOT / "containers/http_api"), BLUEPRINT.products)
DEV: Final = stage_names("dev", account="123456789012", region="eu-central-1")
BEGAN: Final = datetime(2026, 10, 1, tzinfo=UTC)
MOST_ANSWER: Final = 6 * 1024 * 1024  # bytes that a function may return
ROUTES: Final = (
    ("GET", "/console/machines"),
    ("PATCH", "/console/machines"),
    ("GET", "/console/machines/cutout"),
    ("GET", "/console/executions"),
    ("GET", "/console/executions/cutout/a"),
    ("GET", "/console/executions/cutout/a/logs"),
    ("GET", "/console/quarantine"),
    ("GET", "/console/containers"),
    ("POST", "/console/executions"),
    ("POST", "/console/executions/cutout/a/stop"),
    ("POST", "/console/executions/cutout/a/redrive"),
    ("POST", "/console/executions/cutout/a/replay"),
    ("POST", "/console/quarantine/a/release"),
)


def site(names: Any = DEV) -> Site:
    return local_site(names, "http://127.0.0.1:1", BLUEPRINT.products)


def ended(status: str = "FAILED", error: str = "StoreUnavailable", **other: Any) -> ReadExecution:
    whole: dict[str, Any] = {
        "machine": "cutout", "name": "a", "arn": "arn:a", "status": status, "started": BEGAN,
        "ended": BEGAN + timedelta(seconds=1.5), "given": "{}", "output": None, "error": error,
        "cause": "",
    }  # fmt: skip
    return ReadExecution(**{**whole, **other})


def visit(number: int = 1, kind: str = "Task", given: str = "{}") -> StateVisit:
    return StateVisit(number, f"S{number}", (), kind, BEGAN, given, left=BEGAN, result=given)


@pytest.mark.parametrize("authorizer", [ADA, None], ids=["user", "nobody"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_operators_have_the_console(ask: Ask, method: str, path: str, authorizer: Any) -> None:
    """Nothing of the request is looked at first: it is refused with a wrong query and body, too."""
    answer = ask(
        method, path, authorizer=authorizer, body="{", queryStringParameters={"limit": "many"},
        rawQueryString="limit=many",
    )  # fmt: skip

    missing = ask("GET", "/nothing", authorizer=authorizer)
    if authorizer is None:
        assert answer.json["type"].endswith("#noprincipal")
    else:
        assert (answer.status, missing.status) == (404, 404)
        assert answer.json == {**missing.json, "detail": f"there is no path {path}"}


def test_every_route_of_the_console_is_kept_from_others(api: RestApi) -> None:
    listed = (*api.routes._static_routes, *api.routes._dynamic_routes)
    console = {
        (route.method, route.openapi_path)
        for route in listed
        if route.openapi_path.startswith("/console")
    }

    tried = {
        (method, path) for method, path in console for known in ROUTES
        if known[0] == method and _fits(known[1], path)
    }  # fmt: skip
    assert tried == console
    assert len(console) == len(ROUTES) - 1


def _fits(path: str, pattern: str) -> bool:
    mine, parts = path.split("/"), pattern.split("/")
    return len(mine) == len(parts) and all(
        part.startswith("{") or part == own for own, part in zip(mine, parts, strict=True)
    )


def test_the_log_says_which_operator_asked(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: dict[str, Any] = {}
    monkeypatch.setattr(Logger, "append_keys", lambda _self, **more: keys.update(more))

    ask("GET", "/console/machines/none", authorizer=OLGA)

    assert keys["operator"]
    assert keys["path"] == "/console/machines/none"


def test_the_console_knows_every_machine() -> None:
    """A new machine needs a row in containers/http_api/container.toml."""
    assert set(REACH) == BLUEPRINT.definitions.keys()


def test_what_is_started_by_hand_may_be_started() -> None:
    products = {product.machine for product in BLUEPRINT.products}

    assert {*STARTED_BY_HAND} <= BLUEPRINT.definitions.keys() - products
    for machine in (*products, *STARTED_BY_HAND):
        assert REACH.allows("StartExecution", machine)


@pytest.mark.parametrize("machine", sorted(REACH))
def test_every_example_is_accepted(machine: str) -> None:
    inputs = Inputs.of(BLUEPRINT.products, BLUEPRINT.catalogue, REACH)

    for example in inputs.examples(site(), machine):
        assert inputs.check(machine, dict(example.input)) == example.input


def test_the_schema_of_a_product_has_its_options() -> None:
    inputs = Inputs.of(BLUEPRINT.products, BLUEPRINT.catalogue, REACH)

    schema = inputs.schema("cutout")
    assert schema
    assert "crop" in schema["properties"]["options"]["properties"]
    assert inputs.schema("release-container") is None


@pytest.mark.parametrize(
    ("execution", "last", "redrive"),
    [
        (ended(), "Task", True),
        (ended("TIMED_OUT", "States.Timeout"), "Task", True),
        (ended(), "Fail", False),
        (ended(error="UnsupportedMedia"), "Task", False),
        (ended("SUCCEEDED", ""), "Task", False),
        (ended(machine="release-container"), "Task", False),
        (ended("RUNNING", "", ended=None), "Task", False),
    ],
    ids=["failed", "timed out", "caught", "quarantined", "done", "machine", "running"],
)
def test_only_what_redrive_can_resume_is_offered(
    execution: ReadExecution, last: str, *, redrive: bool
) -> None:
    history = ReadHistory([visit(kind=last)], complete=True)

    found = describe_execution(site(), REACH, execution, history, skip=0)

    assert found.can.redrive == redrive
    assert found.can.replay == (execution.ended is not None and execution.machine == "cutout")
    assert found.can.stop == (execution.ended is None)


def test_the_local_cloud_offers_no_redrive() -> None:
    history = ReadHistory([visit()], complete=True)

    assert not describe_execution(site(LOCAL_NAMES), REACH, ended(), history, skip=0).can.redrive


def test_the_largest_execution_fits_into_an_answer() -> None:
    """Every state has an input and an output of 256 KB, and so has the execution."""
    large = json.dumps({"keys": [f"folder/{number:08}.png" for number in range(10_000)]})
    assert len(large) > 200_000
    visits = [visit(number, given=large) for number in range(MOST_STATES + 500)]
    execution = ended(given=large, output=large)

    found = describe_execution(site(), REACH, execution, ReadHistory(visits, complete=True), skip=0)
    rest = describe_execution(
        site(), REACH, execution, ReadHistory(visits, complete=True), skip=MOST_STATES
    )

    assert len(found.model_dump_json()) < MOST_ANSWER
    assert (found.truncated, found.shortened) == (True, ("input", "output"))
    assert found.states[0].shortened
    assert "more" in str(found.states[0].input)
    assert [each.name for each in (found.states[-1], rest.states[0])] == [
        f"S{MOST_STATES - 1}",
        f"S{MOST_STATES}",
    ]
    assert found.cursor
    assert read_counts(found.cursor) == (MOST_STATES, 0)
    assert (len(rest.states), rest.cursor) == (500, None)


def test_a_history_that_was_not_read_to_its_end_is_truncated() -> None:
    found = describe_execution(
        site(), REACH, ended(), ReadHistory([visit()], complete=False), skip=0
    )

    assert found.truncated


def test_who_started_it_is_said_if_an_execution_did() -> None:
    parent = DEV.execution_arn("backfill", "b")
    given = json.dumps({"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": parent})
    history = ReadHistory([], complete=True)

    found = describe_execution(site(), REACH, ended(given=given), history, skip=0)
    other = describe_execution(
        site(), REACH, ended(given=given.replace("-dev-", "-prod-")), history, skip=0
    )

    assert found.started_by
    assert (found.started_by.machine, found.started_by.name) == ("backfill", "b")
    assert other.started_by is None
    assert found.duration_ms == 1500


def test_containers_have_their_live_version_and_last_release(ask: Ask, tables: Any) -> None:
    table = NAMES.table("releases")
    tables.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "release_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "release_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    first, second = "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"
    rows = [
        {"release_id": "edge-refiner", "status": "FAILED", "error": "RejectedByGate",
         "live": "0.2.0", "digest": "sha256:old", "execution": "arn:x:deploy-2",
         "updated_at": second},
        {"release_id": "edge-refiner@0.2.0", "status": "RELEASED", "digest": "sha256:old",
         "updated_at": first},
        {"release_id": "new-one", "status": "RELEASING", "execution": "arn:x:deploy-1",
         "updated_at": second},
    ]  # fmt: skip
    for row in rows:
        item = {name: {"S": text} for name, text in row.items()}
        tables.put_item(TableName=table, Item=item)

    answer = ask("GET", "/console/containers", authorizer=OLGA)

    found = {each["name"]: each for each in answer.json["items"]}
    assert found["edge-refiner"]["live"] == {
        "version": "0.2.0", "digest": "sha256:old", "at": first,
    }  # fmt: skip
    assert found["edge-refiner"]["version"] == "0.2.0"
    assert found["edge-refiner"]["last_release"] == {
        "name": "deploy-2", "status": "FAILED", "error": "RejectedByGate", "at": second,
    }  # fmt: skip
    assert (found["new-one"]["live"], found["new-one"]["models"]) == (None, [])
    assert found["diarizer"]["live"] is None


def test_what_must_be_completed_is_not_stopped(
    ask: Ask, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tables
    running = ended("RUNNING", "", ended=None, machine="collection")
    monkeypatch.setattr("containers.http_api.console.desk.find_execution", lambda *_: running)

    answer = ask("POST", "/console/executions/collection/a/stop", authorizer=OLGA)

    assert (answer.status, answer.json["type"].rpartition("#")[2]) == (409, "notstoppable")
