"""A request with a key is authorised by a function; any other is the local user's."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from werkzeug.test import Client

from pipeline.local.gateway.gateway import Gateway
from pipeline.local.gateway.key_authorizer import KeyAuthorizer
from pipeline.local.gateway.route import Route
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer, error_answer

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function"
KEY = "Bearer mk_1_2"
FROM: Any = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}


class Host:
    """Two functions: the API's, which answers with who asks, and the authoriser."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def invoke(self, name: str, payload: bytes, *, function_arn: str) -> Answer:
        assert function_arn == f"{LAMBDA}:{name}"
        event = json.loads(payload)
        if name == "keys":
            self.asked.append(event)
            return self.answer
        return said({"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])})


def said(answer: object) -> Answer:
    return Answer(json.dumps(answer).encode(), failed=False)


def gateway_of(host: Host) -> Client:
    hosted = cast("LambdaHost", host)
    route = Route("api", f"{LAMBDA}:api", "123456789012", "local")

    def elsewhere(_environ: Any, _start_response: Any) -> list[bytes]:
        raise AssertionError("the request is not the API's")

    keys = KeyAuthorizer(hosted, "keys", f"{LAMBDA}:keys")
    return Client(Gateway(elsewhere, hosted, route, keys=keys))


def test_the_function_behind_the_api_is_told_whose_the_key_is() -> None:
    context = {"principal": "ada", "scopes": "a b"}
    host = Host(said({"isAuthorized": True, "context": context}))

    answer = gateway_of(host).get(
        "/api/jobs?limit=1", headers={"Authorization": KEY, "x-matteline-principal": "bob"}, **FROM
    )

    assert (answer.status_code, json.loads(answer.data)) == (200, {"lambda": context})


def test_the_authoriser_gets_an_event_of_payload_format_2() -> None:
    host = Host(said({"isAuthorized": True}))

    gateway_of(host).post(
        "/api/jobs?limit=1", headers={"Authorization": KEY}, json={"key": "x"}, **FROM
    )

    (event,) = host.asked
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["identitySource"] == [KEY]
    assert event["routeArn"] == (
        "arn:aws:execute-api:us-east-1:123456789012:local/$default/POST/api/jobs"
    )
    assert event["headers"]["authorization"] == KEY
    assert event["requestContext"]["http"]["method"] == "POST"
    assert not {"body", "isBase64Encoded"} & event.keys()
    assert "authorizer" not in event["requestContext"]


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (said({"isAuthorized": False}), 403, "Forbidden"),
        (said({"isAuthorized": False, "context": {"principal": "ada"}}), 403, "Forbidden"),
        (error_answer("Runtime.ExitError", "gone"), 500, "Internal Server Error"),
        (said({"isAuthorized": "yes"}), 500, "Internal Server Error"),
        (said(None), 500, "Internal Server Error"),
        (Answer(b"{", failed=False), 500, "Internal Server Error"),
    ],
)
def test_a_key_that_is_not_authorised_does_not_reach_the_api(
    answer: Answer, status: int, message: str
) -> None:
    told = gateway_of(Host(answer)).get("/api/jobs", headers={"Authorization": KEY}, **FROM)

    assert (told.status_code, told.json) == (status, {"message": message})


@pytest.mark.parametrize("header", [{}, {"Authorization": "AWS4-HMAC-SHA256 Credential=a"}])
def test_without_a_key_a_request_is_the_local_users(header: dict[str, str]) -> None:
    host = Host(said({"isAuthorized": False}))

    answer = gateway_of(host).get("/api/jobs", headers=header, **FROM)

    assert json.loads(answer.data)["iam"]["userId"] == "local"
    assert host.asked == []
