"""How a selection's execution and its model's function are read."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from pipeline.declared.names import stage_names
from pipeline.errors import OutOfMemory, SourceMissing
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from pipeline.operations.selecting import (
    LASTS,
    find_preparation,
    new_selection,
    read_selection,
    select_subject,
)
from pipeline.operations.site import Site
from pipeline.operations.uploading import new_upload, read_upload
from pipeline.photo.prompts import Point, SubjectPrompt
from tests.containers.http_api.test_selections import PREPARED
from tests.models import SHIPPED

NOW = datetime(2026, 10, 3, 12, 0, tzinfo=UTC)
NAMES = stage_names("dev", account="123456789012", region="eu-central-1")
PROMPT = SubjectPrompt(points=(Point(x=3, y=4),))
ANSWER = {"schema": 1, "model": "sam-vit-b", "candidates": []}


class Missing(Exception):
    pass


class Throttled(Exception):
    pass


class Faulty(Exception):
    pass


class Services:
    """Step Functions with at most one execution, and Lambda with one answer."""

    def __init__(self, *, execution: Any = None, answer: Any = None) -> None:
        self.exceptions = SimpleNamespace(
            ExecutionDoesNotExist=Missing, InvalidArn=Missing,
            TooManyRequestsException=Throttled, ResourceNotReadyException=Throttled,
            ServiceException=Faulty,
        )  # fmt: skip
        self._execution = execution
        self._answer = answer
        self.invoked: dict[str, Any] = {}

    def describe_execution(self, **_asked: Any) -> Any:
        if self._execution is None:
            raise Missing
        return {"input": "{}", "startDate": NOW, **self._execution}

    def invoke(self, **asked: Any) -> Any:
        self.invoked = asked
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def site_of(services: Services) -> Site:
    site = SimpleNamespace(names=NAMES, client=lambda _service: services)
    return cast("Site", site)


def answered(content: Any, **more: Any) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(content).encode()), **more}


def failed(name: str, text: str) -> dict[str, Any]:
    return answered({"errorType": name, "errorMessage": text}, FunctionError="Unhandled")


def select(services: Services) -> Any:
    row = SHIPPED.row("sam-vit-b")
    return select_subject(site_of(services), row, PREPARED, PROMPT, None)


def test_an_id_is_of_one_caller_and_of_one_kind() -> None:
    selection, upload = new_selection("ada/", NOW), new_upload("ada/", NOW)

    assert read_selection(selection.id, "ada/") == selection
    assert selection.expires_at == NOW + LASTS
    assert read_selection(selection.id, "bob/") is None
    assert read_selection(upload.id, "ada/") is None
    assert read_upload(selection.id, "ada/") is None


def test_a_preparation_that_is_new_may_not_be_known_yet() -> None:
    now = datetime.now(UTC)

    young = find_preparation(site_of(Services()), new_selection("ada/", now))
    old = find_preparation(site_of(Services()), new_selection("ada/", now - timedelta(minutes=1)))

    assert young is not None
    assert not young.ended
    assert old is None


def test_a_preparation_ends_well_or_with_its_own_error() -> None:
    cause = json.dumps({"errorMessage": "photo of 9 × 9 pixels\nUpload a smaller one."})
    running, good, bad, stopped = (
        find_preparation(site_of(Services(execution=each)), new_selection("ada/", NOW))
        for each in (
            {"status": "RUNNING"},
            {"status": "SUCCEEDED", "output": PREPARED.model_dump_json()},
            {"status": "FAILED", "error": "MediaTooLarge", "cause": cause},
            {"status": "ABORTED"},
        )
    )

    assert running
    assert not running.ended
    assert good
    assert good.prepared == PREPARED
    assert bad
    assert bad.failure == ("MediaTooLarge", "photo of 9 × 9 pixels", "Upload a smaller one.")
    assert stopped
    assert stopped.failure
    assert stopped.failure.name == "ABORTED"


def test_the_live_function_of_the_model_is_asked() -> None:
    services = Services(answer=answered(ANSWER))

    assert select(services).model == "sam-vit-b"

    arn = NAMES.function_arn("background-remover", "sam-vit-b")
    assert services.invoked["FunctionName"] == f"{arn}:live"
    job = json.loads(services.invoked["Payload"])
    assert (job["schema"], job["width"], job["height"]) == (1, 640, 480)
    assert job["models_bucket"] == NAMES.bucket("models")
    assert job["prompt"] == {"points": [{"x": 3, "y": 4, "label": 1}], "box": None}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (failed("OutOfMemory", "no room\nUpload a smaller photo"), OutOfMemory, "no room"),
        (failed("SourceMissing", "gone\nhint"), SourceMissing, "gone"),
        (failed("ZeroDivisionError", "division"), FunctionBroken, "ZeroDivisionError: division"),
        (failed("PermanentError", "x"), FunctionBroken, "PermanentError"),
        (answered({"errorMessage": "Task timed out"}, FunctionError="Unhandled"),
         FunctionBroken, "Task timed out"),
        (Throttled("rate exceeded"), FunctionBusy, "rate exceeded"),
        (Faulty("internal"), FunctionBusy, "internal"),
        (ReadTimeoutError(endpoint_url="https://lambda"), FunctionBusy, "Read timeout"),
    ],
)  # fmt: skip
def test_a_failure_of_the_function_is_never_an_answer(
    answer: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        select(Services(answer=answer))
