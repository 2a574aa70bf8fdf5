"""A job is tried again after what another attempt may not meet, as AWS Batch is told on AWS."""

from __future__ import annotations

import pytest

from pipeline.local.batch.attempt import OUT_OF_MEMORY, TIMED_OUT, Ended
from tests.pipeline.local.batch.conftest import definition

SPOT = "Host EC2 (instance i-0123456789abcdef0) terminated."


@pytest.mark.parametrize(
    ("ended", "again"),
    [
        (Ended(1), True),
        (Ended(143, SPOT), True),
        (Ended(137, reason=OUT_OF_MEMORY), False),
        (Ended(137), False),
        (Ended(139), False),
        (Ended(2), False),
        (Ended(1, TIMED_OUT), False),
    ],
    ids=["bug", "spot", "memory", "killed", "crash", "usage", "timeout"],
)
def test_the_end_of_an_attempt_decides(ended: Ended, again: bool) -> None:  # noqa: FBT001
    assert definition().tries_again_after(ended, 1) is again


def test_there_are_three_attempts() -> None:
    assert [definition().tries_again_after(Ended(1), count) for count in (1, 2, 3)] == [
        True,
        True,
        False,
    ]


def test_one_job_may_have_other_limits() -> None:
    own = definition(timeout_s=60).within(timeout_s=120, attempts=1)

    assert (own.function.timeout_s, own.attempts) == (120, 1)
    same = definition(timeout_s=60)
    assert same.within(timeout_s=None, attempts=None) == same
