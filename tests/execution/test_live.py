"""What `matteline top` sees while things run: jobs in queues, calls in flight, backfills."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.deployment import NAMES
from pipeline.operations.backfill.backfilling import Batch, start_backfill
from pipeline.operations.executions import stop
from pipeline.operations.live.snapshot import Snapshot
from pipeline.operations.live.watch import DeploymentWatch
from pipeline.operations.site import Site, local_site
from tests.execution.driver import Driver
from tests.execution.test_on_batch import UPLOADS, begin_slow, driver, wait_until
from tests.pictures import png, square

__all__ = ["driver"]  # a cloud with AWS Batch


@pytest.fixture
def site(driver: Driver) -> Site:
    return local_site(LOCAL_NAMES, driver.cloud.endpoint, driver.cloud.blueprint.products)


@pytest.fixture
def watch(driver: Driver, site: Site) -> DeploymentWatch:
    return DeploymentWatch(site, driver.cloud.blueprint)


def look(watch: DeploymentWatch) -> Snapshot:
    return watch.look(datetime.now(UTC))


def in_flight(seen: Snapshot, container: str) -> int:
    return sum(each.in_flight for each in seen.containers if each.container == container)


def test_a_job_that_runs_is_seen_in_its_queue(driver: Driver, watch: DeploymentWatch) -> None:
    job = begin_slow(driver, "live/batch.png")

    seen = look(watch)

    driver.cloud.client("batch").terminate_job(jobId=job["jobId"], reason="enough")
    queues = {each.name: (each.waiting, each.running) for each in seen.queues}
    assert queues == {UPLOADS: (0, 1), f"{NAMES.prefix}-cpu-backfill": (0, 0)}
    (cutout,) = (each for each in seen.products if each.product == "cutout")
    assert cutout.running == 1
    assert in_flight(seen, "background-remover") == 0  # it is no call of a function


def test_a_call_is_in_flight_while_its_function_works(
    driver: Driver, site: Site, watch: DeploymentWatch
) -> None:
    driver.put(png(square()), "live/call.png", model="slow", compute="lambda")

    wait_until(lambda: in_flight(look(watch), "background-remover") == 1)
    stop(site, driver.running(), error="Stopped", cause="enough")


def test_what_was_logged_is_counted_once(driver: Driver, watch: DeploymentWatch) -> None:
    def calls() -> dict[str, int]:
        return {each.container: each.calls for each in look(watch).containers}

    driver.drop(png(square()), "live/first.png", model="brightness")
    first = calls()
    again = calls()
    driver.drop(png(square(left=8)), "live/second.png", model="brightness")
    second = calls()

    assert again == first
    more = {name: count - first[name] for name, count in second.items()}
    assert more == dict.fromkeys(first, 0) | {
        "media-inspector": 1, "background-remover": 1, "edge-refiner": 1
    }  # fmt: skip


def test_a_backfill_tells_how_far_it_is(driver: Driver, site: Site, watch: DeploymentWatch) -> None:
    with driver.silence():
        for number in range(12):
            content = png(square(left=8 + number))
            driver.put(content, f"live/old/{number}.png", model="brightness")
    product = next(each for each in site.products if each.name == "cutout")
    batch = Batch(product, prefix="live/old/", max_concurrency=1)
    arn = start_backfill(site, batch)
    seen: list[Snapshot] = []

    def has_progress() -> bool:
        seen.append(look(watch))
        return any(0 < each.ended < each.total for each in seen[-1].backfills)

    wait_until(has_progress)
    stop(site, arn, error="Stopped", cause="enough")

    (backfill,) = seen[-1].backfills
    assert (backfill.name, backfill.total) == (arn.rpartition(":")[2], 12)
    left = backfill.left_s(seen[-1].at)
    assert left is not None
    assert left > 0
    wait_until(lambda: not look(watch).backfills)
