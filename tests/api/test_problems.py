"""Each problem that a request can meet, one by one, on the running cloud."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import urllib3

from containers.http_api.errors import RequestError
from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.errors import leaves
from pipeline.operations.selecting import LASTS, new_selection
from tests.execution.api import PHOTO, User, done, prefix_of, problem

Meet = Callable[[User], urllib3.BaseHTTPResponse]
FORM: Final = {"name": "cat.png", "bytes": len(PHOTO)}


def reuse(user: User) -> urllib3.BaseHTTPResponse:
    user.ask("POST", "/uploads", body=FORM, idempotency_key="once")
    return user.ask("POST", "/uploads", body={**FORM, "bytes": 1}, idempotency_key="once")


def old_selection(user: User) -> str:
    return new_selection(prefix_of(user), datetime.now(UTC) - LASTS).id


def operator_of(user: User) -> User:
    return User(user.address, user.name, OPERATOR_SCOPE)


def to_machines(method: str, path: str, body: Any = None) -> Meet:
    """Return an operator's request to the console."""
    return lambda user: operator_of(user).ask(method, f"/console/{path}", body=body)


def again(user: User) -> urllib3.BaseHTTPResponse:
    """Start an execution under a name that another one has had."""
    asked = {"machine": "stage-weights", "input": {"models": ["none"]}, "name": "once"}
    operator_of(user).ask("POST", "/console/executions", body=asked)
    other = {**asked, "input": {"models": ["other"]}}
    return operator_of(user).ask("POST", "/console/executions", body=other)


def on_ended(act: str) -> Meet:
    """Return a request that does something with an execution that has ended."""

    def meet(user: User) -> urllib3.BaseHTTPResponse:
        path = f"executions/cutout/{done(user)['execution']}/{act}"
        return to_machines("POST", path)(user)

    return meet


# By the error's name: a request that meets it.
MEETINGS: Final[dict[str, Meet]] = {
    "ExecutionEnded": on_ended("stop"),
    "ExecutionExists": again,
    "IdempotencyKeyReused": reuse,
    "InvalidRequest": lambda user: user.ask("POST", "/uploads", body={}),
    "MethodNotAllowed": lambda user: user.ask("PATCH", "/models"),
    "NoSource": lambda user: user.ask("GET", f"/jobs/{done(user)['id']}/source"),
    "NoSpeakers": lambda user: user.ask("GET", f"/jobs/{done(user)['id']}/speakers"),
    "NoSuchAction": lambda user: operator_of(user).ask("GET", "/collections/no/actions/never"),
    "NoSuchBatch": lambda user: user.ask("GET", "/batches/never"),
    "NoSuchExecution": to_machines("GET", "executions/cutout/never"),
    "NoSuchJob": lambda user: user.ask("GET", "/jobs/never"),
    "NoSuchMachine": to_machines("GET", "machines/never"),
    "NoSuchObject": lambda user: user.ask("POST", "/jobs", body={"key": "never.png"}),
    "NoSuchSelection": lambda user: user.ask("GET", "/selections/never"),
    "NoSuchPath": lambda user: user.ask("GET", "/photos"),
    "NoVectors": lambda user: user.ask(
        "POST", "/searches", body={"job_id": user.upload()["id"], "among": ["1"]}
    ),
    "NotDeletable": lambda user: user.ask("DELETE", f"/jobs/{user.upload()['id']}?results=true"),
    "NotInQuarantine": to_machines("POST", "quarantine/never/release", {}),
    "NotRedrivable": on_ended("redrive"),
    "NotReplayable": lambda user: user.ask(
        "POST", f"/jobs/{done(user)['id']}/replay", body={"force": False}
    ),
    "NotRunning": lambda user: user.ask("DELETE", f"/jobs/{user.upload()['id']}"),
    "NotStartable": to_machines(
        "POST", "executions", {"machine": "release-container", "input": {}}
    ),
    "OperatorsOnly": lambda user: user.ask("POST", "/collections", body={"name": "staff"}),
    "SelectionExpired": lambda user: user.ask("GET", f"/selections/{old_selection(user)}"),
    "UnsupportedContent": lambda user: user.ask(
        "POST", "/uploads", body=FORM, content_type="text/plain"
    ),
}
ELSEWHERE: Final = {
    "IfMatchMissing": "needs a transcript: tests/containers/http_api/test_speakers.py",
    "IndexBusy": "a throttle: tests/containers/http_api/test_searches.py",
    "InternalError": "a bug: tests/containers/http_api/test_problems.py",
    "ModelBusy": "a throttle: tests/containers/http_api/test_selections.py",
    "NamesChanged": "needs a transcript: tests/containers/http_api/test_speakers.py",
    "NoPrincipal": "the local cloud always has a user: tests/containers/http_api/test_uploads.py",
    "NoReport": "a race: tests/execution/test_api_batches.py",
    "NotStoppable": "runs for a moment only: tests/containers/http_api/test_console.py",
    "QuotaExceeded": "an operator sets a limit: tests/containers/http_api/test_quotas.py",
    "RequestInProgress": "a race: tests/execution/test_api_repeats.py",
    "SelectionFailed": "a bug: tests/containers/http_api/test_selections.py",
    "SelectionNotReady": "a race: tests/execution/test_selections.py",
    "TryAgainLater": "an outage: tests/containers/http_api/test_problems.py",
}


ERRORS: Final = {
    name: kind
    for name, kind in leaves(RequestError).items()
    if kind.__module__.startswith("containers.")
}


def test_every_problem_is_met_here_or_elsewhere() -> None:
    assert sorted(ERRORS) == sorted([*MEETINGS, *ELSEWHERE])


@pytest.mark.parametrize("name", MEETINGS)
def test_a_problem_says_what_is_wrong_and_what_to_do(user: User, name: str) -> None:
    answer = MEETINGS[name](user)

    assert problem(answer) == (ERRORS[name].status, name.lower())
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["hint"] == ERRORS[name].hint
    assert told["request_id"] == answer.headers["apigw-requestid"]
    assert told["title"]
    assert told["detail"]
