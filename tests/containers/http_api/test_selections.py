"""What `POST /selections` and its masks refuse before anything is started or asked."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from containers.http_api.api import build_api
from containers.http_api.principal import identify
from containers.http_api.selections import _Desk
from pipeline.artifacts import Artifact
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.selection import (
    MaskGrid,
    PhotoArea,
    PreparedSelection,
    SelectedMask,
    SubjectSelected,
)
from pipeline.declared.models import ModelRow
from pipeline.errors import MediaTooLarge, OutOfMemory, SourceMissing
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from pipeline.operations.selecting import (
    LASTS,
    Preparation,
    Selection,
    new_selection,
)
from pipeline.operations.uploading import new_upload
from pipeline.outcomes import Failure
from pipeline.photo.encoding import encode
from pipeline.photo.prompts import SubjectPrompt
from pipeline.workbench import Settings
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Answered, Ask, ask_of
from tests.containers.http_api.test_problems import require_problem
from tests.models import Shelf

ADA = {"lambda": {"principal": "ada"}}
BOB = {"lambda": {"principal": "bob"}}
PREFIX = identify(ADA).prefix
ROUTES = "containers.http_api.selections"
POINT = {"x": 10, "y": 10}
GRID = MaskGrid(width=32, height=24, photo=PhotoArea(x=0, y=0, width=32, height=24))
PREPARED = PreparedSelection(
    source=SourcePhoto(
        bucket="in", key=f"{PREFIX}u/cat.jpg", version_id="v", etag="e", sha256="0" * 64, bytes=9,
        media_type="image/jpeg", width=640, height=480,
    ),
    model="sam-vit-b", weights_key="sam-vit-b/1/manifest.json", weights_sha256="0" * 64,
    embedding="s3://kept/embeddings/1/e/p.npz",
    preview=Artifact(uri="s3://kept/selections/s/preview.jpg", sha256="0" * 64, bytes=9),
    mask=GRID, tasks={},
)  # fmt: skip
PNG = base64.b64encode(encode(np.zeros((24, 32), np.uint8), picture_format="png")).decode()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


class Platform:
    """Stands for Step Functions and the model's function: what it is told, and what it answers."""

    def __init__(self) -> None:
        self.preparation: Preparation | None = Preparation(prepared=PREPARED)
        self.answer: SubjectSelected | Exception = SubjectSelected(
            model="sam-vit-b", candidates=(SelectedMask(score=0.5, chosen=True, png=PNG),)
        )
        self.asked_for: list[str] = []
        self.prompts: list[SubjectPrompt] = []
        self.hints: list[str | None] = []
        self.spent: list[dict[str, int]] = []

    def find(self, _site: Any, selection: Selection) -> Preparation | None:
        self.asked_for.append(selection.id)
        return self.preparation

    def spend(self, **asked: int) -> None:
        self.spent.append(asked)

    def select(
        self, _site: Any, _row: ModelRow, _prepared: Any, prompt: SubjectPrompt, hint: str | None
    ) -> SubjectSelected:
        self.prompts.append(prompt)
        self.hints.append(hint)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    platform = Platform()
    monkeypatch.setattr(f"{ROUTES}.find_preparation", platform.find)
    monkeypatch.setattr(f"{ROUTES}.select_subject", platform.select)
    monkeypatch.setattr("containers.http_api.current.Current.spend", platform.spend)
    return platform


def begin(ask: Ask, **body: Any) -> Answered:
    return ask("POST", "/selections", body=json.dumps(body), authorizer=ADA)


def selection_id(made: datetime | None = None, prefix: str = PREFIX) -> str:
    return new_selection(prefix, made or datetime.now(UTC)).id


def masks(ask: Ask, name: str | None = None, **body: Any) -> Answered:
    path = f"/selections/{name or selection_id()}/masks"
    return ask("POST", path, body=json.dumps(body), authorizer=ADA)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"upload": "u", "key": "k"}, "body"),
        ({"key": "k", "url": "https://example.org/cat.jpg"}, "body.url"),
        ({"key": ""}, "body.key"),
        ({"key": "k" * 1025}, "body.key"),
    ],
)
def test_one_photo_has_to_be_named(ask: Ask, body: dict[str, Any], field: str) -> None:
    answer = begin(ask, **body)

    require_problem(answer, 422, "invalidrequest")
    assert [each["field"] for each in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("model", "error"),
    [("u2net", "invalidprompt"), ("sam-vit-x", "unknownmodel")],
)
def test_a_model_has_to_take_prompts(ask: Ask, model: str, error: str) -> None:
    answer = begin(ask, key=f"{PREFIX}cat.jpg", model=model)

    require_problem(answer, 422, error)
    assert answer.json["errors"][0]["field"] == "body.model"


