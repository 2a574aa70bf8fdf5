"""The model of a backfill agrees with what can be computed by hand, and with Little's law."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import pytest

from pipeline.operations.backfill.costs import Costs, Requests
from pipeline.operations.backfill.simulation import (
    MOST_RETRIES,
    Account,
    Call,
    Outcome,
    Rate,
    Uploads,
    Work,
    foresee,
    simulate,
)

UNLIMITED: Final = Rate(1e9, 1e9)
ROOMY: Final = Account(concurrency=10_000, starts=UNLIMITED, transitions=UNLIMITED, page_s=0)
SECOND: Final = Work((Call(1, 1024),), transitions=0)
PHOTO: Final = Work((Call(1, 1024, spread=0.5), Call(3, 2048, spread=0.5)), transitions=20)


def test_without_other_limits_the_cap_makes_rounds() -> None:
    done = simulate([(1_001, SECOND)], cap=100, account=ROOMY)

    assert done.seconds == pytest.approx(11)
    assert done.peak_calls == 100
    assert done.throttles == 0


def test_objects_start_as_fast_as_they_are_listed() -> None:
    slow = Account(concurrency=10_000, starts=UNLIMITED, transitions=UNLIMITED, page_s=60)

    done = simulate([(5_000, SECOND)], cap=2_000, account=slow)

    assert done.seconds == pytest.approx(5 * 60 + 1)


@pytest.mark.parametrize("limit", ["starts", "transitions"])
def test_a_token_bucket_sets_the_pace(limit: str) -> None:
    """200 objects at once, then 50 a second: each has two executions and ten transitions."""
    account = {
        "starts": replace(ROOMY, starts=Rate(400, 100)),
        "transitions": replace(ROOMY, transitions=Rate(2_000, 500)),
    }[limit]

    work = Work((Call(1, 1024),), 10, executions=2)
    done = simulate([(1_200, work)], cap=5_000, account=account)

    assert done.seconds == pytest.approx((1_200 - 200) / 50 + 1, abs=1.1)


def test_jobs_of_aws_batch_wait_for_machines_and_run_as_many_as_fit() -> None:
    """30 vCPUs hold seven jobs of four: ten rounds of a minute, after the first machine came."""
    account = Account(concurrency=10, page_s=0, batch_vcpus=30, machine_s=180)
    job = Work((Call(60, 16_384, vcpus=4),), transitions=0)

    done = simulate([(70, job)], cap=1_000, account=account)

    assert done.seconds == pytest.approx(180 + 10 * 60)
    assert done.throttles == 0


@pytest.mark.parametrize("cap", [5, 60, 400])
def test_littles_law_holds(cap: int) -> None:
    """The mean number at work is the pace times the mean time of one, throttled or not."""
    account = Account(concurrency=100)

    done = simulate([(4_000, PHOTO)], cap=cap, account=account)

    assert done.running == pytest.approx(done.per_second * done.object_s, rel=1e-9)
    assert done.running <= cap


def test_a_call_that_is_always_throttled_fails_after_its_last_retry() -> None:
    nothing = Account(concurrency=0, page_s=0)

    done = simulate([(10, SECOND)], cap=10, account=nothing)

    assert done.failed == 10
    assert done.throttles == 10 * (MOST_RETRIES + 1)


def test_a_cap_above_the_concurrency_is_throttled_and_gains_nothing() -> None:
    account = Account(concurrency=50)
    within, above = (simulate([(3_000, PHOTO)], cap=cap, account=account) for cap in (50, 500))

    assert within.throttles == 0
    assert above.throttles > 0
    assert above.peak_calls == 50
    assert above.seconds > 0.95 * within.seconds


@pytest.mark.parametrize(("cap", "waits"), [(50, False), (400, True)])
def test_half_of_the_concurrency_is_enough_that_uploads_do_not_wait(cap: int, waits: bool) -> None:  # noqa: FBT001
    account = Account(concurrency=100)
    uploads = Uploads(2, PHOTO)

    done = simulate([(3_000, PHOTO)], cap=cap, account=account, uploads=uploads)

    assert len(done.waits_s) > 100
    assert (p95(done) > 1) == waits


def test_uploads_jobs_go_before_a_backfills() -> None:
    account = Account(page_s=0, batch_vcpus=4, machine_s=0)
    job = Work((Call(10, 1024, vcpus=4),), transitions=0)

    done = simulate([(100, job)], cap=100, account=account, uploads=Uploads(0.01, job))

    assert done.waits_s
    assert max(done.waits_s) <= 10


def test_the_same_seed_gives_the_same_answer() -> None:
    first, again, other = (
        simulate([(500, PHOTO)], cap=40, account=Account(concurrency=20), seed=seed)
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first.seconds != other.seconds


@pytest.mark.parametrize("cap", [50, 500])
def test_a_part_foresees_the_whole(cap: int) -> None:
    works = [(30_000, PHOTO), (3_000, SECOND)]
    account = Account(concurrency=1_000)

    whole = simulate(works, cap=cap, account=account)
    seen = foresee(works, cap=cap, account=account, most=5_000)

    assert seen.objects == whole.objects
    assert seen.seconds == pytest.approx(whole.seconds, rel=0.03)
    assert seen.costs == whole.costs


def test_costs_are_added_up_by_part() -> None:
    work = Work(
        (Call(2, 2_048), Call(3_600, 8_192, vcpus=2)),
        transitions=40,
        requests=Requests(puts=2, gets=10, writes=4, events=3, logged=1_000),
    )

    costs = Costs.of([(1_000_000, work)])

    assert costs.lambda_time == pytest.approx(4e6 * 0.0000166667)
    assert costs.lambda_calls == pytest.approx(0.2)
    assert costs.batch == pytest.approx(2e6 * 0.02)
    assert costs.transitions == pytest.approx(1_000)
    assert costs.s3 == pytest.approx(10 + 4)
    assert costs.dynamodb == pytest.approx(2.5)
    assert costs.events == pytest.approx(3)
    assert costs.logs == pytest.approx(0.5)
    assert costs.total == pytest.approx(sum(vars(costs).values()))


def test_nothing_takes_no_time_and_costs_nothing() -> None:
    done = simulate([(0, PHOTO)], cap=10, account=Account())

    assert (done.seconds, done.costs.total, done.per_second) == (0, 0, 0)


def p95(done: Outcome) -> float:
    waits = sorted(done.waits_s)
    return waits[math.ceil(0.95 * len(waits)) - 1]
