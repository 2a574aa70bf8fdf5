"""The description of the API is what the routes are, and can be read by a client."""

from __future__ import annotations

import json
import re
import runpy
from typing import Any, Final

import pytest

from containers.http_api.api import RestApi
from containers.http_api.openapi import DOCUMENT
from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.local.gateway.gateway import PREFIX
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Ask

OPERATOR: Final = {"lambda": {"principal": "olga", "scopes": OPERATOR_SCOPE}}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return read


def test_the_stored_description_is_that_of_the_code() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "openapi.py"))["render"]()

    assert DOCUMENT.read_text() == made, "run `make docs`"


def test_it_is_served_as_it_is_stored(ask: Ask) -> None:
    answer = ask("GET", "/openapi.json")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == DOCUMENT.read_text()


def test_every_route_is_described(api: RestApi, document: dict[str, Any]) -> None:
    listed = (*api.routes._static_routes, *api.routes._dynamic_routes)
    routes = {(route.openapi_path, route.method.lower()) for route in listed}

    described = {(path, method) for path, ways in document["paths"].items() for method in ways}
    assert routes - described == {("/openapi.json", "get")}
    assert described <= routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))

    assert named == set(document["components"]["schemas"])


def test_a_described_path_is_answered_below_the_described_server(
    ask: Ask, document: dict[str, Any]
) -> None:
    (server,) = document["servers"]

    for path in document["paths"]:
        problem = ask("TRACE", f"{server['url']}{path}", authorizer=OPERATOR).json["type"]
        assert problem.endswith("#methodnotallowed")
    assert server["url"] == PREFIX


def test_every_operation_may_end_with_a_problem(document: dict[str, Any]) -> None:
    operations = [each for ways in document["paths"].values() for each in ways.values()]

    for operation in operations:
        success, default = operation["responses"]
        assert (success[0], default) == ("2", "default")
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)


def test_every_link_leads_to_an_operation_and_its_parameter(document: dict[str, Any]) -> None:
    operations = {
        each["operationId"]: each for ways in document["paths"].values() for each in ways.values()
    }
    links = [
        link
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert links
    for link in links:
        taken = {each["name"] for each in operations[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= taken


def test_the_models_are_what_the_description_says(ask: Ask, document: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for path, name in (("/models", "Models"), ("/options", "AllOptions"), ("/nothing", "Problem")):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}

        jsonschema.validate(ask("GET", path).json, schema)
