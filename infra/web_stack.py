"""Define the stack of the HTTP API's address: API Gateway in front of the function that serves."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.alarms import Alarms
from infra.api_alarms import add_api_alarms
from infra.http_gateway import HttpGateway
from infra.settings import ApiSettings
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names


class WebStack(cdk.Stack):
    """The API with its routes, authoriser, limits, log and alarms.

    It refers to functions by name, so that it can be there before their first release. `host` is
    where the API answers.
    """

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        blueprint: Blueprint,
        names: Names,
        settings: ApiSettings,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: the address of the HTTP API")
        gateway = HttpGateway(self, blueprint=blueprint, names=names, settings=settings)
        self.host = gateway.host
        add_api_alarms(Alarms(self, names), gateway.api_id)
        cdk.CfnOutput(self, "ApiAddress", value=gateway.address, description="The HTTP API")
        if gateway.domain_target:
            cdk.CfnOutput(
                self,
                "ApiDomainTarget",
                value=gateway.domain_target,
                description="What a CNAME record of the API's domain must point to",
            )
