"""What may be redriven on AWS, and that its job is held again before it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from click.testing import CliRunner
from moto import mock_aws

from pipeline.cli.jobs import jobs
from pipeline.declared.names import stage_names
from pipeline.operations.executions import Execution
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.lookup import Job
from pipeline.operations.redriving import NotRedriven, redrive
from pipeline.operations.repairing import close_dead
from pipeline.operations.site import Site
from tests.pipeline.operations.sites import FakeSite

NAMES: Final = stage_names("dev", account="123456789012", region="us-east-1")
RED: Final = Execution("red", "FAILED", {}, {}, "StoreUnavailable", None)


@pytest.fixture
def aws() -> Iterator[FakeSite]:
    with mock_aws():
        session = boto3.Session("key", "secret", region_name="us-east-1")
        session.client("dynamodb").create_table(
            TableName=NAMES.table("jobs"),
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield FakeSite(names=NAMES, real=session)


def job(aws: FakeSite, status: str, execution: Execution, *, held_by: str = "red") -> Job:
    item: dict[str, Any] = {
        "job_id": {"S": "j"}, "status": {"S": status}, "execution": {"S": held_by},
        "updated_at": {"S": datetime.now(UTC).isoformat()}, "error": {"S": "StoreUnavailable"},
    }  # fmt: skip
    aws.real.client("dynamodb").put_item(TableName=NAMES.table("jobs"), Item=item)
    row = JobsTable(aws.site).row("j")
    assert row is not None
    return Job(replace(row, execution=execution.arn), execution, execution)


def test_a_red_execution_is_resumed_and_holds_its_job_again(aws: FakeSite) -> None:
    redrive(aws.site, job(aws, "FAILED", RED))

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert aws.redriven == ["red"]
    assert (row.status, row.error) == ("RUNNING", "")


def test_a_redriven_job_is_held_for_as_long_as_its_own_definition_lets_it_run(
    aws: FakeSite,
) -> None:
    before = datetime.now(UTC).timestamp()

    redrive(replace(aws, timeout_s=60).site, job(aws, "FAILED", RED))

    assert before + 59 <= int(held_until(aws)) <= datetime.now(UTC).timestamp() + 60


NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
PHOTO: Final = {"bucket": "photos", "key": "cat.jpg"}
EVENT: Final = {
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "photos"}, "object": {"key": "cat.jpg", "version-id": "v1"}},
}


@pytest.mark.parametrize("asked", [PHOTO, EVENT])
@pytest.mark.parametrize("uploaded", [{}, {"cat.jpg": NOON + timedelta(minutes=1)}])
def test_an_execution_whose_object_was_replaced_or_deleted_since_is_not_resumed(
    aws: FakeSite, asked: dict[str, Any], uploaded: dict[str, datetime]
) -> None:
    """It may have made its outputs, and would publish them over those of the newer upload."""
    found = job(aws, "FAILED", replace(RED, input=asked, started=NOON))
    site = replace(aws, uploaded=uploaded).site

    with pytest.raises(NotRedriven, match="replaced or deleted since"):
        redrive(site, found)

    assert aws.redriven == []


@pytest.mark.parametrize(
    ("asked", "uploaded"),
    [(EVENT, {"cat.jpg": NOON}), ({**PHOTO, "version_id": "v1"}, {})],
    ids=["the latest version", "a version that a user named"],
)
def test_an_execution_whose_object_is_as_it_was_is_resumed(
    aws: FakeSite, asked: dict[str, Any], uploaded: dict[str, datetime]
) -> None:
    found = job(aws, "FAILED", replace(RED, input=asked, started=NOON))

    redrive(replace(aws, uploaded=uploaded).site, found)

    assert aws.redriven == ["red"]


def test_the_record_of_an_execution_that_claimed_nothing_goes_when_it_is_resumed(
    aws: FakeSite,
) -> None:
    """Its claim writes the job's own row; the record beside it would run for ever."""
    found = job(aws, "FAILED", replace(RED, arn="arn:j"), held_by="arn:j")

    redrive(aws.site, found)

    assert aws.redriven == ["arn:j"]
    assert JobsTable(aws.site).row("j") is None


def test_it_is_there_again_if_aws_refuses(aws: FakeSite) -> None:
    refusing = replace(aws, refusal=refusal("older than 14 days"))
    found = job(aws, "FAILED", replace(RED, arn="arn:j"), held_by="arn:j")

    with pytest.raises(NotRedriven, match="older than 14 days"):
        redrive(refusing.site, found)

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert (row.status, row.error) == ("FAILED", "StoreUnavailable")


@pytest.mark.parametrize(
    ("status", "execution", "held_by", "told"),
    [
        ("DONE", replace(RED, status="SUCCEEDED", error=None), "red", "can be redriven"),
        ("RUNNING", replace(RED, status="RUNNING", error=None), "red", "can be redriven"),
        ("QUARANTINED", replace(RED, error="NoSubject"), "red", "quarantine release"),
        ("FAILED", RED, "another", "another execution has claimed its job"),
        ("DONE", RED, "red", "or the job is done"),
    ],
)
def test_what_may_not_be_resumed_is_said_and_left_alone(
    aws: FakeSite, status: str, execution: Execution, held_by: str, told: str
) -> None:
    found = job(aws, status, execution, held_by=held_by)

    with pytest.raises(NotRedriven, match=told):
        redrive(aws.site, found)

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert (aws.redriven, row.status) == ([], status)


