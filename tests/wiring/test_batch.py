"""A stage with AWS Batch deploys: queues, machines, and jobs that a release defines anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from tests.conftest import ROOT
from tests.wiring.assembly import Template
from tests.wiring.deployment import deploy, release
from tests.wiring.faults import faults
from tests.wiring.ministack import REGION, MiniStack
from tests.wiring.rights import missing

pytestmark = pytest.mark.wiring
Stacks = dict[str, Template]
BLUEPRINT: Final = Blueprint.read(ROOT).with_batch("gpu")
ACCOUNT: Final = "230000000001"
NEXT: Final = {"ImageDigestHex": "e" * 64, "ReleaseVersion": "1.3.0"}


@pytest.fixture(scope="module")
def deployed(stacks_with_batch: Stacks, cloud: MiniStack) -> MiniStack:
    """An account with a stage that has AWS Batch, before its first release."""
    account = replace(cloud, account=ACCOUNT)
    deploy(stacks_with_batch, account)
    return account


def definitions(cloud: MiniStack) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = cloud.client("batch").describe_job_definitions()[
        "jobDefinitions"
    ]
    return listed


def test_queues_share_machines_of_which_none_runs(deployed: MiniStack) -> None:
    batch = deployed.client("batch")
    (machines,) = batch.describe_compute_environments()["computeEnvironments"]
    queues = {each["jobQueueName"]: each for each in batch.describe_job_queues()["jobQueues"]}

    assert queues.keys() == {f"matteline-dev-gpu-{lane}" for lane in LANES}
    assert machines["computeResources"]["minvCpus"] == 0
    assert {
        each["computeEnvironmentOrder"][0]["computeEnvironment"] for each in queues.values()
    } == {machines["computeEnvironmentArn"]}


def test_each_release_defines_every_job_anew(
    elsewhere: MiniStack, stacks_with_batch: Stacks
) -> None:
    deploy(stacks_with_batch, elsewhere)
    before = definitions(elsewhere)
    release(stacks_with_batch, elsewhere)
    release(stacks_with_batch, elsewhere, NEXT)

    revisions = {
        (each["jobDefinitionName"], each["revision"]): each["containerProperties"]["image"]
        for each in definitions(elsewhere)
    }

    assert before == []
    assert {name for name, _ in revisions} == {
        f"matteline-dev-{job.manifest.name}-{job.row.name}" for job in BLUEPRINT.jobs
    }
    assert {(number, image.rpartition(":")[2]) for (_, number), image in revisions.items()} == {
        (1, "1.2.3-gpu"),
        (2, "1.3.0-gpu"),
    }


def test_the_machine_that_runs_jobs_may_submit_and_end_each_of_them(deployed: MiniStack) -> None:
    states = deployed.client("stepfunctions")
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:matteline-dev-run-on-batch"
    role = states.describe_state_machine(stateMachineArn=arn)["roleArn"]
    batch = f"arn:aws:batch:{REGION}:{ACCOUNT}"
    jobs = [f"matteline-dev-{job.manifest.name}-{job.row.name}" for job in BLUEPRINT.jobs]

    rights = [
        *(("batch:SubmitJob", f"{batch}:job-definition/{name}:2") for name in jobs),
        *(("batch:SubmitJob", f"{batch}:job-queue/matteline-dev-gpu-{lane}") for lane in LANES),
        ("batch:TerminateJob", f"{batch}:job/1a2b"),
        ("batch:DescribeJobs", "*"),
    ]
    others = [
        ("batch:SubmitJob", f"{batch}:job-definition/somebody-elses:1"),
        ("batch:SubmitJob", f"{batch}:job-queue/somebody-elses"),
    ]

    assert [*missing(role, rights, deployed)] == []
    assert len([*missing(role, others, deployed)]) == len(others)


def test_every_resource_that_a_state_or_rule_names_exists(
    deployed: MiniStack, stacks_with_batch: Stacks
) -> None:
    release(stacks_with_batch, deployed)
    catalogue = BLUEPRINT.catalogue
    models = {name: [row.name for row in catalogue.rows_of(name)] for name in catalogue.defaults}

    assert faults(deployed, models) == []
