"""Audits, repairs and backfills of a deployment with two products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.backfill import backfill
from pipeline.cli.jobs import jobs
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.backfill.backfilling import Batch, estimate
from pipeline.operations.executions import executions_since, find_execution
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import Job
from pipeline.operations.repairing import repair
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.verdicts import LOST
from tests.pipeline.operations.deployment import Deployment
from tests.pipeline.operations.sites import CUTOUT, PRODUCTS, TRANSCRIPT

NO_PATIENCE = timedelta(0)


@pytest.fixture
def since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def test_executions_of_every_product_are_listed(deployment: Deployment, since: datetime) -> None:
    arns = [deployment.ended(product.machine, "monday") for product in PRODUCTS]

    found = executions_since(deployment.site, since, PRODUCTS)

    assert [each.arn for each in found] == arns


def test_an_audit_counts_each_product_by_itself(deployment: Deployment, since: datetime) -> None:
    for key, product in (("cat.jpg", CUTOUT), ("dog.jpg", CUTOUT), ("talk.mp3", TRANSCRIPT)):
        deployment.put(key)
        arn = deployment.ended(product.machine, key.partition(".")[0], key)
        deployment.record(key, arn, error="OutOfMemory")

    both = audit(deployment.site, since, patience=NO_PATIENCE)
    one = audit(deployment.site, since, patience=NO_PATIENCE, product=TRANSCRIPT)

    assert both.states == {"cutout": {"FAILED": 2}, "transcript": {"FAILED": 1}}
    assert one.states == {"transcript": {"FAILED": 1}}


def test_an_audit_of_one_product_leaves_jobs_of_others_alone(
    deployment: Deployment, since: datetime
) -> None:
    for product in PRODUCTS:
        arn = LOCAL_NAMES.execution_arn(product.machine, "gone")
        deployment.record(product.name, arn, status="RUNNING")

    found = audit(deployment.site, since, patience=NO_PATIENCE, product=CUTOUT).findings

    assert [finding.what for finding in found] == ["cutout"]


def test_a_lost_upload_starts_the_product_that_takes_its_key(
    deployment: Deployment, since: datetime
) -> None:
    deployment.put("talk.mp3")
    (lost,) = audit(deployment.site, since, patience=NO_PATIENCE).findings

    done = repair(deployment.site, lost)

    assert (lost.kind, lost.why) == (LOST, "no execution of write-transcript was started for it")
    assert done.started is not None
    assert LOCAL_NAMES.machine_of(done.started) == TRANSCRIPT.machine
    execution = find_execution(deployment.site, done.started)
    assert execution is not None
    assert execution.key == "talk.mp3"


def test_only_the_products_own_finished_jobs_cost_nothing(deployment: Deployment) -> None:
    for key, product in (("cat.jpg", CUTOUT), ("talk.mp3", TRANSCRIPT)):
        deployment.put(key)
        arn = LOCAL_NAMES.execution_arn(product.machine, "x")
        deployment.record(key, arn, status="DONE", key=key)

    size = estimate(deployment.site, Batch(TRANSCRIPT))

    assert size.products == {"transcript": (2, 1)}


def test_each_object_counts_for_the_product_that_its_name_starts(deployment: Deployment) -> None:
    for key in ("cat.jpg", "dog.jpg", "talk.mp3", "folder/"):
        deployment.put(key)
    for key, product in (("cat.jpg", CUTOUT), ("talk.mp3", CUTOUT)):
        arn = LOCAL_NAMES.execution_arn(product.machine, "x")
        deployment.record(f"{key} of {product.name}", arn, status="DONE", key=key)

    size = estimate(deployment.site, Batch(None))

    assert size.products == {"cutout": (2, 1), "transcript": (1, 0)}
    assert (size.objects, size.done) == (3, 1)


@pytest.mark.parametrize(
    ("command", "words", "told"),
    [
        (backfill, ["start", "--dry-run", "--product", "cutout"], "2 objects, 0.000 GB"),
        (jobs, ["audit", "--since", "1h"], "cutout: 1 object: 1 LOST\ntranscript: 1 object: 1"),
    ],
)
def test_the_command_line_tells_products_apart(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    command: Any,
    words: list[str],
    told: str,
) -> None:
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: deployment.site)
    deployment.put("cat.jpg")
    deployment.put("talk.mp3")

    done = CliRunner().invoke(command, [*words, *(["--patience", "0"] if command is jobs else [])])

    assert told in done.output


def test_a_row_without_an_object_is_closed(deployment: Deployment) -> None:
    """An index takes no empty name."""
    arn = deployment.ended("cutout", "nameless")
    table = JobsTable(deployment.site)
    nameless = JobRow("nameless", "RUNNING", arn, datetime.now(UTC))

    assert table.close(nameless, error="ABORTED", reason="stopped")
    closed = table.row("nameless")
    assert closed is not None
    assert (closed.status, closed.bucket, closed.key) == ("FAILED", "", "")


@pytest.mark.parametrize(("other", "replayed"), [("", True), ("-of-another", False)])
def test_a_job_whose_end_was_recorded_meanwhile_is_replayed(
    deployment: Deployment, other: str, *, replayed: bool
) -> None:
    """Unless another execution has claimed it."""
    arn = deployment.ended("cutout", "late")
    deployment.record("late-job", f"{arn}{other}", machine="cutout", error="ABORTED")
    execution = find_execution(deployment.site, arn)
    read = JobRow("late-job", "RUNNING", arn, datetime.now(UTC), machine="cutout")

    answer = replay(deployment.site, Job(read, execution, execution), Changes())

    assert (answer.started is not None) is replayed
    assert answer.refused == (None if replayed else "another execution has just claimed it")
