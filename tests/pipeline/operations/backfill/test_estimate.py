"""The estimate of a backfill counts jobs of AWS Batch as jobs, with their price and their wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber

from pipeline.cli.backfill_estimate import Plans, show_estimate
from pipeline.declared.containers import load_containers
from pipeline.declared.names import LOCAL_NAMES, Names, stage_names
from pipeline.declared.products import Product, load_products
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill.backfilling import Batch, Estimate, Size
from pipeline.operations.backfill.pace import with_jobs
from pipeline.operations.backfill.simulation import Account
from pipeline.operations.site import Site
from pipeline.session.choice import ModelChoice
from pipeline.session.session import read_catalogue
from tests.conftest import ROOT

PRODUCTS: Final = {each.name: each for each in load_products(ROOT)}
JOBS: Final = {each.name: each.batch for each in load_containers(ROOT)}
CATALOGUE: Final = read_catalogue(ROOT, ModelChoice())
NAMES: Final = stage_names("dev", account="123456789012", region="us-east-1")
LIMITS: Final = {"AccountLimit": {"ConcurrentExecutions": 1_000}}


def planned(product: str, seconds: float | None = None, **options: Any) -> Any:
    return Plans(Batch(PRODUCTS[product], options=options), seconds).of(PRODUCTS[product])


def stage(names: Names = NAMES) -> Site:
    products: tuple[Product, ...] = tuple(PRODUCTS.values())
    return Site(names, boto3.Session("key", "secret", region_name=names.region), products)


def machines(*kinds: str, names: Names = NAMES, **size: Any) -> tuple[Any, Any]:
    """Return what AWS Batch says of the stage's queues, and of what they run on."""
    queues = [
        {
            "jobQueueName": names.job_queue(kind, "backfill"),
            "jobQueueArn": f"arn:aws:batch:us-east-1:123456789012:job-queue/{kind}",
            "state": "ENABLED",
            "priority": 1,
            "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": f"{kind}-machines"}],
        }
        for kind in kinds
    ]
    environment = {"computeEnvironmentName": "it", "computeEnvironmentArn": "it", **size}
    return {"jobQueues": queues}, {"computeEnvironments": [environment]}


def spot(vcpus: int) -> Mapping[str, Any]:
    return {
        "computeResources": {"type": "SPOT", "maxvCpus": vcpus, "subnets": ["subnet-1"]},
    }


@pytest.mark.parametrize("compute", [{}, {"compute": "auto"}, {"compute": "lambda"}], ids=str)
@pytest.mark.parametrize("product", ["cutout", "transcript"])
def test_functions_run_what_they_can(product: str, compute: dict[str, Any]) -> None:
    usual = planned(product, **compute)

    assert [call.vcpus for call in usual.work.calls] == [0]
    assert usual == planned(product)


def test_a_job_has_the_vcpus_of_its_container_and_the_measured_seconds() -> None:
    row = CATALOGUE.row("u2netp")
    measured, job = CATALOGUE.measured_of(row), JOBS["background-remover"]
    assert measured
    assert job

    function, run = planned("cutout", model="u2netp", compute="batch").work.calls

    assert function.vcpus == 0
    assert function.seconds == pytest.approx(1.2)  # inspected and refined
    assert run.vcpus == job.vcpus
    assert run.seconds == pytest.approx(measured.seconds * 2 / job.vcpus)
    assert run.memory_mb == job.memory_mb


def test_the_given_seconds_are_those_of_the_jobs_together() -> None:
    _, one = planned("cutout", 30, compute="batch").work.calls
    _, first, second = planned("transcript", 30, compute="batch", diarize=True).work.calls

    assert (one.seconds, first.seconds, second.seconds) == (30, 15, 15)


def test_a_job_is_an_execution_and_the_states_of_its_machine_more() -> None:
    """Its machine writes, runs, reads and decides, in at least five states and a start."""
    usual, run = planned("cutout").work, planned("cutout", compute="batch").work

    assert run.executions == usual.executions + 1
    assert run.transitions >= usual.transitions + 6
    assert run.requests.puts == usual.requests.puts + 2
    assert run.requests.gets == usual.requests.gets + 2
    assert run.requests.logged == usual.requests.logged


