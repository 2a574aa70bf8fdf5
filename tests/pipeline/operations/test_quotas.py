"""Quotas are counted once, in windows, for each principal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.aws.outages import Unanswered
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.moto import compat
from pipeline.operations.quotas import (
    EVERYBODY,
    QUOTAS,
    OverQuota,
    QuotasTable,
    Standing,
    Window,
)
from pipeline.operations.site import Site

ADA, BOB = f"{'a' * 32}/", f"{'b' * 32}/"
NOON = datetime(2026, 10, 1, 12, 0, 30, tzinfo=UTC)
TABLE = LOCAL_NAMES.table("quotas")


@pytest.fixture
def table(site: Site) -> QuotasTable:
    compat.apply()  # moto alone checks a row and writes it in two steps
    return QuotasTable(site)


def left(table: QuotasTable, prefix: str = ADA, now: datetime = NOON) -> dict[str, int | None]:
    return {each.quota.name: each.left for each in table.standings(prefix, now)}


def refused(table: QuotasTable, now: datetime = NOON, **asked: int) -> tuple[Standing, ...]:
    with pytest.raises(OverQuota) as error:
        table.spend(ADA, asked, now)
    return error.value.exceeded


def test_the_last_one_within_the_limit_is_counted_and_the_next_is_refused(
    table: QuotasTable,
) -> None:
    table.set_limits(ADA, {"jobs": 2})

    assert [table.spend(ADA, {"jobs": 1}, NOON)[0].left for _ in range(2)] == [1, 0]
    (jobs,) = refused(table, jobs=1)

    assert (jobs.quota.name, jobs.limit, jobs.used, jobs.left) == ("jobs", 2, 2, 0)
    assert jobs.resets_at == datetime(2026, 10, 2, tzinfo=UTC)


def test_a_refused_request_is_not_counted(table: QuotasTable) -> None:
    table.set_limits(ADA, {"jobs": 5})
    table.spend(ADA, {"jobs": 3}, NOON)

    refused(table, jobs=3)

    assert left(table)["jobs"] == 2
    table.spend(ADA, {"jobs": 2}, NOON)


def test_amounts_are_counted_together_or_not_at_all(table: QuotasTable) -> None:
    table.set_limits(ADA, {"jobs": 5, "upload_bytes": 100})
    table.spend(ADA, {"jobs": 1, "upload_bytes": 60}, NOON)

    (exceeded,) = refused(table, jobs=1, upload_bytes=41)

    assert exceeded.quota.name == "upload_bytes"
    counted = left(table)
    assert (counted["jobs"], counted["upload_bytes"]) == (4, 40)
    assert {each.quota.name for each in refused(table, jobs=5, upload_bytes=41)} == {
        "jobs",
        "upload_bytes",
    }


def test_more_than_the_whole_limit_is_refused_before_anything_was_counted(
    table: QuotasTable,
) -> None:
    table.set_limits(ADA, {"jobs": 10})

    assert refused(table, jobs=11)[0].left == 10
    table.set_limits(ADA, {"jobs": 0})
    assert refused(table, jobs=1)[0].left == 0


@pytest.mark.parametrize(
    ("name", "last", "first"),
    [
        ("jobs", "2026-10-01T23:59:59.999999Z", "2026-10-02T00:00:00Z"),
        ("masks", "2026-10-01T12:00:59.999999Z", "2026-10-01T12:01:00Z"),
    ],
)
def test_a_window_ends_with_the_day_or_minute(
    table: QuotasTable, name: str, last: str, first: str
) -> None:
    ends, begins = map(datetime.fromisoformat, (last, first))
    table.set_limits(ADA, {name: 1})
    table.spend(ADA, {name: 1}, NOON)

    assert refused(table, now=ends, **{name: 1})[0].resets_at == begins
    assert left(table, now=begins)[name] == 1
    table.spend(ADA, {name: 1}, begins)


def test_a_day_and_its_first_minute_are_counted_apart(table: QuotasTable) -> None:
    midnight = datetime(2026, 10, 2, tzinfo=UTC)
    table.set_limits(ADA, {"jobs": 10, "masks": 10})

    table.spend(ADA, {"jobs": 1}, midnight)
    table.spend(ADA, {"masks": 2}, midnight)

    assert left(table, now=midnight) | {"upload_bytes": 0} == {
        "jobs": 9, "masks": 8, "upload_bytes": 0, "searches": 60,
    }  # fmt: skip


def test_a_day_is_utcs_wherever_the_clock_is(table: QuotasTable) -> None:
    abroad = NOON.astimezone(tz=datetime.strptime("+1400", "%z").tzinfo)

    (jobs,) = table.spend(ADA, {"jobs": 1}, abroad)

    assert jobs.resets_at == datetime(2026, 10, 2, tzinfo=UTC)
    assert left(table)["jobs"] == QUOTAS[0].limit - 1


def test_what_one_principal_spends_leaves_anothers_as_it_was(table: QuotasTable) -> None:
    table.set_limits(EVERYBODY, {"jobs": 1})
    table.spend(ADA, {"jobs": 1}, NOON)

    refused(table, jobs=1)
    assert left(table, BOB)["jobs"] == 1
    table.spend(BOB, {"jobs": 1}, NOON)


def test_requests_at_the_same_time_do_not_exceed_the_limit(table: QuotasTable) -> None:
    table.set_limits(ADA, {"jobs": 25, "upload_bytes": 1_000_000})
    begin = threading.Barrier(16)

    def ask(_: int) -> list[bool]:
        begin.wait()
        granted = []
        for _ in range(3):
            try:
                table.spend(ADA, {"jobs": 1, "upload_bytes": 10}, NOON)
                granted.append(True)
            except OverQuota:
                granted.append(False)
        return granted

    with ThreadPoolExecutor(16) as threads:
        granted = [each for one in threads.map(ask, range(16)) for each in one]

    assert granted.count(True) == 25
    assert left(table)["jobs"] == 0
    assert left(table)["upload_bytes"] == 1_000_000 - 250


def test_a_principals_own_limit_comes_before_everybodys_and_that_before_the_built_in(
    table: QuotasTable,
) -> None:
    built_in = {each.name: each.limit for each in QUOTAS}
    assert left(table) == built_in

    table.set_limits(EVERYBODY, {"jobs": 7, "masks": 3})
    table.set_limits(ADA, {"jobs": 9})
    table.set_limits(ADA, {"upload_bytes": 5})

    assert left(table) == {**built_in, "jobs": 9, "upload_bytes": 5, "masks": 3}
    assert left(table, BOB) == {**built_in, "jobs": 7, "masks": 3}
    assert table.clear_limits(ADA)
    assert left(table) == {**built_in, "jobs": 7, "masks": 3}
    assert not table.clear_limits(ADA)


def test_without_a_limit_requests_are_counted_and_not_refused(table: QuotasTable) -> None:
    table.set_limits(EVERYBODY, {"jobs": 1})
    table.set_limits(ADA, {"jobs": None})

    table.spend(ADA, {"jobs": 10**9}, NOON)
    (jobs,) = table.spend(ADA, {"jobs": 1}, NOON)

    assert (jobs.limit, jobs.left, jobs.used) == (None, None, 10**9 + 1)
    table.set_limits(ADA, {"jobs": 10})
    refused(table, jobs=1)


@pytest.mark.parametrize("asked", [{}, {"jobs": 0}, {"jobs": 1, "masks": 1}, {"jobs": -1}])
def test_amounts_that_cannot_be_counted_are_a_bug(
    table: QuotasTable, asked: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="one window"):
        table.spend(ADA, asked, NOON)


def test_counts_expire_after_their_window(site: Site, table: QuotasTable) -> None:
    table.spend(ADA, {"masks": 1}, NOON)

    (row,) = site.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(row["expires_at"]["N"]) == (Window.MINUTE.end(NOON) + timedelta(days=1)).timestamp()


def test_operators_see_who_has_limits_or_spent_something(table: QuotasTable) -> None:
    table.set_limits(BOB, {"jobs": 3})
    table.spend(ADA, {"jobs": 2}, NOON)
    table.spend(f"{'c' * 32}/", {"jobs": 1}, NOON - timedelta(days=1))

    found = table.usages(NOON)

    assert [each.prefix for each in found] == [EVERYBODY, ADA, BOB]
    assert [each.standings[0].used for each in found] == [0, 2, 0]
    assert [dict(each.own) for each in found] == [{}, {}, {"jobs": 3}]


def test_a_row_that_was_not_read_is_not_taken_for_no_limit(site: Site, table: QuotasTable) -> None:
    table.set_limits(ADA, {"jobs": 0})
    unread = {"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {}}, "ResponseMetadata": {}}

    def skip(**_: Any) -> Any:
        return type("Answer", (), {"status_code": 200}), unread

    site.client("dynamodb").meta.events.register("before-call.dynamodb.BatchGetItem", skip)
    with pytest.raises(Unanswered):
        table.spend(ADA, {"jobs": 1}, NOON)
