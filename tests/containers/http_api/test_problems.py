"""An error is a problem with a type, a reason and a hint, and never shows what is inside."""

from __future__ import annotations

import re
from typing import Annotated, Final

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from pydantic import BaseModel, ConfigDict, Field

from containers.http_api.api import RestApi, build_api
from containers.http_api.errors import InternalError, RequestError
from pipeline.errors import PipelineError, UnknownModel, WeightsUnavailable, leaf_names
from pipeline.workbench import Settings
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Answered, Ask, ask_of


def refusal(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetItem")  # type: ignore[arg-type]


FAULTS: Final = {
    "throttled": refusal("ThrottlingException", 400),
    "slow": refusal("SlowDown", 503),
    "many": refusal("TooMany", 429),
    "down": refusal("InternalServerError", 500),
    "unreachable": EndpointConnectionError(endpoint_url="https://1234.example"),
    "silent": ReadTimeoutError(endpoint_url="https://1234.example"),
    "closed": ConnectionClosedError(endpoint_url="https://1234.example"),
    "denied": refusal("AccessDenied", 403),
    "wrong": refusal("ValidationException", 400),
    "settings": NoCredentialsError(),
}
OUTAGES: Final = ("throttled", "slow", "many", "down", "unreachable", "silent", "closed")


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    bytes: int = Field(ge=1)


@pytest.fixture(scope="module")
def trying() -> Ask:
    """An API whose routes fail in every way."""
    api = RestApi(docs="https://docs.example")

    @api.routes.post("/orders")
    def order(order: Order) -> Order:
        return order

    @api.routes.get("/orders")
    def orders(limit: Annotated[int, Query(le=100)] = 10) -> int:
        return limit

    @api.routes.get("/orders/<number>")
    def one_order(number: str) -> str:
        raise UnknownModel(f"no model is called {number!r}")

    @api.routes.get("/busy")
    def busy() -> None:
        raise WeightsUnavailable("no source answered")

    @api.routes.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("the password is 1234")

    @api.routes.get("/lying")
    def lying() -> Order:
        return {"password": "1234"}  # type: ignore[return-value]

    return ask_of(api)


@pytest.fixture(scope="module")
def failing() -> Ask:
    """An API whose calls of AWS fail."""
    api = RestApi()

    @api.routes.get("/aws/<fault>")
    def aws(fault: str) -> None:
        raise FAULTS[fault]

    @api.routes.get("/inside/<fault>")
    def aws_inside(fault: str) -> None:
        raise IdempotencyPersistenceLayerError("no row", FAULTS[fault]) from FAULTS[fault]

    @api.routes.get("/later/<fault>")
    def bug_of_handling(fault: str) -> None:
        try:
            aws(fault)
        except ClientError:
            raise KeyError("password 1234")  # noqa: B904 - a bug, as it would be written

    return ask_of(api)


def require_problem(answer: Answered, status: int, name: str) -> None:
    problem = answer.json
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status == problem["status"] == status
    assert problem["type"].endswith(f"errors.md#{name.lower()}")
    assert problem["request_id"] == "request-1"
    assert problem["title"].endswith(".")
    assert problem["detail"]
    assert problem["hint"].endswith(".")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/nothing", "/", "/api", "/models/", "/models/u2net"]
)
def test_an_unknown_path_is_named(ask: Ask, path: str) -> None:
    answer = ask("GET", path)

    require_problem(answer, 404, "NoSuchPath")
    assert answer.json["detail"] == f"there is no path {path}"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused_with_those_there_are(ask: Ask, method: str) -> None:
    answer = ask(method, "/models")

    require_problem(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json["detail"] == f"/models takes GET, HEAD, not {method}"


def test_all_methods_of_a_path_are_allowed(trying: Ask) -> None:
    assert trying("DELETE", "/orders").headers["allow"] == "GET, HEAD, POST"
    assert trying("DELETE", "/orders/7").headers["allow"] == "GET, HEAD"


def test_head_is_answered_as_get_without_the_body(ask: Ask, trying: Ask) -> None:
    head, get = ask("HEAD", "/models"), ask("GET", "/models")

    assert (head.status, head.headers, head.text) == (200, get.headers, "")
    assert (trying("HEAD", "/busy").status, trying("HEAD", "/busy").text) == (503, "")
    assert ask("HEAD", "/uploads").status == 405


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"name": "cat"}', {"body.bytes"}),
        ('{"name": 1, "bytes": 0}', {"body.name", "body.bytes"}),
        ('{"name": "cat", "bytes": 1, "size": 2}', {"body.size"}),
        ("[]", {"body"}),
        ("{", {"body"}),
        ("[" * 100_000, {"body"}),
        ('{"name": "cat", "bytes": NaN}', {"body"}),
        ('{"name": "cat", "bytes": 1e400}', {"body"}),
        ('{"name": "\\ud800", "bytes": 1}', {"body"}),
        ('{"name": "cat", "bytes": ' + "9" * 5000 + "}", {"body"}),
        (None, {"body"}),
    ],
)
def test_a_wrong_body_names_each_field(trying: Ask, body: str | None, fields: set[str]) -> None:
    answer = trying("POST", "/orders", body=body)

    require_problem(answer, 422, "InvalidRequest")
    assert {each["field"] for each in answer.json["errors"]} == fields
    assert all(each["detail"] for each in answer.json["errors"])


