"""boto3's client of AWS Batch finds in the local cloud what it finds on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError

from pipeline.local.batch.batch_api import BatchApi
from pipeline.local.batch.batch_host import BatchHost
from pipeline.local.server import LocalServer, moto_app
from tests.pipeline.local.batch.conftest import Desk

JOB = {"jobName": "test", "jobDefinition": "obedient", "jobQueue": "uploads"}
ACCOUNT = "arn:aws:batch:us-east-1:123456789012"


@pytest.fixture
def server(host: BatchHost) -> Iterator[LocalServer]:
    server = LocalServer(0)
    server.start(BatchApi(moto_app(), host))
    yield server
    server.stop()


def client(server: LocalServer, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - any will do
    )


@pytest.fixture
def batch(server: LocalServer) -> Any:
    return client(server, "batch")


@pytest.mark.parametrize("name", ["obedient", "obedient:1", f"{ACCOUNT}:job-definition/obedient:1"])
def test_a_job_is_submitted_by_name_or_arn(batch: Any, desk: Desk, name: str) -> None:
    submitted = batch.submit_job(
        jobName="test",
        jobDefinition=name,
        jobQueue=f"{ACCOUNT}:job-queue/uploads",
        parameters={"status": "0"},
    )

    assert submitted["jobArn"] == f"{ACCOUNT}:job/{submitted['jobId']}"
    assert desk.ended(submitted["jobId"])["status"] == "SUCCEEDED"


def test_a_job_is_described(batch: Any, desk: Desk) -> None:
    environment = [{"name": "A", "value": "b"}]
    job_id = batch.submit_job(
        **JOB,
        parameters={"status": "1"},
        retryStrategy={"attempts": 2},
        timeout={"attemptDurationSeconds": 60},
        containerOverrides={"environment": environment},
    )["jobId"]
    desk.ended(job_id)

    (job,) = batch.describe_jobs(jobs=[job_id, "none"])["jobs"]

    assert (job["jobName"], job["status"]) == ("test", "FAILED")
    assert job["statusReason"] == "Essential container in task exited"
    assert job["jobQueue"] == f"{ACCOUNT}:job-queue/uploads"
    assert job["jobDefinition"] == f"{ACCOUNT}:job-definition/obedient:1"
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [1, 1]
    assert job["container"]["command"][-2:] == ["exit", "1"]
    assert job["container"]["environment"] == environment
    assert job["timeout"] == {"attemptDurationSeconds": 60}


def test_jobs_are_listed_by_queue_and_status_the_latest_first(batch: Any, desk: Desk) -> None:
    ids = [batch.submit_job(**JOB, parameters={"status": "0"})["jobId"] for _ in range(3)]
    for each in ids:
        desk.ended(each)
    asked = {"jobQueue": "uploads", "jobStatus": "SUCCEEDED"}

    pages = batch.get_paginator("list_jobs").paginate(**asked, PaginationConfig={"PageSize": 2})
    listed = [[each["jobId"] for each in page["jobSummaryList"]] for page in pages]

    assert [len(page) for page in listed] == [2, 1]
    assert {each for page in listed for each in page} == set(ids)
    assert batch.list_jobs(jobQueue="uploads")["jobSummaryList"] == []
    assert batch.list_jobs(**asked | {"jobQueue": "backfill"})["jobSummaryList"] == []


def test_jobs_are_terminated_and_cancelled(batch: Any, desk: Desk) -> None:
    blocking = [desk.submit("sleep", "60") for _ in range(2)]
    waiting = batch.submit_job(**JOB, parameters={"status": "0"})["jobId"]

    batch.cancel_job(jobId=waiting, reason="cancelled")
    for each in blocking:
        batch.terminate_job(jobId=each, reason="terminated")

    assert desk.ended(waiting)["statusReason"] == "cancelled"
    assert {desk.ended(each)["statusReason"] for each in blocking} == {"terminated"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"jobDefinition": "unknown"}, "JobDefinition unknown not found"),
        ({"jobQueue": "unknown"}, "JobQueue unknown not found"),
        ({"parameters": {}}, "the parameter 'status' has no value"),
        ({"jobName": "a name"}, "Job name should match valid pattern: a name"),
    ],
    ids=["definition", "queue", "parameter", "name"],
)
def test_what_aws_batch_refuses_is_refused(
    batch: Any, host: BatchHost, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError, match=said) as refused:
        batch.submit_job(**{**JOB, "parameters": {"status": "0"}, **wrong})

    assert refused.value.response["Error"]["Code"] == "ClientException"
    assert list(host.details()) == []


def test_an_operation_the_local_cloud_lacks_is_refused(batch: Any) -> None:
    with pytest.raises(ClientError, match="has no registerjobdefinition"):
        batch.register_job_definition(jobDefinitionName="a", type="container")


def test_queues_definitions_and_the_compute_environment_are_described(batch: Any) -> None:
    queues = batch.describe_job_queues()["jobQueues"]
    (definition,) = batch.describe_job_definitions(jobDefinitionName="obedient")["jobDefinitions"]
    (computer,) = batch.describe_compute_environments()["computeEnvironments"]

    assert {each["jobQueueName"]: each["priority"] for each in queues} == {
        "uploads": 2,
        "backfill": 1,
    }
    assert definition["jobDefinitionArn"] == f"{ACCOUNT}:job-definition/obedient:1"
    assert computer["unmanagedvCpus"] == 2
    assert queues[0]["computeEnvironmentOrder"] == [
        {"order": 1, "computeEnvironment": computer["computeEnvironmentArn"]}
    ]
    (one,) = batch.describe_job_queues(jobQueues=["backfill"])["jobQueues"]
    assert one["jobQueueName"] == "backfill"


def test_requests_of_other_services_are_passed_on(server: LocalServer, host: BatchHost) -> None:
    s3 = client(server, "s3")
    s3.create_bucket(Bucket="photos")

    s3.put_object(Bucket="photos", Key="submitjob", Body=b"an object")

    assert s3.get_object(Bucket="photos", Key="submitjob")["Body"].read() == b"an object"
    assert list(host.details()) == []


def test_only_a_request_signed_for_aws_batch_submits_a_job(
    server: LocalServer, host: BatchHost
) -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"}

    for headers in ({}, signed):
        urllib3.request(
            "POST",
            f"http://127.0.0.1:{server.port}/v1/submitjob",
            json=JOB | {"parameters": {"status": "0"}},
            headers=headers,
        )

    assert list(host.details()) == []
