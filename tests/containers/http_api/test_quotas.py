"""Requests that start something are counted, and say what is left."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from containers.http_api.principal import identify
from containers.http_api.spending import rate_limit_headers
from pipeline.declared.names import names_of_function
from pipeline.operations.quotas import EVERYBODY, QUOTAS, QuotasTable, Standing
from pipeline.operations.site import Site
from tests.containers.http_api.conftest import FUNCTION, Answered, Ask
from tests.containers.http_api.test_problems import require_problem

ADA, BOB = {"lambda": {"principal": "ada"}}, {"lambda": {"principal": "bob"}}
JSON = {"content-type": "application/json"}
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
JOBS, BYTES, MASKS, SEARCHES = QUOTAS


@pytest.fixture
def limits(tables: Any) -> QuotasTable:  # noqa: ARG001 - the tables are there
    names = names_of_function(FUNCTION, "http-api")
    return QuotasTable(Site(names, boto3.Session("key", "secret", region_name=names.region), ()))


def upload(ask: Ask, *, user: Any = ADA, key: str | None = None, **body: Any) -> Answered:
    whole = {"name": "cat.jpg", "bytes": 1000, **body}
    headers = JSON | ({"idempotency-key": key} if key else {})
    return ask("POST", "/uploads", body=json.dumps(whole), authorizer=user, headers=headers)


def quotas(ask: Ask, user: Any = ADA) -> dict[str, Any]:
    answer = ask("GET", "/quotas", authorizer=user)
    assert answer.status == 200, answer.text
    return {each["name"]: each for each in answer.json["quotas"]}


def seconds_left(answer: Answered) -> int:
    found = re.search(r'"jobs";r=\d+;t=(\d+)', answer.headers["ratelimit"])
    assert found is not None
    return int(found[1])


def test_who_asks_is_told_what_is_left_until_when(ask: Ask, limits: QuotasTable) -> None:
    limits.set_limits(EVERYBODY, {"masks": None})
    assert upload(ask).status == 201

    answer = ask("GET", "/quotas", authorizer=ADA)

    now = datetime.now(UTC)
    assert answer.json["principal"] == identify(ADA).prefix.rstrip("/")
    assert answer.json["scopes"] == []
    jobs, sizes, masks, searches = answer.json["quotas"]
    assert (jobs["name"], jobs["limit"], jobs["left"]) == ("jobs", JOBS.limit, JOBS.limit - 1)
    assert (sizes["name"], sizes["left"]) == ("upload_bytes", BYTES.limit - 1000)
    assert (masks["name"], masks["limit"], masks["left"]) == ("masks", None, None)
    assert (searches["name"], searches["left"]) == ("searches", SEARCHES.limit)
    assert [each["window_s"] for each in (jobs, sizes, masks, searches)] == [86_400, 86_400, 60, 60]
    assert now < datetime.fromisoformat(jobs["resets_at"]) <= now + timedelta(days=1)
    assert datetime.fromisoformat(masks["resets_at"]) <= now + timedelta(minutes=1)


def test_an_operators_requests_count_like_any_others(ask: Ask, limits: QuotasTable) -> None:
    operator = {"lambda": {"principal": "desk", "scopes": "matteline/operator"}}
    limits.set_limits(EVERYBODY, {"jobs": 1})

    assert upload(ask, user=operator).status == 201
    require_problem(upload(ask, user=operator), 429, "QuotaExceeded")
    limits.set_limits(identify(operator).prefix, {"jobs": None})
    assert upload(ask, user=operator).status == 201
    answer = ask("GET", "/quotas", authorizer=operator)
    assert answer.json["scopes"] == ["matteline/operator"]


def test_a_counted_answer_says_what_is_left(ask: Ask, limits: QuotasTable) -> None:
    limits.set_limits(EVERYBODY, {"jobs": 3, "upload_bytes": 10_000})

    answer = upload(ask)

    t = seconds_left(answer)
    assert answer.headers["ratelimit-policy"] == (
        '"jobs";q=3;w=86400, "upload_bytes";q=10000;qu="content-bytes";w=86400'
    )
    assert answer.headers["ratelimit"] == f'"jobs";r=2;t={t}, "upload_bytes";r=9000;t={t}'
    assert 0 < t <= 86_400
    assert "retry-after" not in answer.headers


def test_over_its_quota_a_request_is_refused_with_what_is_left(
    ask: Ask, limits: QuotasTable
) -> None:
    limits.set_limits(EVERYBODY, {"upload_bytes": 1500})
    assert upload(ask).status == 201

    answer = upload(ask)

    require_problem(answer, 429, "QuotaExceeded")
    (exceeded,) = answer.json["quotas"]
    assert (exceeded["name"], exceeded["limit"], exceeded["left"]) == ("upload_bytes", 1500, 500)
    assert "upload_bytes: 1,000 asked for, 500 of 1,500 a day are left" in answer.json["detail"]
    assert answer.headers["ratelimit"].startswith('"upload_bytes";r=500;t=')
    wait, resets = int(answer.headers["retry-after"]), datetime.fromisoformat(exceeded["resets_at"])
    assert abs(resets - datetime.now(UTC) - timedelta(seconds=wait)) < timedelta(seconds=5)
    assert quotas(ask)["jobs"]["left"] == JOBS.limit - 1


def test_a_request_for_more_than_the_limit_is_not_told_to_wait(
    ask: Ask, limits: QuotasTable
) -> None:
    limits.set_limits(EVERYBODY, {"upload_bytes": 500})

    answer = upload(ask)

    require_problem(answer, 429, "QuotaExceeded")
    assert "retry-after" not in answer.headers


def test_what_one_user_spends_leaves_anothers_as_it_was(ask: Ask, limits: QuotasTable) -> None:
    limits.set_limits(EVERYBODY, {"jobs": 1})
    assert upload(ask).status == 201

    assert upload(ask).status == 429
    assert quotas(ask, BOB)["jobs"]["left"] == 1
    assert upload(ask, user=BOB).status == 201


@pytest.mark.parametrize(
    "wrong",
    [{"name": "a/b.jpg"}, {"bytes": 0}, {"bytes": 2**40}, {"options": {"x": 1}}, {"product": "x"}],
)
@pytest.mark.usefixtures("limits")
def test_an_invalid_request_does_not_count(ask: Ask, wrong: dict[str, Any]) -> None:
    answer = upload(ask, **wrong)

    assert answer.status == 422
    assert "ratelimit" not in answer.headers
    assert [each["left"] for each in quotas(ask).values()] == [each.limit for each in QUOTAS]


@pytest.mark.usefixtures("limits")
def test_a_repeated_request_counts_once(ask: Ask) -> None:
    first, again = upload(ask, key="once"), upload(ask, key="once")

    assert first.json == again.json
    assert "ratelimit" in first.headers
    assert "ratelimit" not in again.headers
    assert quotas(ask)["jobs"]["left"] == JOBS.limit - 1


def test_a_request_that_was_over_the_quota_may_be_sent_again_with_its_key(
    ask: Ask, limits: QuotasTable
) -> None:
    limits.set_limits(EVERYBODY, {"jobs": 0})
    assert upload(ask, key="again").status == 429

    limits.set_limits(EVERYBODY, {"jobs": 1})
    assert upload(ask, key="again").status == 201


@pytest.mark.parametrize(("method", "path"), [("POST", "/uploads"), ("GET", "/quotas")])
@pytest.mark.usefixtures("limits")
def test_nothing_is_given_out_that_cannot_be_counted(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", unreachable)
    body = json.dumps({"name": "cat.jpg", "bytes": 1})
    answer = ask(method, path, body=body, authorizer=ADA)

    require_problem(answer, 503, "TryAgainLater")
    assert "dynamodb" not in answer.text.lower()


@pytest.mark.usefixtures("tables")
def test_a_missing_table_is_a_bug_and_not_told(ask: Ask, tables: Any) -> None:
    tables.delete_table(TableName="matteline-dev-quotas")

    answer = upload(ask)

    assert answer.status == 500
    assert "matteline-dev" not in answer.text


@pytest.mark.usefixtures("limits")
def test_requests_that_start_nothing_are_not_counted(ask: Ask) -> None:
    assert ask("GET", "/models", authorizer=ADA).status == 200
    assert "ratelimit" not in ask("GET", "/models", authorizer=ADA).headers
    require_problem(ask("GET", "/quotas"), 403, "NoPrincipal")


def standing(quota: Any, limit: int | None, used: int, **later: int) -> Standing:
    return Standing(quota, limit, used, NOON + timedelta(**later))


@pytest.mark.parametrize(
    ("standings", "policy", "limit"),
    [
        ([standing(MASKS, 120, 20, seconds=30)], '"masks";q=120;w=60', '"masks";r=100;t=30'),
        ([standing(MASKS, 5, 9, microseconds=1)], '"masks";q=5;w=60', '"masks";r=0;t=1'),
        (
            [standing(JOBS, None, 9, hours=1), standing(BYTES, 10**14, 1, hours=1)],
            '"upload_bytes";q=100000000000000;qu="content-bytes";w=86400',
            '"upload_bytes";r=99999999999999;t=3600',
        ),
        ([standing(JOBS, None, 9, hours=1)], None, None),
    ],
)
def test_headers_have_the_form_of_the_draft(
    standings: list[Standing], policy: str | None, limit: str | None
) -> None:
    headers = rate_limit_headers(standings, NOON)

    assert headers.get("RateLimit-Policy") == policy
    assert headers.get("RateLimit") == limit
