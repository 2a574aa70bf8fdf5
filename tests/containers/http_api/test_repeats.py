"""What a marked request starts has a name that a repeat finds for a day, whenever it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from containers.http_api.repeats import Marked

IDENTITY: Final = ["mine/", "key", ["createJob", {"key": "cat.png"}]]
NOON: Final = datetime(2026, 10, 3, 12, tzinfo=UTC)


def names(now: datetime, identity: object = IDENTITY) -> list[bytes]:
    return [digest for _, digest in Marked.by(identity, now).digests]


def test_a_repeat_of_the_same_day_or_after_midnight_finds_the_first_name() -> None:
    first, *_ = names(NOON)

    for later in (timedelta(0), timedelta(hours=11), timedelta(hours=23, minutes=59)):
        assert first in names(NOON + later)
    assert first not in names(NOON + timedelta(days=2))


def test_what_was_started_more_than_a_day_ago_is_of_another_request() -> None:
    assert Marked.by(IDENTITY, NOON).since == NOON - timedelta(days=1)


def test_another_request_has_other_names() -> None:
    others = (
        ["theirs/", *IDENTITY[1:]],
        ["mine/", "another", IDENTITY[2]],
        ["mine/", "key", ["createJob", {"key": "dog.png"}]],
    )

    assert all(set(names(NOON)).isdisjoint(names(NOON, other)) for other in others)
