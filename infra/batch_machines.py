"""Define one kind of AWS Batch's machines, and the queues of jobs that wait for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.batch_network import BatchNetwork
from pipeline.compute import LANES, JobMachines
from pipeline.declared.names import Names

# Families with AVX-512 and the memory for a model, and families with a GPU of 16 GB or more. Spot
# more often has a machine of one of several families.
_FAMILIES: Final[Mapping[JobMachines, Sequence[str]]] = {
    "cpu": ("m7i", "r7i", "m6i", "r6i"),
    "gpu": ("g6", "g5", "g4dn"),
}
_SYSTEMS: Final[Mapping[JobMachines, str]] = {"cpu": "ECS_AL2023", "gpu": "ECS_AL2023_NVIDIA"}
_ROOT: Final = "/dev/xvda"
_DISK_GB: Final = 100  # for the system, and several images of the largest size
_MINUTES_OF_A_JOB: Final = 180
_PRIORITY_STEP: Final = 10
# A job that no machine of its queue can hold ends: it would wait for ever.
_HOPELESS_AFTER_S: Final = 600
_HOPELESS: Final = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
)
_AGENT: Final = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/sh
echo ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true >> /etc/ecs/ecs.config
--==--
"""
_Environment = batch.CfnComputeEnvironment
_Template = ec2.CfnLaunchTemplate


class MachinesOfBatch(Construct):
    """Spot machines of one kind, none at rest, with a queue for each lane."""

    def __init__(
        self,
        scope: Construct,
        kind: JobMachines,
        *,
        names: Names,
        network: BatchNetwork,
        profile: str,
        max_vcpus: int,
    ) -> None:
        super().__init__(scope, f"{kind.capitalize()}Machines")
        template = _template(self, kind, names)
        environment = _Environment(
            self,
            "Environment",
            type="managed",
            replace_compute_environment=False,
            compute_resources=_Environment.ComputeResourcesProperty(
                type="SPOT",
                allocation_strategy="SPOT_PRICE_CAPACITY_OPTIMIZED",
                minv_cpus=0,
                maxv_cpus=max_vcpus,
                instance_types=list(_FAMILIES[kind]),
                instance_role=profile,
                subnets=network.subnets,
                security_group_ids=[network.security_group],
                ec2_configuration=[
                    _Environment.Ec2ConfigurationObjectProperty(image_type=_SYSTEMS[kind])
                ],
                launch_template=_Environment.LaunchTemplateSpecificationProperty(
                    launch_template_id=template.ref, version=template.attr_latest_version_number
                ),
                update_to_latest_image_version=True,
            ),
            update_policy=_Environment.UpdatePolicyProperty(
                terminate_jobs_on_update=False,
                job_execution_timeout_minutes=_MINUTES_OF_A_JOB,
            ),
        )
        for behind, lane in enumerate(reversed(LANES), start=1):
            _queue(
                self,
                lane.capitalize(),
                name=names.job_queue(kind, lane),
                environment=environment.ref,
                priority=_PRIORITY_STEP * behind,
            )


def _queue(
    scope: Construct, construct_id: str, *, name: str, environment: str, priority: int
) -> None:
    """Create a queue; of queues that share machines, the one of the highest priority goes first."""
    order = batch.CfnJobQueue.ComputeEnvironmentOrderProperty(
        compute_environment=environment, order=1
    )
    batch.CfnJobQueue(
        scope,
        f"{construct_id}Queue",
        job_queue_name=name,
        priority=priority,
        compute_environment_order=[order],
        job_state_time_limit_actions=[
            batch.CfnJobQueue.JobStateTimeLimitActionProperty(
                action="CANCEL",
                max_time_seconds=_HOPELESS_AFTER_S,
                reason=reason,
                state="RUNNABLE",
            )
            for reason in _HOPELESS
        ],
    )


def _template(scope: Construct, kind: JobMachines, names: Names) -> ec2.CfnLaunchTemplate:
    """Give machines an encrypted disk, and credentials only by IMDSv2."""
    name = cdk.CfnTag(key="Name", value=f"{names.prefix}-batch-{kind}")
    return _Template(
        scope,
        "Template",
        launch_template_data=_Template.LaunchTemplateDataProperty(
            block_device_mappings=[
                _Template.BlockDeviceMappingProperty(
                    device_name=_ROOT,
                    ebs=_Template.EbsProperty(
                        delete_on_termination=True,
                        encrypted=True,
                        volume_size=_DISK_GB,
                        volume_type="gp3",
                    ),
                )
            ],
            metadata_options=_Template.MetadataOptionsProperty(
                http_put_response_hop_limit=1, http_tokens="required"
            ),
            tag_specifications=[
                _Template.TagSpecificationProperty(resource_type=each, tags=[name])
                for each in ("instance", "volume")
            ],
            user_data=cdk.Fn.base64(_AGENT),
        ),
    )
