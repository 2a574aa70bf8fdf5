"""Define the network of AWS Batch's machines, which cannot be reached from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from pipeline.declared.names import Names

_RANGE: Final = "10.0.0.0/20"  # any will do: no other network is connected
_SUBNET_BITS: Final = 22  # a thousand machines
_ZONES: Final = 2
_HTTPS: Final = 443


@dataclass(frozen=True)
class Network:
    """A VPC by its ID, and subnets from which AWS's addresses can be reached."""

    vpc: str
    subnets: Sequence[str]


class BatchNetwork(Construct):
    """Subnets, and a security group without any way in. Without `given`, in a VPC of its own.

    Its own subnets are public: a NAT gateway, or endpoints of ECR, ECS and CloudWatch, would cost
    money also while no job runs. Machines have public addresses, and no open port.
    """

    def __init__(self, scope: Construct, *, names: Names, given: Network | None) -> None:
        super().__init__(scope, "Network")
        network = given or _own(self, names)
        self.subnets = [*network.subnets]
        group = ec2.CfnSecurityGroup(
            self,
            "Machines",
            group_description="Machines of AWS Batch: nothing comes in, only HTTPS goes out",
            vpc_id=network.vpc,
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    cidr_ip="0.0.0.0/0",
                    description="AWS and the registry",
                    from_port=_HTTPS,
                    ip_protocol="tcp",
                    to_port=_HTTPS,
                )
            ],
        )
        self.security_group = group.attr_group_id


def _own(scope: Construct, names: Names) -> Network:
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        vpc_name=f"{names.prefix}-batch",
        ip_addresses=ec2.IpAddresses.cidr(_RANGE),
        max_azs=_ZONES,
        nat_gateways=0,
        restrict_default_security_group=False,  # that takes a function; nothing is in this group
        subnet_configuration=[
            ec2.SubnetConfiguration(
                name="Machines", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=_SUBNET_BITS
            )
        ],
        # Weights, files and layers of images come from S3, past the internet gateway and for free.
        gateway_endpoints={
            "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
        },
    )
    log = logs.LogGroup(
        scope,
        "Flows",
        log_group_name=names.batch_flow_log_group(),
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log))
    return Network(vpc.vpc_id, [each.subnet_id for each in vpc.public_subnets])
