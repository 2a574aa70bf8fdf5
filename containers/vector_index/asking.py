"""CheckRequest: read what an execution of the state machine `collection` is asked to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from pydantic import JsonValue, ValidationError

from containers.vector_index.enrolling.records import SUFFIX
from pipeline.contracts.collection_requests import REQUESTS, Create, Enroll, Request
from pipeline.contracts.collection_runs import CheckRequest, RequestChecked
from pipeline.contracts.contract import Contract
from pipeline.contracts.output_keys import output_stem
from pipeline.contracts.written import problems
from pipeline.errors import ConsentMissing, InvalidOptions
from pipeline.spelling import did_you_mean
from pipeline.workbench import TaskContext

_OPERATOR: Final = "operator"
_ASKED_BY: Final = "asked_by"
# The console links an execution to the one that started it by this field.
_STARTED_BY: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
_CONSENT: Final = ("purpose", "legal_basis", "retention_days")
_LONGEST_NAME: Final = 200

Asked = TypeVar("Asked", bound=Contract)


def check_request(job: CheckRequest, _context: TaskContext) -> RequestChecked:
    """Return what is asked for, with every default.

    Raises InvalidOptions, which names every wrong field, and ConsentMissing. No value is quoted:
    it may say who somebody is.
    """
    asked = _fields(job.input)
    asked_by = _text(asked.pop(_ASKED_BY, _OPERATOR), _ASKED_BY)
    request = _read(asked)
    part = request.model_dump()
    if isinstance(request, Create):
        part = {**part, "model": request.model or job.default_model}
        del part["action"]
    photo = request.photo if isinstance(request, Enroll) else None
    return RequestChecked.model_validate(
        {
            "action": request.action,
            "collection": request.collection,
            "asked_by": asked_by,
            "record": f"{output_stem(photo)}{SUFFIX}" if photo else None,
            request.action: part,
        }
    )


def _fields(given: JsonValue) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidOptions("the input: should be an object")
    return {name: value for name, value in given.items() if name != _STARTED_BY}


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise InvalidOptions(f"{field}: should be a name of at most {_LONGEST_NAME} characters")
    return value


def _read(asked: dict[str, Any]) -> Request:
    action = asked.get("action")
    kind = REQUESTS.get(action) if isinstance(action, str) else None
    if kind is None:
        near = did_you_mean(action, REQUESTS) if isinstance(action, str) else ""
        raise InvalidOptions(f"action: should be one of {', '.join(REQUESTS)}{near}")
    if kind is Create and (lacking := list(_lacking(asked.get("consent")))):
        raise ConsentMissing(f"consent: lacks {', '.join(lacking)}")
    return _valid(kind, asked)


def _valid(kind: type[Asked], asked: dict[str, Any]) -> Asked:
    try:
        return kind.model_validate(asked)
    except ValidationError as error:
        found = problems(error, kind)
        told = [f"{each.field}: {each.sentence.partition(', got ')[0]}" for each in found]
    raise InvalidOptions("; ".join(told))


def _lacking(consent: object) -> Iterator[str]:
    """Yield what a consent does not say. One that is no object is wrong, not missing."""
    if consent is None:
        yield from _CONSENT
    if isinstance(consent, dict):
        said = ((name, consent.get(name)) for name in _CONSENT)
        yield from (name for name, value in said if value is None or value == "")
