"""Have Step Functions check state machines before they are deployed, and try single states.

Both need an account that has `ValidateStateMachineDefinition` and `TestState`; the offline tests
check the same files without one. Nothing is created, and no state calls anything: answers are made
up.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

FILE: Final = Path("buildspec") / "states.toml"
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "InvalidAction", "NotImplemented",
     "UnknownOperation", "UnknownOperationException", "UnrecognizedClientException"}
)  # fmt: skip
_NULL: Final = "@null"  # TOML has none
_EXECUTION: Final = {"Execution": {"Id": "arn:aws:states:us-east-1:123456789012:execution:m:e"}}
_MOST_REPORTED: Final = 20


class NotPermitted(Exception):
    """The account, or its role, does not let Step Functions check anything."""


class StateCase(BaseModel):
    """A state to try: its input, how its call ends, and what follows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str
    state: str
    input: Mapping[str, Any]
    error: str | None = None
    next: str | None = None
    retried: bool = False

    @property
    def expected(self) -> tuple[str, str | None]:
        """Return the status and the next state that Step Functions answers with."""
        if self.retried:
            return "RETRIABLE", None
        return ("CAUGHT_ERROR" if self.error else "SUCCEEDED"), self.next

    def __str__(self) -> str:
        how = f" with {self.error}" if self.error else ""
        return f"{self.machine}: {self.state}{how}"


def read_cases(root: Path) -> tuple[StateCase, ...]:
    """Read the states to try. Raises ValueError for an unknown field or input."""
    document = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    inputs = document.pop("inputs", {})
    if unknown := document.keys() - {"states"}:
        raise ValueError(f"{FILE}: unknown table {', '.join(sorted(unknown))}")
    return tuple(
        StateCase.model_validate({**each, "input": _with_nulls(_named(each["input"], inputs))})
        for each in document["states"]
    )


def _named(given: object, inputs: Mapping[str, Any]) -> object:
    if isinstance(given, str):
        if given not in inputs:
            raise ValueError(f"{FILE}: no input is called {given!r}")
        return inputs[given]
    return given


def _with_nulls(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _with_nulls(each) for name, each in value.items()}
    return None if value == _NULL else value


def definition_problems(client: Any, machine: str, definition: str) -> Iterator[str]:  # noqa: ANN401
    """Yield why Step Functions would not create the machine. Raises NotPermitted."""
    answer = _call(
        client.validate_state_machine_definition,
        definition=definition,
        type="STANDARD",
        severity="ERROR",
        maxResults=_MOST_REPORTED,
    )
    for found in answer["diagnostics"]:
        at = f" at {found['location']}" if "location" in found else ""
        yield f"{machine}: {found['code']}: {found['message']}{at}"


def state_problems(client: Any, case: StateCase, definition: str) -> Iterator[str]:  # noqa: ANN401
    """Yield how the state's end differs from what the case expects. Raises NotPermitted."""
    mocked: dict[str, Any] = {}
    if case.error:
        mocked["mock"] = {"errorOutput": {"error": case.error, "cause": "{}"}}
        mocked["context"] = json.dumps(_EXECUTION)
    answer = _call(
        client.test_state,
        definition=definition,
        stateName=case.state,
        input=json.dumps(case.input),
        **mocked,
    )
    got = (answer["status"], None if case.retried else answer.get("nextState"))
    if got != case.expected:
        yield f"{case}: expected {_said(case.expected)}, got {_said(got)}{_reason(answer)}"


def _said(end: tuple[str, str | None]) -> str:
    status, following = end
    return f"{status} and {following}" if following else status


def _reason(answer: Mapping[str, Any]) -> str:
    return f" ({answer['error']}: {answer.get('cause', '')})" if "error" in answer else ""


def _call(operation: Any, **given: object) -> dict[str, Any]:  # noqa: ANN401
    try:
        answer: dict[str, Any] = operation(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            raise NotPermitted(error.response["Error"]["Message"]) from error
        raise
    return answer
