"""Remove what a run leaves in a shared local cloud: unfinished executions, and its files.

The jobs' rows stay, and their executions' histories: they say what happened.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.operations.executions import Execution, read_execution, stop
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.site import Site, local_site
from pipeline.outcomes import JobStopped
from pipeline.session.subscriptions import News

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_PATIENCE_S: Final = 60.0  # executions whose photos wait for others are started before they stop
_POLL_S: Final = 0.1
_PAGE: Final = 200


def stop_executions(
    cloud: LocalCloud,
    prefix: str,
    news: News,
    ended: set[str],
    *,
    stopping: threading.Event,
) -> None:
    """Stop the executions of objects below `prefix`, also those that have not started yet.

    `ended` has the keys of those that have ended, and `news` gets others as they end.
    """
    site, ended = _site(cloud), set(ended)
    deadline = time.monotonic() + _PATIENCE_S
    while set(_keys(cloud, prefix)) - ended and time.monotonic() < deadline:
        if stopping.is_set():
            return
        for arn in _running(site, prefix):
            why = "its `matteline run` was interrupted"
            stop(site, arn, error=JobStopped.__name__, cause=why)
        with suppress(queue.Empty):
            told = news.get(timeout=_POLL_S)
            if isinstance(told, Execution):
                ended.add(told.key)


def remove_files(cloud: LocalCloud, prefix: str) -> None:
    """Delete every version of the objects below `prefix`, their results and intermediate files.

    Their jobs count as deleted on request. Reasons of quarantined photos stay. So may a file of a
    task that goes on after its execution was stopped.
    """
    site = _site(cloud)
    table = JobsTable(site)
    folders = {product.name: product.work_folder for product in site.products}
    for row in _rows(table, prefix):
        table.mark_deleted(row)  # unless it is not done
        folder = folders.get(row.product, "")
        _delete(site, "work", f"{folder}{row.job_id}/")
    for bucket in ("output", "ingest"):
        _delete(site, bucket, prefix)


def _site(cloud: LocalCloud) -> Site:
    return local_site(NAMES, cloud.endpoint, cloud.blueprint.products)


def _keys(cloud: LocalCloud, prefix: str) -> Iterator[str]:
    for row in _versions(cloud.client("s3"), NAMES.bucket("ingest"), prefix):
        yield row["Key"]


def _running(site: Site, prefix: str) -> Iterator[str]:
    states = site.client("stepfunctions")
    for product in site.products:
        listed = states.get_paginator("list_executions").paginate(
            stateMachineArn=site.machine_arn(product.machine), statusFilter="RUNNING"
        )
        for page in listed:
            for row in page["executions"]:
                if read_execution(states, row["executionArn"]).key.startswith(prefix):
                    yield row["executionArn"]


def _rows(table: JobsTable, prefix: str) -> Iterator[JobRow]:
    """Yield the jobs of objects below `prefix`."""
    after = None
    while True:
        page = table.below(NAMES.bucket("ingest"), prefix, limit=_PAGE, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def _delete(site: Site, bucket: str, prefix: str) -> None:
    s3, name = site.client("s3"), NAMES.bucket(bucket)
    for row in _versions(s3, name, prefix):
        s3.delete_object(Bucket=name, Key=row["Key"], VersionId=row["VersionId"])


def _versions(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        yield from (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
