"""What tests of the operator's verbs ask of a running cloud."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.operations.executions import find_execution
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.replaying import Replay
from pipeline.operations.site import Site
from tests.execution.driver import Driver

Write = Callable[..., None]


def row_of(site: Site, key: str) -> JobRow:
    (row,) = (row for row in JobsTable(site).rows() if row.key == key and not row.unclaimed)
    return row


def outcome(driver: Driver, site: Site, replayed: Replay) -> str:
    assert replayed.started is not None, replayed.refused
    driver.wait_until_ended(replayed.started)
    execution = find_execution(site, replayed.started)
    assert execution is not None
    return execution.verdict