def test_faces_have_no_jobs() -> None:
    assert planned("faces", compute="batch") == planned("faces")


def test_a_model_for_aws_batch_alone_is_a_job_and_in_no_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = CATALOGUE.row("u2netp").model_copy(update={"compute": "batch"})
    monkeypatch.setattr(type(CATALOGUE), "row", lambda *_: row)

    assert [call.vcpus for call in planned("cutout").work.calls] == [0, 4]
    with pytest.raises(InvalidOptions, match="u2netp runs on AWS Batch alone"):
        planned("cutout", compute="lambda")


@pytest.mark.parametrize("cap", [64, 1_000])
def test_the_estimate_is_the_closed_form(cap: int, capsys: pytest.CaptureFixture[str]) -> None:
    """800 jobs of 90 seconds, eight at a time, after three minutes: 2 h 33 min, for $1.60."""
    site, batch = stage(), Batch(PRODUCTS["cutout"], options={"compute": "batch"})
    queues, found = machines("cpu", **spot(32))

    with Stubber(site.client("lambda")) as limits, Stubber(site.client("batch")) as aws_batch:
        limits.add_response("get_account_settings", LIMITS)
        aws_batch.add_response("describe_job_queues", queues)
        aws_batch.add_response("describe_compute_environments", found)
        show_estimate(site, Estimate({"cutout": Size(800, 0)}, 1), Plans(batch, 90), cap)

    told = capsys.readouterr().out.splitlines()
    assert told[1].startswith("cutout: 800 objects, 1.2 s each with 1,024 MB, and a job of 90.0 s")
    assert f"batch ${800 * 90 * 4 / 3600 * 0.02:.2f}" in told[2]
    assert told[3] == (
        "$1.60 of it for jobs of AWS Batch, at $0.02 for a vCPU-hour on spot machines;"
        " 32 vCPUs at once, the first after 0:03:00"
    )
    assert told[4].startswith("about 2:33:0")


def test_machines_with_gpus_run_the_jobs_where_a_stage_has_them() -> None:
    site = stage()
    queues, found = machines("cpu", "gpu", **spot(64))

    with Stubber(site.client("batch")) as aws_batch:
        aws_batch.add_response("describe_job_queues", queues)
        aws_batch.add_response(
            "describe_compute_environments", found, {"computeEnvironments": ["gpu-machines"]}
        )
        account = with_jobs(Account(), site, 4)

    assert account.batch_vcpus == 64
    assert account.machine_s == 180


def test_jobs_of_the_local_cloud_wait_for_no_machine() -> None:
    site = stage(LOCAL_NAMES)
    queues, found = machines("cpu", names=LOCAL_NAMES, unmanagedvCpus=4)

    with Stubber(site.client("batch")) as aws_batch:
        aws_batch.add_response("describe_job_queues", queues)
        aws_batch.add_response("describe_compute_environments", found)
        account = with_jobs(Account(), site, 4)

    assert (account.batch_vcpus, account.machine_s) == (4, 0)


@pytest.mark.parametrize(
    ("kinds", "vcpus", "why"),
    [((), 0, "needs? AWS Batch"), (("cpu",), 2, "takes 4 vCPUs, and its machines have 2")],
    ids=["off", "small"],
)
def test_jobs_that_no_machine_can_run_are_refused(
    kinds: tuple[str, ...], vcpus: int, why: str
) -> None:
    site = stage()
    queues, found = machines(*kinds, **spot(vcpus))

    with Stubber(site.client("batch")) as aws_batch:
        aws_batch.add_response("describe_job_queues", queues)
        aws_batch.add_response("describe_compute_environments", found)
        with pytest.raises(InvalidOptions, match=why):
            with_jobs(Account(), site, 4)