@pytest.mark.parametrize(
    "upload",
    ["x", "0" * 32, new_upload("bob/", datetime.now(UTC)).id],
    ids=["no id", "made up", "somebody else's"],
)
def test_an_upload_of_nobody_or_of_somebody_else_is_not_found(ask: Ask, upload: str) -> None:
    require_problem(begin(ask, upload=upload), 404, "nosuchobject")


def test_a_key_of_somebody_else_is_not_found(ask: Ask) -> None:
    require_problem(begin(ask, key="0" * 32 + "/u/cat.jpg"), 404, "nosuchobject")


def test_the_model_is_the_smallest_that_takes_prompts(shelf: Shelf) -> None:
    api = build_api(ROOT, Settings())
    overlaid = build_api(ROOT, Settings(catalogue_overlays=(shelf.catalogue,)))

    assert [_default_model(each) for each in (api, overlaid)] == ["sam-vit-b", "pointer"]


def _default_model(api: Any) -> str:
    (desk,) = (
        cell.cell_contents
        for route in api.routes._static_routes
        for cell in route.func.__closure__ or ()
        if isinstance(cell.cell_contents, _Desk)
    )
    return str(desk._row(None).name)


@pytest.mark.parametrize(
    "name",
    [
        "x",
        selection_id(prefix="bob/"),
        new_upload(PREFIX, datetime.now(UTC)).id,
        "..%2f..",
    ],
    ids=["no id", "somebody else's", "an upload", "a path"],
)
def test_an_id_of_nobody_of_somebody_else_or_of_an_upload_is_not_found(
    ask: Ask, platform: Platform, name: str
) -> None:
    require_problem(ask("GET", f"/selections/{name}", authorizer=ADA), 404, "nosuchselection")
    require_problem(masks(ask, name, points=[POINT]), 404, "nosuchselection")
    assert platform.asked_for == []


def test_a_selection_ends_after_a_day(ask: Ask, platform: Platform) -> None:
    old = selection_id(datetime.now(UTC) - LASTS)

    require_problem(ask("GET", f"/selections/{old}", authorizer=ADA), 410, "selectionexpired")
    require_problem(masks(ask, old, points=[POINT]), 410, "selectionexpired")
    assert timedelta(days=15) > LASTS
    assert platform.prompts == []


def test_nothing_is_begun_under_a_name_that_was_made_up(ask: Ask, platform: Platform) -> None:
    platform.preparation = None

    answer = ask("GET", f"/selections/{selection_id()}", authorizer=ADA)

    require_problem(answer, 404, "nosuchselection")


def test_a_click_before_the_photo_is_prepared_is_told_to_wait(ask: Ask, platform: Platform) -> None:
    platform.preparation = Preparation()

    answer = masks(ask, points=[POINT])

    require_problem(answer, 409, "selectionnotready")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (Failure("MediaTooLarge", "photo of 1,000,000 × 1,000,000 pixels"), 422, "mediatoolarge"),
        (Failure("WeightsUnavailable", "no source"), 503, "weightsunavailable"),
        (Failure("ZeroDivisionError", "division by zero"), 500, "selectionfailed"),
        (Failure("States.Timeout"), 500, "selectionfailed"),
    ],
)
def test_a_click_on_a_photo_that_could_not_be_prepared_is_told_why(
    ask: Ask, platform: Platform, failure: Failure, status: int, error: str
) -> None:
    platform.preparation = Preparation(failure=failure)

    answer = masks(ask, points=[POINT])

    require_problem(answer, status, error)
    assert "division" not in answer.text


def test_coordinates_are_pixels_or_fractions(ask: Ask, platform: Platform) -> None:
    masks(ask, points=[{"x": 320, "y": 240}, {"x": 1, "y": 2, "label": 0}])
    answer = masks(ask, points=[{"x": 0.5, "y": 0.5}], box={"x0": 0, "y0": 0, "x1": 1, "y1": 1})

    assert answer.status == 200
    pixels, fractions = platform.prompts
    assert [(one.x, one.y, one.label) for one in pixels.points] == [(320, 240, 1), (1, 2, 0)]
    assert (fractions.points[0].x, fractions.points[0].y) == (320, 240)
    assert fractions.box is not None
    assert (fractions.box.x1, fractions.box.y1) == (640, 480)


