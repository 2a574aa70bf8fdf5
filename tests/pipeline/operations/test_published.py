"""When an object was deleted, as far as S3's whole seconds show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from pipeline.operations.published import Deletion, Life

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("uploads", "deletions", "moment", "over"),
    [
        pytest.param([0], [(5, True)], 7, True, id="deleted before"),
        pytest.param([0], [(5, True)], 4, False, id="deleted after"),
        pytest.param([0], [(5, True)], 5.9, False, id="in one second"),
        pytest.param([0], [(0, True)], 2, True, id="uploaded and deleted in one second"),
        pytest.param([0], [(0, False)], 2, False, id="in an order that nobody knows"),
        pytest.param([0, 6], [(5, False)], 7, False, id="uploaded again before"),
        pytest.param([0, 9], [(5, False)], 7, True, id="uploaded again after"),
        pytest.param([0, 6], [(5, False), (7, True)], 9, True, id="deleted twice"),
    ],
)
def test_a_key_is_deleted_at_a_moment_if_that_is_certain(
    uploads: list[int], deletions: list[tuple[int, bool]], moment: float, *, over: bool
) -> None:
    life = Life(
        [after(each) for each in uploads],
        [Deletion(after(at), is_latest) for at, is_latest in deletions],
    )

    assert life.is_over(after(moment)) is over
