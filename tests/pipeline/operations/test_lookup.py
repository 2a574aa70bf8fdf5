"""A job is found whichever product it is of, and each execution is described once."""

from __future__ import annotations

from collections import Counter

import pytest
from click.testing import CliRunner

from pipeline.cli.jobs import jobs
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.executions import find_execution, sentences, start_after, start_once
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.lookup import Wanted, find_job, find_rows, job_of
from pipeline.operations.replaying import Changes, replay
from tests.pipeline.operations.deployment import INPUT, Deployment
from tests.pipeline.operations.sites import CUTOUT, PRODUCTS, TRANSCRIPT


def test_a_job_of_the_second_product_is_found_by_id_name_and_arn(deployment: Deployment) -> None:
    arn = deployment.ended(TRANSCRIPT.machine, "monday")
    deployment.record("j", arn)

    for name in ("j", "monday", arn):
        job = find_job(deployment.site, name)
        assert job is not None
        assert job.row is not None
        assert job.asked is not None
        assert (job.row.job_id, job.asked.arn, job.latest) == ("j", arn, job.asked)


def test_an_arn_tells_executions_of_one_name_apart(deployment: Deployment) -> None:
    arns = [deployment.ended(product.machine, "monday") for product in PRODUCTS]

    found = [find_job(deployment.site, name) for name in (*arns, "monday")]

    assert [job.asked.arn for job in found if job and job.asked] == [*arns, arns[0]]


def test_a_name_of_nothing_is_not_found(deployment: Deployment) -> None:
    assert find_job(deployment.site, "nobody") is None


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"product": "cutout", "machine": "cutout"}, ("cutout", "cutout")),
        ({}, ("transcript", "write-transcript")),
        ({"product": "", "machine": ""}, ("transcript", "write-transcript")),
    ],
    ids=["as written", "a row older than products", "closed by a recorder that did not know"],
)
def test_a_row_names_its_product_or_its_executions_arn_does(
    deployment: Deployment, attributes: dict[str, str], named: tuple[str, str]
) -> None:
    deployment.record("j", LOCAL_NAMES.execution_arn(TRANSCRIPT.machine, "x"), **attributes)

    row = JobsTable(deployment.site).row("j")

    assert row is not None
    assert (row.product, row.machine) == named


def test_a_row_of_an_execution_of_no_product_names_none(deployment: Deployment) -> None:
    deployment.record("j", "somebody")

    row = JobsTable(deployment.site).row("j")

    assert row is not None
    assert (row.product, row.machine) == ("", "")


def test_jobs_are_listed_by_product(deployment: Deployment) -> None:
    for product in PRODUCTS:
        arn = LOCAL_NAMES.execution_arn(product.machine, "x")
        deployment.record(product.name, arn)

    rows = find_rows(deployment.site, Wanted(product="transcript"))

    assert [row.job_id for row in rows] == ["transcript"]


def test_jobs_are_listed_by_the_beginning_of_their_keys(deployment: Deployment) -> None:
    for key in ("shop/cat.jpg", "shop2/cat.jpg"):
        deployment.record(key, LOCAL_NAMES.execution_arn(CUTOUT.machine, "x"), key=key)
    deployment.record("none", LOCAL_NAMES.execution_arn(CUTOUT.machine, "x"))

    rows = find_rows(deployment.site, Wanted(prefix="shop/"))

    assert [row.job_id for row in rows] == ["shop/cat.jpg"]
    assert len(list(find_rows(deployment.site, Wanted()))) == 3


def test_a_status_may_be_typed_in_small_letters(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in ("FAILED", "DONE"):
        deployment.record(f"{status} job", "somebody", status=status)
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: deployment.site)

    listed = CliRunner().invoke(jobs, ["list", "--status", "failed"], env={"COLUMNS": "200"})

    assert ("FAILED job" in listed.output, "DONE job" in listed.output) == (True, False)


@pytest.mark.parametrize("name", ["j", "monday"])
def test_a_replay_describes_the_execution_once_and_starts_the_same_machine(
    deployment: Deployment, name: str
) -> None:
    arn = deployment.ended(TRANSCRIPT.machine, "monday")
    deployment.record("j", arn, status="RUNNING", key="talk.mp3")
    deployment.described.clear()

    job = find_job(deployment.site, name)
    assert job is not None
    replayed = replay(deployment.site, job, Changes())

    of_cutout = LOCAL_NAMES.execution_arn(CUTOUT.machine, name)
    assert deployment.described - Counter([of_cutout]) == Counter([arn])
    assert replayed.started is not None
    assert LOCAL_NAMES.machine_of(replayed.started) == TRANSCRIPT.machine
    started = find_execution(deployment.site, replayed.started)
    row = JobsTable(deployment.site).row("j")
    assert started is not None
    assert row is not None
    assert started.input == INPUT
    assert (row.status, row.released_by) == ("FAILED", replayed.started)


def test_replaying_all_that_ended_with_an_error_describes_each_execution_once(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    arns = [deployment.ended(product.machine, "monday") for product in PRODUCTS]
    for arn in arns:
        deployment.record(arn[-20:], arn, error="OutOfMemory")
    deployment.described.clear()
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: deployment.site)

    done = CliRunner().invoke(jobs, ["replay", "--error", "OutOfMemory"])

    assert (done.exit_code, done.stdout.count("started again as replay-")) == (0, 2)
    assert deployment.described == Counter(arns)


def test_a_job_of_no_product_is_not_replayed(deployment: Deployment) -> None:
    deployment.record("j", "somebody", reason="")
    row = JobsTable(deployment.site).row("j")
    assert row is not None

    replayed = replay(deployment.site, job_of(deployment.site, row), Changes())

    assert replayed.started is None
    assert "belongs to no product's state machine" in str(replayed.refused)


def test_an_execution_is_started_once_for_a_reason_and_for_a_machine(
    deployment: Deployment,
) -> None:
    arns = [
        start_once(deployment.site, machine, INPUT, why="found")
        for machine in (CUTOUT.machine, CUTOUT.machine, TRANSCRIPT.machine)
    ]

    assert arns[0] == arns[1] != arns[2]
    assert [LOCAL_NAMES.machine_of(arn) for arn in arns[1:]] == ["cutout", "write-transcript"]


def test_the_next_execution_follows_once_the_one_before_has_ended(deployment: Deployment) -> None:
    before = deployment.ended(CUTOUT.machine, "monday")

    def follow() -> str:
        return start_after(deployment.site, CUTOUT.machine, INPUT, why="replay", before=before)

    first, while_it_runs = follow(), follow()
    deployment.states.stop_execution(executionArn=first)

    assert while_it_runs == first
    assert follow() not in {before, first}


def test_a_misspelt_product_is_told_the_nearest_one() -> None:
    done = CliRunner().invoke(jobs, ["list", "--product", "cutuot"])

    assert done.exit_code == 2
    assert "did you mean 'cutout'?" in done.stderr


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (["it is empty", "Upload it again."], "it is empty. Upload it again."),
        (["did you mean 'crop'?", "Correct it."], "did you mean 'crop'? Correct it."),
        (["", "Upload it again."], "Upload it again."),
        (["bug"], "bug"),
    ],
)
def test_a_message_and_its_hint_are_two_sentences(parts: list[str], line: str) -> None:
    assert sentences(*parts) == line
