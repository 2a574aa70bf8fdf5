"""A release moves a container's jobs with its functions; a job is as closed as a function."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import ROOT
from pipeline.declared.blueprint import Blueprint, DeclaredJob
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, Resource, deploy
from tests.infra.conftest import Templates, read_templates, synthesised
from tests.infra.policies import allows, role, statements_of
from tests.infra.test_deploy_role import changed_by_releases, read_by

NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
BLUEPRINT: Final = Blueprint.read(ROOT).with_batch("cpu")
EACH: Final = pytest.mark.parametrize("job", BLUEPRINT.jobs, ids=lambda one: one.name(NAMES))
CONTAINERS: Final = sorted({job.manifest.name for job in BLUEPRINT.jobs})
DIGEST: Final = "ab" * 32
ACTIONS: Final = ["RETRY", "EXIT", "EXIT", "RETRY", "EXIT"]
GIANT: Final = """
[[models]]
name = "giant"
summary = "For tests: no function holds it."
engine = "saliency"
licence = "MIT"
commercial = true
memory_mb = 30000
compute = "batch"
saliency = { input_size = 64, scale = 1, mean = [0, 0, 0], std = [1, 1, 1], activation = "none" }

[[models.files]]
name = "giant.onnx"
digest = "md5:00000000000000000000000000000000"
urls = ["hf://somebody/giant@main/giant.onnx"]
"""


def released(templates: Templates, container: str, version: str = "1.3.0") -> Deployed:
    template = templates[NAMES.function_stack(container)]
    return deploy(template, ImageDigestHex=DIGEST, ReleaseVersion=version)


def definition(templates: Templates, job: DeclaredJob) -> dict[str, Any]:
    stack = released(templates, job.manifest.name)
    return stack.one("Batch::JobDefinition", JobDefinitionName=job.name(NAMES)).properties


def variables(properties: dict[str, Any]) -> dict[str, str]:
    return {
        each["Name"]: each["Value"] for each in properties["ContainerProperties"]["Environment"]
    }


def required(properties: dict[str, Any]) -> dict[str, str]:
    listed = properties["ContainerProperties"]["ResourceRequirements"]
    return {each["Type"]: each["Value"] for each in listed}


@EACH
def test_a_job_has_the_declared_size_and_time(on_cpus: Templates, job: DeclaredJob) -> None:
    made = definition(on_cpus, job)

    assert required(made) == {"VCPU": str(job.batch.vcpus), "MEMORY": str(job.memory_mb)}
    assert made["Timeout"] == {"AttemptDurationSeconds": job.batch.timeout_s}
    (tmp,) = made["ContainerProperties"]["LinuxParameters"]["Tmpfs"]
    assert tmp["Size"] == job.manifest.storage_mb
    assert tmp["ContainerPath"] == "/tmp"  # noqa: S108


@EACH
def test_a_job_has_its_functions_environment_and_what_lambda_would_add(
    on_cpus: Templates, job: DeclaredJob
) -> None:
    name = job.name(NAMES)
    stack = released(on_cpus, job.manifest.name)
    function = stack.one("Lambda::Function", FunctionName=name).properties
    of_function = function["Environment"]["Variables"]

    assert variables(definition(on_cpus, job)) == {
        **of_function,
        "MATTELINE_THREADS": str(job.batch.vcpus),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(job.memory_mb),
    }


@EACH
def test_a_job_is_nobody_and_writes_to_tmp_alone(on_gpus: Templates, job: DeclaredJob) -> None:
    container = definition(on_gpus, job)["ContainerProperties"]

    assert container["ReadonlyRootFilesystem"] is True
    assert container["Privileged"] is False
    assert container["User"] == "65532:65532"
    assert {"Volumes", "MountPoints", "Secrets"} & container.keys() == set()
    assert container["JobRoleArn"] == NAMES.role_arn(job.name(NAMES))
    assert container["ExecutionRoleArn"] == NAMES.role_arn("matteline-dev-batch-execution")


@EACH
def test_a_job_is_tried_again_only_where_that_helps(on_cpus: Templates, job: DeclaredJob) -> None:
    retried = definition(on_cpus, job)["RetryStrategy"]
    conditions = retried["EvaluateOnExit"]

    assert retried["Attempts"] == 3
    assert [each["Action"] for each in conditions] == ACTIONS
    assert [{*each} - {"Action"} for each in conditions] == [
        {"OnStatusReason"}, {"OnReason"}, {"OnExitCode"}, {"OnExitCode"}, {"OnReason"},
    ]  # fmt: skip
    assert [next(text for key, text in each.items() if key != "Action") for each in conditions] == [
        "Host EC2*", "OutOfMemoryError*", "137", "1", "*",
    ]  # fmt: skip


@EACH
def test_a_job_takes_its_two_addresses_and_logs_where_it_may(
    on_cpus: Templates, job: DeclaredJob
) -> None:
    container = definition(on_cpus, job)["ContainerProperties"]
    options = container["LogConfiguration"]["Options"]

    assert container["Command"] == ["pipeline.batch_job", "Ref::job", "Ref::outcome"]
    assert options["awslogs-group"] == f"/aws/batch/matteline-dev-{job.manifest.name}"
    assert options["awslogs-stream-prefix"] == job.name(NAMES)


@EACH
def test_a_job_on_cpus_runs_the_functions_image_and_on_gpus_the_gpu_image(
    on_cpus: Templates, on_gpus: Templates, job: DeclaredJob
) -> None:
    place = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/matteline/{job.manifest.name}"
    cpu, gpu = definition(on_cpus, job), definition(on_gpus, job)
    (function, *_) = released(on_cpus, job.manifest.name).of("Lambda::Function")

    assert cpu["ContainerProperties"]["Image"] == f"{place}@sha256:{DIGEST}"
    assert str(function.properties["Code"]["ImageUri"]).endswith(f"@sha256:{DIGEST}")
    assert gpu["ContainerProperties"]["Image"] == f"{place}:1.3.0-gpu"
    assert required(gpu)["GPU"] == "1"
    assert variables(gpu)["MATTELINE_IMAGE_DIGEST"] == "1.3.0-gpu"


@pytest.mark.parametrize("container", CONTAINERS)
def test_there_is_no_job_before_the_first_release(on_cpus: Templates, container: str) -> None:
    stack = deploy(on_cpus[NAMES.function_stack(container)])

    assert stack.of("Batch::JobDefinition") == []
    assert len(released(on_cpus, container).of("Batch::JobDefinition")) == len(
        [job for job in BLUEPRINT.jobs if job.manifest.name == container]
    )


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_release_moves_jobs_after_its_canaries_and_records_itself_last(
    on_gpus: Templates, container: str
) -> None:
    """A version that the canaries refuse never runs as a job."""
    stack = released(on_gpus, container)
    jobs = stack.of("Batch::JobDefinition")
    aliases = {each.id for each in stack.of("Lambda::Alias")}
    (record,) = stack.of("SSM::Parameter")

    assert [each.id for each in jobs if not aliases <= each.depends_on] == []
    assert {each.id for each in jobs} <= record.depends_on


@pytest.mark.parametrize("container", CONTAINERS)
def test_each_release_is_a_new_revision(on_gpus: Templates, container: str) -> None:
    def images(version: str) -> set[str]:
        jobs = released(on_gpus, container, version).of("Batch::JobDefinition")
        return {each.properties["ContainerProperties"]["Image"] for each in jobs}

    assert "AWS::Batch::JobDefinition" in changed_by_releases(
        on_gpus[NAMES.function_stack(container)]
    )
    assert images("1.3.0") & images("1.4.0") == set()


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_deploy_role_may_define_its_containers_jobs_and_no_others(
    on_gpus: Templates, container: str
) -> None:
    releases = deploy(on_gpus["matteline-dev-releases"])
    allowed = role(releases, NAMES.deploy_role(container))
    register = "batch:RegisterJobDefinition"

    for job in BLUEPRINT.jobs:
        arn = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-definition/{job.name(NAMES)}"
        own = job.manifest.name == container
        assert allows(allowed, register, arn) is own
        assert allows(allowed, "batch:DeregisterJobDefinition", f"{arn}:7") is own
        assert allows(allowed, "iam:PassRole", NAMES.role_arn(job.name(NAMES))) is own
    assert all(
        allows(allowed, action, "*")
        for action in read_by("AWS::Batch::JobDefinition")
        if action.startswith("batch:Describe")
    )


@EACH
def test_a_jobs_role_is_its_models_and_reads_and_answers_jobs(
    on_cpus: Templates, job: DeclaredJob
) -> None:
    made = deploy(on_cpus["matteline-dev-access"]).one("IAM::Role", RoleName=job.name(NAMES))
    trusted = made.properties["AssumeRolePolicyDocument"]["Statement"]
    work = "arn:aws:s3:::matteline-dev-work-123456789012-eu-central-1/a1/batch/e1"
    allowed = statements_of(made)

    assert [each["Principal"]["Service"] for each in trusted] == [
        "lambda.amazonaws.com",
        "ecs-tasks.amazonaws.com",
    ]
    assert trusted[1]["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert allows(allowed, "s3:GetObject", f"{work}/job.json")
    assert allows(allowed, "s3:PutObject", f"{work}/outcome.json")
    assert not allows(allowed, "s3:PutObject", f"{work}/job.json")


def test_other_roles_are_not_for_jobs(templates: Templates, on_cpus: Templates) -> None:
    def trusting(given: Templates) -> set[str]:
        roles: list[Resource] = deploy(given["matteline-dev-access"]).of("IAM::Role")
        return {
            each.properties["RoleName"]
            for each in roles
            if "ecs-tasks" in str(each.properties["AssumeRolePolicyDocument"])
        }

    assert trusting(templates) == set()
    assert trusting(on_cpus) == {job.name(NAMES) for job in BLUEPRINT.jobs}


def test_a_model_that_no_function_holds_has_a_job_and_no_function(
    declarations: Path, tmp_path: Path
) -> None:
    rows = declarations / "containers" / "background_remover" / "models.toml"
    rows.write_text(rows.read_text() + GIANT)
    templates = read_templates(synthesised(declarations, tmp_path, batch="cpu"))
    name = "matteline-dev-background-remover-giant"
    stack, access = (
        released(templates, "background-remover"),
        deploy(templates["matteline-dev-access"]),
    )
    made = access.one("IAM::Role", RoleName=name)
    job = stack.one("Batch::JobDefinition", JobDefinitionName=name)

    assert required(job.properties)["MEMORY"] == "30000"
    assert name not in {each.properties["FunctionName"] for each in stack.of("Lambda::Function")}
    (trusted,) = made.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert "logs:" not in str(made.properties["Policies"])
    assert f"/aws/lambda/{name}" not in {
        each.properties["LogGroupName"] for each in access.of("Logs::LogGroup")
    }