def test_an_execution_whose_job_another_has_taken_over_is_not_resumed(aws: FakeSite) -> None:
    found = job(aws, "FAILED", RED, held_by="another")

    with pytest.raises(NotRedriven, match="another execution has claimed its job"):
        redrive(aws.site, replace(found, row=JobsTable(aws.site).row("j")))

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert (aws.redriven, row.status) == ([], "FAILED")


@pytest.mark.parametrize("error", ["OutOfMemory", "Sandbox.Timedout", "WeightsNotStaged"])
def test_what_the_machine_caught_and_ended_in_fail_is_for_replay(aws: FakeSite, error: str) -> None:
    caught = replace(aws, last_events=("ExecutionFailed", "FailStateEntered"))

    found = job(aws, "FAILED", replace(RED, error=error))

    with pytest.raises(NotRedriven, match="jobs replay"):
        redrive(caught.site, found)

    assert aws.redriven == []


def test_a_redrive_that_was_done_although_the_answer_was_lost_is_left_running(
    aws: FakeSite,
) -> None:
    resumed = replace(aws, refusal=refusal("it is running"), status="RUNNING")

    redrive(resumed.site, job(aws, "FAILED", RED))

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert row.status == "RUNNING"


def test_a_job_whose_redrive_aws_refuses_is_what_it_was_and_the_reason_is_told(
    aws: FakeSite,
) -> None:
    refusing = replace(aws, refusal=refusal("older than 14 days"))
    found = job(aws, "FAILED", RED)

    with pytest.raises(NotRedriven, match="older than 14 days"):
        redrive(refusing.site, found)

    row = JobsTable(aws.site).row("j")
    assert row is not None
    assert (row.status, row.error) == ("FAILED", "StoreUnavailable")
    assert held_until(aws) == "0"


def refusal(message: str) -> ClientError:
    told: Any = {"Error": {"Code": "ExecutionNotRedrivable", "Message": message}}
    return ClientError(told, "RedriveExecution")


def held_until(aws: FakeSite) -> str:
    rows = aws.real.client("dynamodb").scan(TableName=NAMES.table("jobs"))["Items"]
    return str(rows[0]["held_until"]["N"])


def test_a_job_that_still_runs_for_an_execution_that_ended_well_is_closed_as_done(
    aws: FakeSite,
) -> None:
    job(aws, "RUNNING", RED)
    row = JobsTable(aws.site).row("j")
    assert row is not None

    assert close_dead(aws.site, row, replace(RED, status="SUCCEEDED")) == "DONE"

    done = JobsTable(aws.site).row("j")
    assert done is not None
    assert (done.status, done.error) == ("DONE", "")


def test_one_name_that_fails_does_not_stop_the_others(
    aws: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = job(aws, "FAILED", replace(RED, arn="red"))

    def find(_site: Site, name: str) -> Job | None:
        if name == "throttled":
            raise refusal("Rate exceeded")
        if name == "unheard":
            raise ReadTimeoutError(endpoint_url="states")
        return found if name == "red" else None

    monkeypatch.setattr("pipeline.operations.redriving.find_job", find)
    monkeypatch.setattr("pipeline.cli.site.aws_site", lambda *_: aws.site)

    words = ["redrive", "throttled", "unheard", "nobody", "red", "--stage", "dev"]
    done = CliRunner().invoke(jobs, words)

    told = [line.partition("  ")[::2] for line in done.stdout.splitlines()]
    assert [name for name, _ in told] == words[1:5]
    assert "Rate exceeded" in told[0][1]
    assert [said for _, said in told[2:]] == ["there is no such job or execution", "resumed"]
    assert (done.exit_code, aws.redriven) == (1, ["red"])


def test_all_names_that_are_resumed_are_no_failure(
    aws: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = job(aws, "FAILED", RED)
    monkeypatch.setattr("pipeline.operations.redriving.find_job", lambda *_: found)
    monkeypatch.setattr("pipeline.cli.site.aws_site", lambda *_: aws.site)

    assert CliRunner().invoke(jobs, ["redrive", "red", "--stage", "dev"]).exit_code == 0


def test_an_execution_that_aws_has_forgotten_is_for_replay(aws: FakeSite) -> None:
    with pytest.raises(NotRedriven, match="jobs replay"):
        redrive(aws.site, Job(None, None, None))


@pytest.mark.parametrize(
    ("status", "execution"),
    [("RUNNING", replace(RED, status="RUNNING")), ("FAILED", replace(RED, status="SUCCEEDED"))],
    ids=["its execution runs", "another execution has claimed it"],
)
def test_nothing_is_closed_where_there_is_nothing_to_close(
    aws: FakeSite, status: str, execution: Execution
) -> None:
    job(aws, status, RED, held_by="another")
    row = JobsTable(aws.site).row("j")
    assert row is not None

    assert close_dead(aws.site, replace(row, execution="red"), execution) is None
    assert JobsTable(aws.site).row("j") == row
