"""Look at what waits: jobs in the queues of AWS Batch, and running backfills."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from pipeline.compute import LANES
from pipeline.operations.batches import MACHINE, count_items
from pipeline.operations.live.snapshot import Backfill, Queue
from pipeline.operations.site import Site

_MACHINES: Final = ("cpu", "gpu")
_WAITING: Final = ("RUNNABLE",)
_RUNNING: Final = ("STARTING", "RUNNING")
_MOST_BACKFILLS: Final = 10  # that are shown


def look_at_queues(site: Site) -> Sequence[Queue]:
    """Return the queues that the deployment has; none without AWS Batch. Counts end at 100."""
    batch = site.client("batch")
    names = [site.names.job_queue(machines, lane) for machines, lane in product(_MACHINES, LANES)]
    told = batch.describe_job_queues(jobQueues=names)["jobQueues"]
    there = {each["jobQueueName"] for each in told}

    def count(queue: str, statuses: Sequence[str]) -> int:
        return sum(
            len(batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"])
            for status in statuses
        )

    return [
        Queue(name, count(name, _WAITING), count(name, _RUNNING)) for name in names if name in there
    ]


def look_at_backfills(site: Site) -> Sequence[Backfill]:
    """Return the running backfills, the latest first."""
    states = site.client("stepfunctions")
    try:
        rows = states.list_executions(
            stateMachineArn=site.machine_arn(MACHINE),
            statusFilter="RUNNING",
            maxResults=_MOST_BACKFILLS,
        )["executions"]
    except states.exceptions.StateMachineDoesNotExist:  # not deployed yet
        return ()
    found = []
    for row in rows:
        counts = count_items(site, row["executionArn"])
        total = counts.total if counts else 0
        ended = counts.total - counts.pending - counts.running if counts else 0
        found.append(Backfill(row["name"], row["startDate"], total, ended))
    return found
