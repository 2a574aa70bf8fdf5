"""Step Functions checks definitions and states; an account that cannot gets a warning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from pipeline.cli.stage import stage
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import stage_names
from pipeline.operations.site import Site
from pipeline.operations.stage.state_checks import (
    NotPermitted,
    StateCase,
    definition_problems,
    read_cases,
    state_problems,
)
from tests.conftest import ROOT

CASES: Final = read_cases(ROOT)
DEFINITIONS: Final = Blueprint.read(ROOT).definitions
FALLBACK: Final = CASES[0]
NAMES: Final = stage_names("dev", account="123456789012", region="us-east-1")


@pytest.fixture
def client() -> Any:
    return boto3.Session("a", "b", region_name="us-east-1").client("stepfunctions")


@pytest.fixture
def answers(client: Any) -> Iterator[Stubber]:
    """Answers in the shape of the API, which refuses a request or an answer of another shape."""
    with Stubber(client) as stubber:
        yield stubber


def test_an_error_in_a_definition_is_told_with_its_place(client: Any, answers: Stubber) -> None:
    found = {
        "severity": "ERROR",
        "code": "MISSING_TRANSITION_TARGET",
        "message": "no state is called Nowhere",
        "location": "/States/Inspect/Next",
    }
    answers.add_response(
        "validate_state_machine_definition", {"result": "FAIL", "diagnostics": [found]}
    )

    problems = list(definition_problems(client, "cutout", "{}"))

    assert problems == [
        "cutout: MISSING_TRANSITION_TARGET: no state is called Nowhere at /States/Inspect/Next"
    ]


def test_a_correct_definition_has_no_problem(client: Any, answers: Stubber) -> None:
    answers.add_response("validate_state_machine_definition", {"result": "OK", "diagnostics": []})

    assert list(definition_problems(client, "cutout", "{}")) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_state_that_ends_as_expected_is_no_problem(
    case: StateCase, client: Any, answers: Stubber
) -> None:
    status, following = case.expected
    answers.add_response(
        "test_state", {"status": status} | ({"nextState": following} if following else {})
    )

    assert list(state_problems(client, case, DEFINITIONS[case.machine])) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "SUCCEEDED", "nextState": "UseFallback"}, "got SUCCEEDED and UseFallback"),
        (
            {"status": "FAILED", "error": "States.Runtime", "cause": "no such path"},
            "got FAILED (States.Runtime: no such path)",
        ),
    ],
    ids=["another state", "a failure"],
)
def test_a_state_that_ends_otherwise_is_a_problem(
    answer: dict[str, str], said: str, client: Any, answers: Stubber
) -> None:
    answers.add_response("test_state", answer)

    (problem,) = state_problems(client, FALLBACK, "{}")

    assert problem == f"cutout: FallbackAllowed?: expected SUCCEEDED and RecordFailure, {said}"


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownOperationException"])
def test_what_is_not_allowed_is_told_apart_from_an_error(
    code: str, client: Any, answers: Stubber
) -> None:
    answers.add_client_error("test_state", code, "no")

    with pytest.raises(NotPermitted, match="no"):
        list(state_problems(client, FALLBACK, "{}"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_tried_state_is_there_and_leads_where_the_case_says(case: StateCase) -> None:
    """Without an account: the definition itself."""
    state = json.loads(DEFINITIONS[case.machine])["States"][case.state]
    caught = {name: each["Next"] for each in state.get("Catch", []) for name in each["ErrorEquals"]}
    retried = {name for each in state.get("Retry", []) for name in each["ErrorEquals"]}

    if case.retried:
        assert case.error in retried
    elif case.error:
        assert caught[case.error] == case.next
    else:
        choices = [each["Next"] for each in state.get("Choices", [])]
        assert case.next in {state.get("Default"), state.get("Next"), *choices}


def run(site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("pipeline.cli.site.site_of", lambda *_: site)
    return CliRunner().invoke(stage, ["machines"])


@pytest.fixture
def site(client: Any) -> Site:
    class Session:
        def client(self, *_: Any, **__: Any) -> Any:
            return client

    return Site(NAMES, Session(), ())  # type: ignore[arg-type]


def test_the_command_checks_every_machine_and_every_case(
    site: Site, answers: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in DEFINITIONS:
        answers.add_response(
            "validate_state_machine_definition", {"result": "OK", "diagnostics": []}
        )
    for case in CASES:
        status, following = case.expected
        answers.add_response("test_state", {"status": status, "nextState": following or "Same"})

    answer = run(site, monkeypatch)

    assert answer.exit_code == 0, answer.output
    assert answer.output == f"checked {len(DEFINITIONS)} state machines, {len(CASES)} states\n"
    answers.assert_no_pending_responses()


def test_an_account_without_the_api_gets_a_warning(
    site: Site, answers: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.add_client_error("validate_state_machine_definition", "AccessDeniedException", "no")

    answer = run(site, monkeypatch)

    assert answer.exit_code == 0
    assert "warning: Step Functions did not check the state machines: no" in answer.output


def test_a_problem_ends_the_build(
    site: Site, answers: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"severity": "ERROR", "code": "SCHEMA", "message": "wrong"}
    for number, _ in enumerate(DEFINITIONS):
        answers.add_response(
            "validate_state_machine_definition",
            {"result": "FAIL" if not number else "OK", "diagnostics": [] if number else [found]},
        )
    answers.add_client_error("test_state", "AccessDeniedException", "no")

    answer = run(site, monkeypatch)

    assert answer.exit_code == 1
    assert "SCHEMA: wrong" in answer.output


def test_the_local_cloud_is_not_asked() -> None:
    answer = CliRunner().invoke(stage, ["machines"])

    assert answer.exit_code == 2
    assert "pass --stage NAME" in answer.output