@pytest.mark.parametrize("path", ["/uploads", "/jobs", "/batches"])
@pytest.mark.parametrize("levels", [33, 300, 900])
@pytest.mark.parametrize("bracket", [("[", "]"), ('{"a":', "}")])
def test_a_body_that_is_nested_too_deep_is_refused(
    ask: Ask, path: str, levels: int, bracket: tuple[str, str]
) -> None:
    opened, closed = bracket
    nested = f"{opened * levels}1{closed * levels}"

    answer = ask("POST", path, body=f'{{"options": {{"prompts": {nested}}}}}')

    require_problem(answer, 422, "InvalidRequest")
    assert [each["field"] for each in answer.json["errors"]] == ["body"]


def test_a_wrong_parameter_is_named(trying: Ask) -> None:
    answer = trying("GET", "/orders", queryStringParameters={"limit": "many"})

    require_problem(answer, 422, "InvalidRequest")
    assert [each["field"] for each in answer.json["errors"]] == ["query.limit"]


def test_a_body_that_is_no_text_is_refused(trying: Ask) -> None:
    answer = trying("POST", "/orders", body="//4=", isBase64Encoded=True)

    require_problem(answer, 422, "InvalidRequest")
    assert [each["field"] for each in answer.json["errors"]] == ["body"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/xml",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
    ],
)
def test_a_body_of_another_type_is_refused(trying: Ask, kind: str) -> None:
    body = "name=cat&bytes=1"
    answer = trying("POST", "/orders", body=body, headers={"content-type": kind})

    require_problem(answer, 415, "UnsupportedContent")
    assert kind in answer.json["detail"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", ""])
def test_a_body_of_json_is_read(trying: Ask, kind: str) -> None:
    body = '{"name": "cat", "bytes": 1}'

    assert trying("POST", "/orders", body=body, headers={"content-type": kind}).status == 200


def test_an_error_of_the_pipeline_keeps_its_name_and_its_hint(trying: Ask) -> None:
    answer = trying("GET", "/orders/7")

    require_problem(answer, 422, "UnknownModel")
    assert answer.json["detail"] == "no model is called '7'"
    assert answer.json["hint"] == UnknownModel.hint
    assert "errors" not in answer.json


def test_what_may_succeed_later_is_unavailable(trying: Ask) -> None:
    require_problem(trying("GET", "/busy"), 503, "WeightsUnavailable")


@pytest.mark.parametrize("path", ["/broken", "/lying"])
def test_a_bug_shows_nothing_of_itself_and_is_logged(trying: Ask, path: str) -> None:
    answer = trying("GET", path)

    require_problem(answer, 500, "InternalError")
    assert not re.search(r"1234|ZeroDivision|Traceback|password|\.py", answer.text)
    assert len(answer.failures) == 1
    assert not isinstance(answer.failures[0], InternalError)


@pytest.mark.parametrize("path", ["/aws", "/inside"])
@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_of_aws_may_pass_and_its_cause_is_logged(
    failing: Ask, path: str, fault: str
) -> None:
    answer = failing("GET", f"{path}/{fault}")

    require_problem(answer, 503, "TryAgainLater")
    assert int(answer.headers["retry-after"]) > 0
    assert "1234" not in answer.text
    (cause,) = answer.failures
    assert FAULTS[fault] in {cause, cause.__cause__}


@pytest.mark.parametrize(
    "path", ["/aws/denied", "/aws/wrong", "/aws/settings", "/inside/denied", "/later/down"]
)
def test_what_will_not_pass_is_a_bug(failing: Ask, path: str) -> None:
    require_problem(failing("GET", path), 500, "InternalError")


def test_every_problem_is_logged_once(ask: Ask) -> None:
    (failure,) = ask("GET", "/nothing").failures

    assert type(failure).__name__ == "NoSuchPath"


def test_a_type_is_an_address_in_the_deployments_documents(trying: Ask, ask: Ask) -> None:
    elsewhere = ask_of(
        build_api(ROOT, Settings(environment={"MATTELINE_DOCS": "https://a.example"}))
    )

    assert trying("GET", "/").json["type"] == "https://docs.example/errors.md#nosuchpath"
    assert elsewhere("GET", "/").json["type"] == "https://a.example/errors.md#nosuchpath"
    assert ask("GET", "/").json["type"] == "docs/errors.md#nosuchpath"


def test_no_two_errors_share_a_name() -> None:
    assert leaf_names(RequestError).isdisjoint(leaf_names(PipelineError))
    page = (ROOT / "docs" / "errors.md").read_text()
    assert all(f"### {name}\n" in page for name in leaf_names(RequestError))
