"""Define one job definition of AWS Batch: a model's task, in the image that a release names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_batch as batch
from constructs import Construct

from infra.release import Release
from pipeline.declared.blueprint import DeclaredJob
from pipeline.declared.declaration import pascal_case
from pipeline.declared.job_retries import ATTEMPTS, COMMAND, EXIT_RULES
from pipeline.declared.names import Names, gpu_tag

_NOBODY: Final = "65532:65532"  # the user of the images
_TMP: Final = "/tmp"  # noqa: S108 - the only writable folder, as in a function
_Job = batch.CfnJobDefinition
_Requirement = batch.CfnJobDefinition.ResourceRequirementProperty


def define_job(
    scope: Construct,
    declared: DeclaredJob,
    *,
    names: Names,
    release: Release,
    environment: Mapping[str, str],
) -> batch.CfnJobDefinition:
    """Define the job of a model once something has been released; a release is a new revision.

    Its role is the one of the model's function, and its environment the function's.
    """
    made = _Job(
        scope,
        f"{pascal_case(declared.row.name)}Job",
        job_definition_name=declared.name(names),
        type="container",
        platform_capabilities=["EC2"],
        container_properties=_container(declared, names, release, environment),
        retry_strategy=_Job.RetryStrategyProperty(
            attempts=ATTEMPTS,
            evaluate_on_exit=[
                _Job.EvaluateOnExitProperty(action=rule.action, **rule.patterns)
                for rule in EXIT_RULES
            ],
        ),
        timeout=_Job.TimeoutProperty(attempt_duration_seconds=declared.batch.timeout_s),
    )
    made.cfn_options.condition = release.released
    return made


def _container(
    declared: DeclaredJob, names: Names, release: Release, environment: Mapping[str, str]
) -> batch.CfnJobDefinition.ContainerPropertiesProperty:
    name, manifest = declared.name(names), declared.manifest
    return _Job.ContainerPropertiesProperty(
        image=_image(declared, names, release),
        command=[*COMMAND],
        job_role_arn=names.role_arn(name),
        execution_role_arn=names.role_arn(names.job_execution_role()),
        user=_NOBODY,
        privileged=False,
        readonly_root_filesystem=True,
        linux_parameters=_Job.LinuxParametersProperty(
            init_process_enabled=True,
            tmpfs=[
                _Job.TmpfsProperty(
                    container_path=_TMP,
                    size=manifest.storage_mb,
                    mount_options=["rw", "nosuid", "nodev", "noexec"],
                )
            ],
        ),
        resource_requirements=_requirements(declared),
        environment=[
            _Job.EnvironmentProperty(name=key, value=text)
            for key, text in sorted(_environment(declared, names, release, environment).items())
        ],
        log_configuration=_Job.LogConfigurationProperty(
            log_driver="awslogs",
            options={
                "awslogs-group": names.job_log_group(manifest.name),
                "awslogs-stream-prefix": name,
                "awslogs-region": names.region,
            },
        ),
    )


def _image(declared: DeclaredJob, names: Names, release: Release) -> str:
    """Return the image by digest, or the GPU image by its tag, which is immutable."""
    registry = f"{names.account}.dkr.ecr.{names.region}.{cdk.Aws.URL_SUFFIX}"
    repository = f"{registry}/{names.repository(declared.manifest.name)}"
    if declared.gpu:
        return f"{repository}:{gpu_tag(release.version)}"
    return f"{repository}@{release.digest}"


def _requirements(declared: DeclaredJob) -> list[_Requirement]:
    wanted = {"VCPU": declared.batch.vcpus, "MEMORY": declared.memory_mb}
    if declared.gpu:
        wanted["GPU"] = 1
    return [_Requirement(type=kind, value=str(number)) for kind, number in wanted.items()]


def _environment(
    declared: DeclaredJob, names: Names, release: Release, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the function's environment, and what Lambda would add that a handler reads."""
    return {
        **environment,
        **({"MATTELINE_IMAGE_DIGEST": gpu_tag(release.version)} if declared.gpu else {}),
        "MATTELINE_THREADS": str(declared.batch.vcpus),
        "AWS_DEFAULT_REGION": names.region,
        "AWS_REGION": names.region,
        "AWS_LAMBDA_FUNCTION_NAME": declared.name(names),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(declared.memory_mb),
    }
