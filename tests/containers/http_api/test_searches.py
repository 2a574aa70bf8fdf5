"""Searches are of the caller's own faces, in a collection that the caller may search."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from containers.http_api.principal import identify
from pipeline.errors import (
    CollectionTooLarge,
    EmbeddingMismatch,
    InvalidOptions,
    NamedError,
    SegmentMismatch,
    StoreUnavailable,
)
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from pipeline.operations.quotas import QuotasTable
from pipeline.operations.site import Site
from tests.containers.http_api.conftest import Answered, Ask
from tests.containers.http_api.finished import ADA, BOB, NAMES, prepare
from tests.containers.http_api.index import CAROL, Index, Photos, stand_in
from tests.containers.http_api.test_problems import require_problem

PHOTO, OTHER, THIRD = "1" * 64, "2" * 64, "3" * 64
STAFF: Final = "/collections/staff/searches"
JOBS: Final = "/searches"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    return stand_in(monkeypatch)


@pytest.fixture
def photos(tables: Any) -> Photos:
    return Photos(prepare(tables), tables)


def search(ask: Ask, path: str = STAFF, user: Any = ADA, **body: Any) -> Answered:
    whole = {"job_id": PHOTO, **body}
    return ask("POST", path, body=json.dumps(whole), authorizer=user)


def test_a_match_is_answered_by_its_key(ask: Ask, index: Index, photos: Photos) -> None:
    record = photos.done(PHOTO)

    answer = search(ask, face=0, k=5, threshold=0.25, person="employee-7")

    box = {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
    match = {
        "similarity": 0.9, "person": "employee-7", "key": "team/anna.jpg", "face": 2, "box": box,
        "enrolled_at": "2026-11-30T12:00:00Z",
    }  # fmt: skip
    assert answer.json == {
        "search": "s1", "threshold": 0.5, "searched": 3,
        "queries": [{"face": 0, "box": box, "matches": [match]}],
    }  # fmt: skip
    (job,) = index.searches
    assert (job.scope, job.collection, job.among) == ("collection", "staff", ())
    assert (job.k, job.threshold, job.person) == (5, 0.25, "employee-7")
    assert job.query.model_dump() == {"record": record, "face": 0}
    assert job.asked_by == job.searcher == identify(ADA).name
    assert index.asked == [job]  # the one call tells whether the caller may


def test_without_a_threshold_the_models_holds(ask: Ask, index: Index, photos: Photos) -> None:
    photos.done(PHOTO)

    assert search(ask).status == 200
    (job,) = index.searches
    assert (job.k, job.threshold, job.person) == (20, None, None)


def test_an_operator_searches_with_anybodys_photo(ask: Ask, index: Index, photos: Photos) -> None:
    photos.done(PHOTO)

    assert search(ask, user=CAROL).status == 200
    assert index.searches[0].asked_by == identify(CAROL).name
    assert index.searches[0].searcher is None  # it need not be allowed


def test_who_may_not_search_is_told_of_no_collection(
    ask: Ask, index: Index, photos: Photos
) -> None:
    photos.done(OTHER, BOB)

    hidden, missing = (
        search(ask, f"/collections/{name}/searches", BOB, job_id=OTHER)
        for name in ("staff", "never")
    )

    require_problem(hidden, 404, "collectionmissing")
    assert hidden.text.replace("staff", "never") == missing.text
    assert [job.searcher for job in index.asked] == [identify(BOB).name] * 2


@pytest.mark.parametrize("path", [STAFF, JOBS])
def test_a_photo_of_somebody_else_is_no_job(
    ask: Ask, index: Index, photos: Photos, path: str
) -> None:
    photos.done(OTHER, BOB)
    among = {"among": [OTHER]} if path == JOBS else {}

    for name in (OTHER, "never"):
        require_problem(search(ask, path, job_id=name, **among), 404, "nosuchjob")
    assert index.searches == []


RECORDS: Final[dict[str, dict[str, Any]]] = {
    "is not one of faces": {"product": "cutout"},
    "was made without the option embed": {"embedder": None, "embedded": None},
    "is large and clear enough": {"embedded": 0},
    "were deleted or replaced": {"job_id": "9" * 64},
    "is failed": {"status": "FAILED"},
}


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("path", [STAFF, JOBS, "/collections/staff/enrollments"])
def test_a_job_without_vectors_is_told_how_to_get_them(
    ask: Ask, index: Index, photos: Photos, path: str, record: str
) -> None:
    photos.done(PHOTO, **RECORDS[record])
    among = {"among": [PHOTO]} if path == JOBS else {}

    answer = search(ask, path, CAROL, **among)

    require_problem(answer, 422, "novectors")
    assert answer.json["errors"][0]["field"] == "body.job_id"
    assert answer.json["detail"].endswith(record)
    assert "`embed`" in answer.json["hint"]
    assert (index.searches, index.started) == ([], {})


def test_jobs_are_searched_without_a_collection(ask: Ask, index: Index, photos: Photos) -> None:
    query, *among = (photos.done(each) for each in (PHOTO, OTHER, THIRD))

    answer = search(ask, JOBS, among=[OTHER, THIRD, OTHER], face=1)

    assert answer.status == 200
    (job,) = index.searches
    assert (job.scope, job.collection, list(job.among)) == ("job", None, among)
    assert job.query.model_dump() == {"record": query, "face": 1}
    assert index.asked == [job]


def test_a_job_without_a_clear_face_may_be_searched(ask: Ask, index: Index, photos: Photos) -> None:
    photos.done(PHOTO)
    empty = photos.done(OTHER, embedded=0)

    assert search(ask, JOBS, among=[OTHER]).status == 200
    assert index.searches[0].among == (empty,)


@pytest.mark.parametrize("path", [STAFF, JOBS])
def test_a_face_without_a_vector_is_refused(
    ask: Ask, index: Index, photos: Photos, path: str
) -> None:
    photos.done(PHOTO)
    index.failures["search"] = InvalidOptions("face 4 has no vector; faces with one: 0, 1")

    answer = search(ask, path, face=4, **({"among": [PHOTO]} if path == JOBS else {}))

    require_problem(answer, 422, "invalidrequest")
    assert answer.json["errors"] == [
        {"field": "body.face", "detail": "face 4 has no vector; faces with one: 0, 1"}
    ]


def test_a_face_that_its_document_lacks_has_no_index(
    ask: Ask, index: Index, photos: Photos
) -> None:
    photos.done(PHOTO)
    (query,) = index.searched.queries
    (match,) = query.matches
    match = match.model_copy(update={"subject": -2})
    query = query.model_copy(update={"subject": -1, "matches": (match,)})
    index.searched = index.searched.model_copy(update={"queries": (query,)})

    (found,) = search(ask).json["queries"]

    assert (found["face"], found["matches"][0]["face"]) == (None, None)


def test_each_job_to_search_among_has_vectors_and_is_the_callers(
    ask: Ask, index: Index, photos: Photos
) -> None:
    photos.done(PHOTO)
    photos.done(OTHER, embedder=None, embedded=None)
    photos.done(THIRD, BOB)

    answer = search(ask, JOBS, among=[PHOTO, OTHER])

    require_problem(answer, 422, "novectors")
    assert [each["field"] for each in answer.json["errors"]] == ["body.among.1"]
    require_problem(search(ask, JOBS, among=[PHOTO, THIRD]), 404, "nosuchjob")
    assert index.searches == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (STAFF, {"job_id": ""}, "body.job_id"),
        (STAFF, {"job_id": "1" * 101}, "body.job_id"),
        (STAFF, {"job_id": None}, "body.job_id"),
        (STAFF, {"face": -1}, "body.face"),
        (STAFF, {"face": True}, "body.face"),
        (STAFF, {"k": 0}, "body.k"),
        (STAFF, {"k": 101}, "body.k"),
        (STAFF, {"threshold": 1.5}, "body.threshold"),
        (STAFF, {"threshold": "high"}, "body.threshold"),
        (STAFF, {"person": "\x00"}, "body.person"),
        (STAFF, {"among": [OTHER]}, "body.among"),
        (STAFF, {"vector": [0.1]}, "body.vector"),
        (JOBS, {}, "body.among"),
        (JOBS, {"among": []}, "body.among"),
        (JOBS, {"among": ["x"] * 201}, "body.among"),
        (JOBS, {"among": [OTHER], "person": "a"}, "body.person"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_field(
    ask: Ask, index: Index, path: str, body: dict[str, Any], field: str
) -> None:
    answer = search(ask, path, **body)

    require_problem(answer, 422, "invalidrequest")
    assert answer.json["errors"][0]["field"] == field
    assert index.asked == []


FAILURES: Final[dict[str, tuple[Exception, int, str | None]]] = {
    "indexbusy": (FunctionBusy("Rate Exceeded."), 503, "2"),
    "storeunavailable": (StoreUnavailable("S3 does not answer"), 503, "5"),
    "embeddingmismatch": (EmbeddingMismatch("128 numbers, not 512"), 422, None),
    "collectiontoolarge": (CollectionTooLarge("3 GB"), 422, None),
    "segmentmismatch": (SegmentMismatch("segments/1 is not what the head says"), 503, None),
    "internalerror": (FunctionBroken("ZeroDivisionError: division by zero"), 500, None),
}


@pytest.mark.parametrize("error", FAILURES)
@pytest.mark.parametrize("path", [STAFF, JOBS])
def test_a_search_that_fails_never_makes_a_good_answer(
    ask: Ask, index: Index, photos: Photos, path: str, error: str
) -> None:
    photos.done(PHOTO)
    failure, status, retry_after = FAILURES[error]
    index.failures["search"] = failure

    answer = search(ask, path, **({"among": [PHOTO]} if path == JOBS else {}))

    require_problem(answer, status, error)
    assert answer.headers.get("retry-after") == retry_after
    assert "division" not in answer.text
    if isinstance(failure, NamedError):
        assert (answer.json["detail"], answer.json["hint"]) == (failure.message, failure.hint)


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("path", [STAFF, JOBS])
def test_searches_of_a_minute_are_counted(ask: Ask, photos: Photos, path: str) -> None:
    photos.done(PHOTO)
    body = {"among": [PHOTO]} if path == JOBS else {}
    site = Site(NAMES, boto3.Session("key", "secret", region_name=NAMES.region), ())
    QuotasTable(site).set_limits(identify(ADA).prefix, {"searches": 1})

    first, second = (search(ask, path, **body) for _ in range(2))

    if second.status == 200:  # another minute began between them
        second = search(ask, path, **body)
    assert '"searches";r=0' in first.headers["ratelimit"]
    require_problem(second, 429, "quotaexceeded")
    assert second.json["quotas"][0]["window_s"] == 60
    assert "retry-after" in second.headers


def test_operators_see_who_searched(ask: Ask, index: Index) -> None:
    answer = ask(
        "GET", STAFF, rawQueryString="since=2026-11-01T00:00:00Z&limit=5",
        queryStringParameters={"since": "2026-11-01T00:00:00Z", "limit": "5"}, authorizer=CAROL,
    )  # fmt: skip

    assert answer.json == {
        "items": [
            {
                "search": "s1", "at": "2026-11-30T12:00:00Z", "asked_by": identify(ADA).name,
                "threshold": 0.5, "k": 20, "queries": 1, "matches": 2, "person_filter": False,
            }
        ]
    }  # fmt: skip
    listing = index.asked[-1]
    assert (listing.since, listing.limit) == (datetime(2026, 11, 1, tzinfo=UTC), 5)


def test_without_a_time_the_searches_of_a_month_are_listed(ask: Ask, index: Index) -> None:
    assert ask("GET", STAFF, authorizer=CAROL).status == 200

    ago = datetime.now(UTC) - index.asked[-1].since
    assert timedelta(days=30) <= ago < timedelta(days=30, minutes=1)


@pytest.mark.parametrize("query", [{"since": "yesterday"}, {"since": "1700000000"}, {"limit": "0"}])
def test_a_list_that_cannot_be_is_refused(ask: Ask, index: Index, query: dict[str, str]) -> None:
    answer = ask("GET", STAFF, queryStringParameters=query, authorizer=CAROL)

    require_problem(answer, 422, "invalidrequest")
    assert index.asked == []