@pytest.mark.parametrize(
    ("body", "field", "error"),
    [
        ({"points": [POINT, {"x": 641, "y": 4}]}, "body.points.1", "invalidprompt"),
        ({"points": [{"x": -1, "y": 4}]}, "body.points.0", "invalidprompt"),
        ({"points": [{"x": 0.5, "y": 4}]}, "body.points.0", "invalidprompt"),
        ({"box": {"x0": 9, "y0": 9, "x1": 9, "y1": 20}}, "body.box", "invalidprompt"),
        ({"box": {"x0": 9, "y0": 9, "x1": 700, "y1": 20}}, "body.box", "invalidprompt"),
        ({}, "body.points", "invalidprompt"),
        ({"points": [{"x": 1, "y": 1, "label": 0}]}, "body.points", "invalidprompt"),
        ({"points": [{"x": 1, "y": 1, "label": 2}]}, "body.points.0.label", "invalidrequest"),
        ({"points": [{"x": "1", "y": 1}]}, "body.points.0.x", "invalidrequest"),
        ({"points": [POINT] * 17}, "body.points", "invalidrequest"),
        ({"points": [POINT], "prevoius": PNG}, "body.prevoius", "invalidrequest"),
        ({"points": [POINT], "previous": "no base64!"}, "body.previous", "invalidrequest"),
        ({"points": [POINT], "previous": "é"}, "body.previous", "invalidrequest"),
        ({"points": [POINT], "previous": PNG[:-8]}, "body.previous", "invalidrequest"),
        ({"points": [POINT], "previous": ""}, "body.previous", "invalidrequest"),
        ({"points": [POINT], "previous": "A" * 200_000}, "body.previous", "invalidrequest"),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused_by_field(
    ask: Ask, platform: Platform, body: dict[str, Any], field: str, error: str
) -> None:
    answer = masks(ask, **body)

    require_problem(answer, 422, error)
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert platform.prompts == []
    assert platform.spent == []


def test_an_earlier_mask_is_passed_on(ask: Ask, platform: Platform) -> None:
    answer = masks(ask, points=[POINT], previous=PNG)

    assert answer.status == 200
    assert platform.hints == [PNG]
    assert platform.spent == [{"masks": 1}]
    assert answer.json["mask"] == GRID.model_dump()
    assert (answer.json["boundary"], answer.json["levels_per_logit"]) == (128, 4)


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (SourceMissing("there is no embedding"), 410, "selectionexpired"),
        (FunctionBusy("Rate Exceeded."), 503, "modelbusy"),
        (FunctionBroken("ZeroDivisionError: division by zero"), 500, "selectionfailed"),
        (OutOfMemory("onnxruntime: bad_alloc"), 503, "outofmemory"),
        (MediaTooLarge("too large"), 422, "mediatoolarge"),
    ],
)
def test_a_function_that_fails_never_makes_a_good_answer(
    ask: Ask, platform: Platform, failure: Exception, status: int, error: str
) -> None:
    platform.answer = failure

    answer = masks(ask, points=[POINT])

    require_problem(answer, status, error)
    assert "division" not in answer.text
    assert ("retry-after" in answer.headers) == (error == "modelbusy")


def test_a_finished_preparation_is_asked_for_once(ask: Ask, platform: Platform) -> None:
    name = selection_id()

    for _ in range(3):
        assert masks(ask, name, points=[POINT]).status == 200

    assert platform.asked_for == [name]


def test_an_unfinished_preparation_is_asked_for_again(ask: Ask, platform: Platform) -> None:
    name = selection_id()
    platform.preparation = Preparation()
    assert masks(ask, name, points=[POINT]).status == 409
    platform.preparation = Preparation(prepared=PREPARED)

    assert masks(ask, name, points=[POINT]).status == 200


def test_a_process_forgets_the_oldest_preparations(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ask_of(build_api(ROOT, Settings()))
    monkeypatch.setattr(f"{ROUTES}._MOST_KEPT", 2)
    names = [selection_id() for _ in range(4)]
    for name in (*names, names[0], names[3]):
        masks(ask, name, points=[POINT])

    assert platform.asked_for == [*names, names[0]]


def test_another_callers_id_is_refused_although_this_process_knows_it(
    ask: Ask, platform: Platform
) -> None:
    name = selection_id()
    assert masks(ask, name, points=[POINT]).status == 200

    path, body = f"/selections/{name}/masks", json.dumps({"points": [POINT]})
    require_problem(ask("POST", path, body=body, authorizer=BOB), 404, "nosuchselection")
    assert len(platform.prompts) == 1


def test_a_ready_selection_has_all_that_a_page_needs(ask: Ask, platform: Platform) -> None:
    name = selection_id()
    platform.preparation = Preparation(prepared=PREPARED)

    told = ask("GET", f"/selections/{name}", authorizer=ADA).json

    preview = told.pop("preview")
    assert preview["url"].startswith("https://kept.s3.")
    assert "selections/s/preview.jpg" in preview["url"]
    assert told.pop("expires_at")
    assert told == {
        "id": name, "state": "ready", "model": "sam-vit-b", "width": 640, "height": 480,
        "mask": GRID.model_dump(),
    }  # fmt: skip
