"""Provide the API of the repository, and a way to ask it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from containers.http_api.api import RestApi, build_api
from pipeline.declared.names import names_of_function
from pipeline.observed import Call
from pipeline.workbench import Settings
from tests.conftest import ROOT


@dataclass(frozen=True)
class Answered:
    """An answer, its JSON, and the errors that were logged."""

    status: int
    headers: dict[str, str]
    text: str
    failures: list[Exception]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class WatchedCall(Call):
    """A call that keeps the errors it logs."""

    def failed(self, error: Exception) -> None:
        self.failures.append(error)

    @property
    def failures(self) -> list[Exception]:
        kept: list[Exception] = self.lambda_context.failures  # type: ignore[attr-defined]
        return kept


Ask = Callable[..., Answered]


FUNCTION: Final = "arn:aws:lambda:eu-central-1:123456789012:function:matteline-dev-http-api:live"


def request(method: str, path: str, *, authorizer: Any = None, **more: Any) -> dict[str, Any]:
    """Return API Gateway's event."""
    about = {
        "requestId": "request-1",
        "stage": "$default",
        "http": {"method": method, "path": path},
        **({"authorizer": authorizer} if authorizer else {}),
    }
    given = {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": ""}
    headers = {"content-type": "application/json"}
    return given | {"headers": headers, "isBase64Encoded": False, "requestContext": about} | more


def ask_of(api: RestApi) -> Ask:
    def ask(method: str, path: str, **more: Any) -> Answered:
        told = SimpleNamespace(
            failures=[], invoked_function_arn=FUNCTION, get_remaining_time_in_millis=lambda: 29_000
        )
        context = cast("LambdaContext", told)
        call = WatchedCall(Logger(service="test"), Metrics(namespace="test"), context, cold=False)
        answer = api.answer(request(method, path, **more), call)
        headers = {name.lower(): text for name, text in answer["headers"].items()}
        return Answered(answer["statusCode"], headers, answer["body"], call.failures)

    return ask


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Provide DynamoDB with the tables that requests are counted and kept in."""
    names = names_of_function(FUNCTION, "http-api")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=names.region)
        for table in ("quotas", "requests"):
            dynamodb.create_table(
                TableName=names.table(table),
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield dynamodb


@pytest.fixture(scope="session")
def api() -> RestApi:
    return build_api(ROOT, Settings())


@pytest.fixture(scope="session")
def ask(api: RestApi) -> Ask:
    return ask_of(api)
