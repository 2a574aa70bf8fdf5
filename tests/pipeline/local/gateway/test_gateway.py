"""Requests become API Gateway's events, and a function's answers become its responses."""

from __future__ import annotations

import base64
import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import urllib3
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model

from pipeline.local.gateway.gateway import Gateway
from pipeline.local.gateway.route import Route
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer, error_answer
from pipeline.local.server import LocalServer

ROUTE = Route("api", "arn:aws:lambda:us-east-1:123456789012:function:api", "123456789012", "ada")


class Function:
    """A host whose one function keeps its events, and answers as it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Callable[[], Answer] = lambda: said({"statusCode": 204})

    def invoke(self, name: str, payload: bytes, *, function_arn: str) -> Answer:
        assert (name, function_arn) == (ROUTE.function, ROUTE.function_arn)
        self.events.append(json.loads(payload))
        return self.answer()


def said(answer: object) -> Answer:
    return Answer(json.dumps(answer).encode(), failed=False)


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[str, Function]]:
    def elsewhere(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("418 I'm a Teapot", [("Content-Length", "0")])
        return []

    server, function = LocalServer(0), Function()
    server.start(Gateway(elsewhere, cast("LambdaHost", function), ROUTE, longest_s=0.5))
    yield f"http://127.0.0.1:{server.port}", function
    server.stop()


@pytest.fixture
def address(serving: tuple[str, Function]) -> str:
    return serving[0]


@pytest.fixture
def function(serving: tuple[str, Function]) -> Function:
    """Return the function behind the address, without events of other tests."""
    function = serving[1]
    function.events.clear()
    function.answer = lambda: said({"statusCode": 204})
    return function


def test_a_request_becomes_an_event(function: Function, address: str) -> None:
    headers = {"X-Two": "a", "Cookie": "one=1; two=2", "User-Agent": "test"}
    urllib3.request("GET", f"{address}/api/jobs/a%20b?x=1&y=%26&x=2&z=", headers=headers)

    (event,) = function.events
    port = address.rpartition(":")[2]
    about = event["requestContext"]
    APIGatewayProxyEventV2Model.model_validate(event)
    assert (event["version"], event["routeKey"], event["isBase64Encoded"]) == (
        "2.0",
        "$default",
        False,
    )
    assert (event["rawPath"], event["rawQueryString"]) == ("/api/jobs/a b", "x=1&y=%26&x=2&z=")
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&", "z": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    assert event["headers"]["x-two"] == "a"
    assert event["headers"]["host"] == f"127.0.0.1:{port}"
    assert "cookie" not in event["headers"]
    assert "body" not in event
    assert about["stage"] == about["routeKey"] == "$default"
    assert about["http"] == {
        "method": "GET",
        "path": "/api/jobs/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert uuid.UUID(about["requestId"])
    assert about["authorizer"]["iam"]["userArn"] == "arn:aws:iam::123456789012:user/ada"


def test_a_request_may_come_from_another_user(function: Function, address: str) -> None:
    named = {"X-Matteline-Principal": "bob", "X-Matteline-Scopes": "a b"}
    urllib3.request("GET", f"{address}/api/", headers=named)
    urllib3.request("GET", f"{address}/api/", headers={"X-Matteline-Scopes": "a b"})

    bob, ada = (event["requestContext"]["authorizer"] for event in function.events)
    assert bob == {"lambda": {"principal": "bob", "scopes": "a b"}}
    assert list(ada) == ["iam"]


def test_equal_headers_are_joined(function: Function, address: str) -> None:
    headers = urllib3.HTTPHeaderDict([("X-Two", "a"), ("x-two", "b")])

    urllib3.request("GET", f"{address}/api/", headers=headers)

    assert function.events[0]["headers"]["x-two"].replace(", ", ",") == "a,b"


@pytest.mark.parametrize(
    ("body", "kind", "encoded"),
    [
        (b'{"a": 1}', "application/json; charset=utf-8", False),
        ("Kätzchen".encode(), "text/plain", False),
        (b"\xff\xfe", "application/json", True),
        (b"a=1", "application/x-www-form-urlencoded", True),
        (b"a photo", "image/jpeg", True),
        (b"anything", "", True),
    ],
)
def test_a_body_is_text_or_base64(
    function: Function, address: str, body: bytes, kind: str, *, encoded: bool
) -> None:
    urllib3.request("POST", f"{address}/api/jobs", body=body, headers={"Content-Type": kind})

    (event,) = function.events
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


@pytest.mark.parametrize("path", ["/", "/apis", "/photos/api/", "/Api/models"])
def test_other_paths_are_for_the_services(function: Function, address: str, path: str) -> None:
    assert urllib3.request("GET", f"{address}{path}").status == 418
    assert function.events == []


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/../photos", "/api//models"])
def test_paths_below_api_are_for_the_function(function: Function, address: str, path: str) -> None:
    pool = urllib3.connection_from_url(address)
    pool.urlopen("GET", path)  # does not resolve the dots, as a client that means harm

    assert function.events[0]["rawPath"] == path


def test_an_answer_becomes_a_response(function: Function, address: str) -> None:
    function.answer = lambda: said(
        {
            "statusCode": 201,
            "headers": {
                "Content-Type": "application/json",
                "Retry-After": 3,
                "Content-Length": "9",
                "Transfer-Encoding": "chunked",
            },
            "cookies": ["a=1", "b=2; Secure"],
            "body": '{"name": "Ü"}',
        }
    )

    response = urllib3.request("POST", f"{address}/api/jobs")

    assert (response.status, response.json()) == (201, {"name": "Ü"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-length"] == str(len(response.data))
    assert response.headers["retry-after"] == "3"
    assert response.headers.getlist("set-cookie") == ["a=1", "b=2; Secure"]
    assert response.headers["apigw-requestid"] == function.events[0]["requestContext"]["requestId"]


def test_a_body_in_base64_is_decoded(function: Function, address: str) -> None:
    body = base64.b64encode(b"\x89PNG").decode()
    function.answer = lambda: said({"statusCode": 200, "body": body, "isBase64Encoded": True})

    response = urllib3.request("GET", f"{address}/api/")

    assert response.data == b"\x89PNG"
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    ("answer", "body"),
    [({"a": 1}, b'{"a": 1}'), ("hello", b"hello"), ([1], b"[1]"), (None, b"null")],
)
def test_an_answer_without_a_status_is_the_body(
    function: Function, address: str, answer: object, body: bytes
) -> None:
    function.answer = lambda: said(answer)

    response = urllib3.request("GET", f"{address}/api/")

    assert (response.status, response.data) == (200, body)
    assert response.headers["content-type"] == "application/json"


def test_a_head_request_has_no_body(function: Function, address: str) -> None:
    function.answer = lambda: said({"statusCode": 200, "body": "four"})

    response = urllib3.request("HEAD", f"{address}/api/")

    assert (response.data, response.headers["content-length"]) == (b"", "4")


@pytest.mark.parametrize(
    "answer",
    [
        error_answer("Runtime.ExitError", "exited"),
        Answer(b"not JSON", failed=False),
        Answer(b'"' + b"a" * (6 * 1024 * 1024) + b'"', failed=False),
        said({"statusCode": "soon"}),
        said({"statusCode": 99}),
        said({"statusCode": None}),
        said({"statusCode": 200, "body": {"a": 1}}),
        said({"statusCode": 200, "body": "*", "isBase64Encoded": True}),
        said({"statusCode": 200, "headers": ["a"]}),
        said({"statusCode": 200, "headers": {"a": "b\r\nSet-Cookie: c=d"}}),
        said({"statusCode": 200, "cookies": ["a=b\r\nX: y"]}),
        said({"statusCode": 200, "cookies": [1]}),
        said({"statusCode": 200, "cookies": ["a=\u4e2d"]}),
        said({"statusCode": 200, "headers": {"a": "\u4e2d"}}),
        said({"statusCode": 200, "headers": {"a: b\r\nSet-Cookie": "c=d"}}),
        said({"statusCode": 200, "headers": {"": "a"}}),
        said({"statusCode": float("inf")}),
        Answer(b"[" * 100_000, failed=False),
    ],
)
def test_an_answer_that_is_none_is_a_server_error(
    function: Function, address: str, answer: Answer
) -> None:
    function.answer = lambda: answer

    response = urllib3.request("GET", f"{address}/api/")

    assert (response.status, response.json()) == (500, {"message": "Internal Server Error"})
    assert "x" not in response.headers
    assert "set-cookie" not in response.headers


def test_an_answer_that_comes_too_late_is_not_waited_for(function: Function, address: str) -> None:
    released = threading.Event()

    def late() -> Answer:
        released.wait(10)
        return said({"statusCode": 200})

    function.answer = late
    response = urllib3.request("GET", f"{address}/api/")
    released.set()

    assert (response.status, response.json()) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize(
    ("size", "kind"), [(10 * 1024 * 1024 + 1, "text/plain"), (5_000_000, "a/b")]
)
def test_a_request_too_large_for_the_gateway_or_its_function_is_refused(
    function: Function, address: str, size: int, kind: str
) -> None:
    headers = {"Content-Type": kind}

    response = urllib3.request("POST", f"{address}/api/", body=bytes(size), headers=headers)

    assert (response.status, response.json()) == (413, {"message": "Request Entity Too Large"})
    assert function.events == []


def test_a_request_that_did_not_arrive_whole_is_refused(function: Function, address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        head = f"POST /api/jobs HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 9\r\n\r\n"
        client.sendall(f"{head}abc".encode())
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"message":"Bad Request"}')
    assert function.events == []


def test_web_pages_are_not_answered(function: Function, address: str) -> None:
    headers = {"Origin": "https://evil.example"}

    assert urllib3.request("GET", f"{address}/api/models", headers=headers).status == 403
    assert function.events == []
