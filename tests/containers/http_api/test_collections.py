"""Who may see and manage collections, what is refused, and what is asked of the machine."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from containers.http_api.principal import identify
from pipeline.errors import CollectionBusy, SegmentMismatch
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from tests.containers.http_api.conftest import Answered, Ask
from tests.containers.http_api.finished import ADA, BOB, prepare
from tests.containers.http_api.index import CAROL, STAFF, Index, Photos, execution, stand_in
from tests.containers.http_api.test_problems import require_problem

PHOTO: Final = "1" * 64
JSON: Final = {"content-type": "application/json"}
WHY: Final = {"purpose": "find staff", "legal_basis": "consent", "retention_days": 30}
NEW: Final = {"name": "guests", **WHY}
MANAGING: Final[dict[str, tuple[str, str, Any]]] = {
    "delete": ("DELETE", "", None),
    "change": ("PATCH", "", {"allow": ["ab" * 16]}),
    "enroll": ("POST", "/enrollments", {"prefix": "team/"}),
    "forget": ("POST", "/forgettings", {"person": "employee-7"}),
    "action": ("GET", "/actions/a1", None),
    "searches": ("GET", "/searches", None),
}


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    return stand_in(monkeypatch)


@pytest.fixture
def photos(tables: Any) -> Photos:
    return Photos(prepare(tables), tables)


def send(ask: Ask, method: str, path: str, body: Any = None, user: Any = CAROL) -> Answered:
    text = None if body is None else json.dumps(body)
    return ask(method, path, body=text, authorizer=user)


def post(ask: Ask, path: str, body: Any, user: Any = CAROL) -> Answered:
    return send(ask, "POST", path, body, user)


def test_an_operator_sees_all_of_a_collection(ask: Ask, index: Index) -> None:
    told = send(ask, "GET", "/collections/staff").json

    assert told == {
        "name": "staff", **WHY, "model": "facenet", "backend": "segments", "index": "flat",
        "vectors": 3, "forgotten": 1, "erase_within_days": 7,
        "created_at": "2026-11-30T12:00:00Z", "changed_at": "2026-11-30T12:00:00Z",
        "may": ["search", "manage"], "allowed": [identify(ADA).name],
    }  # fmt: skip
    assert index.asked[0].asked_by == identify(CAROL).name


def test_who_may_search_a_collection_sees_it_but_not_who_else_may(ask: Ask, index: Index) -> None:
    told = send(ask, "GET", "/collections/staff", user=ADA).json

    assert index.asked
    assert told["may"] == ["search"]
    assert "allowed" not in told
    assert send(ask, "GET", "/collections", user=ADA).json == {"items": [told]}


@pytest.mark.usefixtures("index")
def test_everybody_else_sees_no_collection(ask: Ask) -> None:
    hidden = send(ask, "GET", "/collections/staff", user=BOB)
    missing = send(ask, "GET", "/collections/never", user=BOB)

    require_problem(hidden, 404, "collectionmissing")
    assert hidden.text.replace("staff", "never") == missing.text
    assert send(ask, "GET", "/collections", user=BOB).json == {"items": []}
    assert len(send(ask, "GET", "/collections").json["items"]) == 1


def test_the_index_is_told_for_whom_it_describes(ask: Ask, index: Index) -> None:
    for user in (ADA, BOB, CAROL):
        send(ask, "GET", "/collections/staff", user=user)
        send(ask, "GET", "/collections", user=user)

    names = [identify(ADA).name, identify(BOB).name, None]
    assert [job.searcher for job in index.asked] == [name for name in names for _ in range(2)]


@pytest.mark.parametrize("name", MANAGING)
def test_only_operators_manage(ask: Ask, index: Index, name: str) -> None:
    method, path, body = MANAGING[name]

    allowed, hidden, missing = (
        send(ask, method, f"/collections/{collection}{path}", body, user)
        for collection, user in (("staff", ADA), ("staff", BOB), ("never", BOB))
    )

    require_problem(allowed, 403, "operatorsonly")
    require_problem(hidden, 404, "collectionmissing")
    assert hidden.text.replace("staff", "never") == missing.text
    assert index.started == {}


def test_only_operators_create(ask: Ask, index: Index) -> None:
    for name in ("guests", "staff"):
        require_problem(post(ask, "/collections", {**NEW, "name": name}, ADA), 403, "operatorsonly")

    assert index.asked == []


@pytest.mark.parametrize("name", ["never", "Staff", "a..b", "-", "%2e%2e", "s" * 41])
def test_a_collection_that_is_none_is_not_found(
    ask: Ask, index: Index, photos: Photos, name: str
) -> None:
    photos.done(PHOTO)
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PATCH", "", {"revoke": ["ab" * 16]}),
        ("POST", "/enrollments", {"prefix": "team/"}),
        ("POST", "/forgettings", {"person": "employee-7"}),
        ("POST", "/searches", {"job_id": PHOTO}),
        ("GET", "/searches", None),
    ):
        answer = send(ask, method, f"/collections/{name}{path}", body)
        require_problem(answer, 404, "collectionmissing")
    assert index.started == {}


@pytest.mark.usefixtures("tables")
def test_a_collection_is_created_by_the_machine(ask: Ask, index: Index) -> None:
    principal = identify(ADA).name
    answer = post(ask, "/collections", {**NEW, "allowed": [principal], "erase_within_days": 3})

    assert answer.status == 202
    (action,) = index.started
    assert answer.json == {
        "action": {"id": action, "state": "running", "action": "create", "collection": "guests"}
    }
    assert index.started[action] == {
        "action": "create", "collection": "guests", "consent": WHY,
        "backend": "segments", "index": "flat", "allowed": [principal], "erase_within_days": 3,
        "asked_by": identify(CAROL).name,
    }  # fmt: skip
    assert '"jobs";r=9999' in answer.headers["ratelimit"]


@pytest.mark.usefixtures("tables")
def test_who_may_search_is_changed_by_the_machine(ask: Ask, index: Index) -> None:
    changed = {"allow": ["ab" * 16], "revoke": [identify(ADA).name]}

    answer = send(ask, "PATCH", "/collections/staff", changed)

    assert answer.status == 202
    (action,) = index.started
    assert answer.json["action"] == {
        "id": action, "state": "running", "action": "allow", "collection": "staff"
    }  # fmt: skip
    who = {"asked_by": identify(CAROL).name}
    assert index.started[action] == {"action": "allow", "collection": "staff", **changed, **who}
    assert "ratelimit" not in answer.headers  # to revoke never waits for a quota


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, "body"),
        ({"allow": ["ada"]}, "body.allow.0"),
        ({"revoke": ["AB" * 16]}, "body.revoke.0"),
        ({"allow": ["ab" * 16], "revoke": ["ab" * 16]}, "body"),
        ({"allow": [f"{number:032x}" for number in range(101)]}, "body.allow"),
        ({"allow": ["ab" * 16], "retention_days": 90}, "body.retention_days"),
    ],
)
def test_nothing_but_who_may_search_is_changed(
    ask: Ask, index: Index, changed: dict[str, Any], field: str
) -> None:
    answer = send(ask, "PATCH", "/collections/staff", changed)

    require_problem(answer, 422, "invalidrequest")
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert index.started == {}


@pytest.mark.parametrize("missing", [[each] for each in WHY] + [list(WHY)], ids=", ".join)
def test_no_collection_is_created_without_a_reason(
    ask: Ask, index: Index, missing: list[str]
) -> None:
    body = {field: value for field, value in NEW.items() if field not in missing}

    answer = post(ask, "/collections", body)

    require_problem(answer, 422, "consentmissing")
    assert [each["field"] for each in answer.json["errors"]] == [f"body.{each}" for each in missing]
    assert index.started == {}


@pytest.mark.parametrize(
    ("changed", "field", "error"),
    [
        ({"name": "Staff!"}, "body.name", "invalidrequest"),
        ({"name": "s" * 41}, "body.name", "invalidrequest"),
        ({"purpose": "  "}, "body.purpose", "invalidrequest"),
        ({"retention_days": 0}, "body.retention_days", "invalidrequest"),
        ({"retention_days": True}, "body.retention_days", "invalidrequest"),
        ({"erase_within_days": 31}, "body.erase_within_days", "invalidrequest"),
        ({"backend": "faiss"}, "body.backend", "invalidrequest"),
        ({"index": "lsh"}, "body.index", "invalidrequest"),
        ({"allowed": ["ada"]}, "body.allowed.0", "invalidrequest"),
        ({"alowed": []}, "body.alowed", "invalidrequest"),
        ({"model": "u2net"}, "body.model", "unknownmodel"),
        ({"model": "facenet-casia-webface"}, "body.model", "licensenotaccepted"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_collection_is_refused_by_field(
    ask: Ask, index: Index, changed: dict[str, Any], field: str, error: str
) -> None:
    answer = post(ask, "/collections", {**NEW, **changed})

    require_problem(answer, 422, error)
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert index.started == {}


@pytest.mark.parametrize("changed", [{"purpose": "find guests"}, {"model": "face-api-resnet34"}])
def test_a_name_that_is_taken_is_refused(ask: Ask, index: Index, changed: dict[str, str]) -> None:
    answer = post(ask, "/collections", {**NEW, "name": "staff", **changed})

    require_problem(answer, 409, "collectionexists")
    assert index.started == {}


@pytest.mark.usefixtures("tables")
def test_the_same_collection_is_created_again_without_an_error(ask: Ask, index: Index) -> None:
    for model in ({}, {"model": "sface"}):
        index.collections["staff"] = STAFF.model_copy(update={"model": "sface"})
        assert post(ask, "/collections", {**NEW, "name": "staff", **model}).status == 202
    assert len(index.started) == 2


@pytest.mark.usefixtures("tables")
def test_a_named_model_is_asked_for(ask: Ask, index: Index) -> None:
    post(ask, "/collections", {**NEW, "model": "sface"})

    (started,) = index.started.values()
    assert started["model"] == "sface"


def test_faces_of_a_job_are_enrolled_by_its_record(ask: Ask, index: Index, photos: Photos) -> None:
    record = photos.done("1" * 64)

    body = {"job_id": "1" * 64, "person": "employee-7", "faces": [0, 2]}
    answer = post(ask, "/collections/staff/enrollments", body)

    assert answer.status == 202
    assert index.started[answer.json["action"]["id"]] == {
        "action": "enroll", "collection": "staff", "records": [record], "person": "employee-7",
        "faces": [0, 2], "asked_by": identify(CAROL).name,
    }  # fmt: skip


@pytest.mark.usefixtures("tables")
def test_all_below_a_prefix_are_enrolled(ask: Ask, index: Index) -> None:
    body = {"prefix": "team/", "person_from": "folder"}

    answer = post(ask, "/collections/staff/enrollments", body)

    started = index.started[answer.json["action"]["id"]]
    assert (started["prefix"], started["person_from"]) == ("team/", "folder")
    assert "records" not in started


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("enrollments", {}, "body"),
        ("enrollments", {"job_id": "1", "prefix": "team/"}, "body"),
        ("enrollments", {"job_id": "1", "person": "a", "person_from": "name"}, "body"),
        ("enrollments", {"prefix": "team/", "faces": [0]}, "body"),
        ("enrollments", {"job_id": "1", "faces": []}, "body.faces"),
        ("enrollments", {"job_id": "1", "faces": [-1]}, "body.faces.0"),
        ("enrollments", {"job_id": "1", "faces": [True]}, "body.faces.0"),
        ("enrollments", {"job_id": "1", "person": ""}, "body.person"),
        ("enrollments", {"job_id": "1", "person": "a\nb"}, "body.person"),
        ("enrollments", {"job_id": "1", "person_from": "exif"}, "body.person_from"),
        ("enrollments", {"job_id": "1", "photo": "a.jpg"}, "body.photo"),
        ("forgettings", {}, "body"),
        ("forgettings", {"person": "a", "photo": "a.jpg"}, "body"),
        ("forgettings", {"person": "p" * 129}, "body.person"),
        ("forgettings", {"photo": ""}, "body.photo"),
    ],
)  # fmt: skip
def test_what_cannot_be_enrolled_or_forgotten_is_refused_by_field(
    ask: Ask, index: Index, path: str, body: dict[str, Any], field: str
) -> None:
    answer = post(ask, f"/collections/staff/{path}", body)

    require_problem(answer, 422, "invalidrequest")
    assert answer.json["errors"][0]["field"] == field
    assert index.started == {}


@pytest.mark.parametrize("body", [{"person": "employee-7"}, {"photo": "team/anna.jpg"}])
def test_forgetting_is_never_held_up_by_a_quota(
    ask: Ask, index: Index, body: dict[str, str]
) -> None:
    answer = post(ask, "/collections/staff/forgettings", body)

    assert answer.status == 202
    (started,) = index.started.values()
    assert started["action"] == "forget"
    assert body.items() <= started.items()
    assert "ratelimit" not in answer.headers


def test_a_collection_is_deleted_by_the_machine(ask: Ask, index: Index) -> None:
    answer = send(ask, "DELETE", "/collections/staff")

    assert answer.status == 202
    (started,) = index.started.values()
    assert (started["action"], started["collection"]) == ("delete", "staff")


ENDS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "running": ({}, {"state": "running"}),
    "done": (
        {"status": "SUCCEEDED", "output": {"result": {"collection": "staff", "created": True}}},
        {"state": "done", "result": {"created": True}},
    ),
    "failed by name": (
        {"status": "FAILED", "error": "CollectionExists", "cause": "there is a collection staff"},
        {
            "state": "failed",
            "error": {
                "name": "CollectionExists",
                "type": "docs/errors.md#collectionexists",
                "message": "there is a collection staff",
                "hint": "Choose another name, or delete the collection first.",
            },
        },
    ),
    "failed by a bug": (
        {"status": "FAILED", "error": "KeyError", "cause": "'secret'"},
        {
            "state": "failed",
            "error": {
                "name": "ActionFailed",
                "type": "docs/errors.md#actionfailed",
                "message": "The action of a collection failed, and its request is not known to be "
                "at fault.",
                "hint": "Start the action again; if it fails again, give its id to an operator.",
            },
        },
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_action_is_followed(ask: Ask, index: Index, end: str) -> None:
    told, expected = ENDS[end]
    given = {"action": "create", "collection": "staff"}
    index.executions["a1"] = execution("a1", given, **told)

    answer = send(ask, "GET", "/collections/staff/actions/a1")

    assert answer.status == 200
    assert answer.json == {"id": "a1", **given, **expected}


def test_an_action_is_found_after_its_collection_was_deleted(ask: Ask, index: Index) -> None:
    begun = send(ask, "DELETE", "/collections/staff").json["action"]
    index.collections.clear()

    answer = send(ask, "GET", f"/collections/staff/actions/{begun['id']}")

    assert answer.json == begun
    assert begun["state"] == "running"


def test_an_action_that_has_just_begun_is_waited_for(ask: Ask, index: Index) -> None:
    index.unknown = 2

    answer = send(ask, "DELETE", "/collections/staff")

    assert (answer.status, answer.json["action"]["state"], index.unknown) == (202, "running", 0)


def test_an_action_of_another_collection_is_not_found(ask: Ask, index: Index) -> None:
    given = {"action": "create", "collection": "guests"}
    index.executions["a1"] = execution("a1", given)

    for name in ("a1", "never", "a:b"):
        answer = send(ask, "GET", f"/collections/staff/actions/{name}")
        require_problem(answer, 404, "nosuchaction")


@pytest.mark.usefixtures("tables")
def test_a_repeated_request_starts_one_action(ask: Ask, index: Index) -> None:
    headers = {**JSON, "idempotency-key": "once"}
    body = json.dumps(NEW)

    first, again = (
        ask("POST", "/collections", body=body, headers=headers, authorizer=CAROL) for _ in range(2)
    )

    assert (first.status, again.status, len(index.started)) == (202, 202, 1)
    assert first.json == again.json


def test_a_request_whose_answer_was_lost_starts_nothing_twice(
    ask: Ask, index: Index, tables: Any
) -> None:
    headers = {**JSON, "idempotency-key": "once"}

    def delete() -> Answered:
        return ask("DELETE", "/collections/staff", headers=headers, authorizer=CAROL)

    first = delete().json["action"]["id"]
    tables.delete_item(TableName="matteline-dev-requests", Key=_only_key(tables))
    index.executions[first] = execution(first, index.started[first])
    index.collections.clear()
    index.started.clear()

    again = delete()

    assert (again.status, again.json["action"]["id"], index.started) == (202, first, {})


def _only_key(tables: Any) -> Any:
    (item,) = tables.scan(TableName="matteline-dev-requests")["Items"]
    return {"id": item["id"]}


FAILURES: Final[dict[str, tuple[Exception, int, str | None]]] = {
    "indexbusy": (FunctionBusy("Rate Exceeded."), 503, "2"),
    "collectionbusy": (CollectionBusy("others changed it"), 503, "5"),
    "segmentmismatch": (SegmentMismatch("segments/1 is not what the head says"), 503, None),
    "internalerror": (FunctionBroken("ZeroDivisionError: division by zero"), 500, None),
}


@pytest.mark.parametrize("error", FAILURES)
def test_an_index_that_fails_never_makes_a_good_answer(ask: Ask, index: Index, error: str) -> None:
    index.failures["describe"], status, retry_after = FAILURES[error]

    for path in ("/collections", "/collections/staff"):
        answer = send(ask, "GET", path)
        require_problem(answer, status, error)
        assert answer.headers.get("retry-after") == retry_after
        assert "division" not in answer.text


def test_a_request_without_a_user_is_refused(ask: Ask, index: Index) -> None:
    for method, path, body in MANAGING.values():
        answer = ask(method, f"/collections/staff{path}", body=body and json.dumps(body))
        require_problem(answer, 403, "noprincipal")
    assert index.asked == []
