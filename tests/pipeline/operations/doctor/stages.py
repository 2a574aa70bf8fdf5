"""A stage in moto for checks of the doctor, with the answers that moto lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.stub import Stubber
from moto.cloudformation.models import cloudformation_backends

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names, stage_names
from pipeline.operations.doctor.account_checks import ACCOUNT_CHECKS
from pipeline.operations.doctor.checking import Finding
from pipeline.operations.doctor.stage_checks import STAGE_CHECKS
from pipeline.operations.stage.deployment import Deployment
from tests.conftest import ROOT

ACCOUNT: Final = "123456789012"
NAMES: Final[Names] = stage_names("dev", account=ACCOUNT, region="us-east-1")
BLUEPRINT: Final = Blueprint.read(ROOT)
CHECKS: Final = {check.name: check for check in (*ACCOUNT_CHECKS, *STAGE_CHECKS)}
TEMPLATE: Final = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def look(name: str, deployment: Deployment) -> Finding:
    return CHECKS[name].run(deployment)


def stubbed(stage: Deployment, service: str, **answers: Any) -> Stubber:
    """Have a client answer each operation once: for what moto lacks."""
    stub = Stubber(stage.site.client(service))
    for operation, answer in answers.items():
        if isinstance(answer, str):
            stub.add_client_error(operation, answer)
        else:
            stub.add_response(operation, answer)
    stub.activate()
    return stub


def quotas(stage: Deployment, service: str, values: Mapping[str, float], **usual: float) -> None:
    told = [
        {"ServiceCode": service, "QuotaName": name, "Value": each} for name, each in values.items()
    ]
    defaults = [{"QuotaName": name, "Value": each} for name, each in (usual or values).items()]
    stub = stubbed(stage, "service-quotas", list_service_quotas={"Quotas": told})
    stub.add_response("list_aws_default_service_quotas", {"Quotas": defaults})


def deploy(stage: Deployment, *missing: str, **status: str) -> None:
    """Create every stack but `missing` ones; `status` is by the last word of a stack's name."""
    cloudformation = stage.site.client("cloudformation")
    for name in stage.expected_stacks:
        if name not in missing:
            cloudformation.create_stack(StackName=name, TemplateBody=TEMPLATE)
            if (word := name.rpartition("-")[2]) in status:
                backend = cloudformation_backends[ACCOUNT][NAMES.region]
                backend.get_stack(name).status = status[word]


def release(stage: Deployment, versions: Mapping[str, str]) -> None:
    for name, version in versions.items():
        stage.site.client("ssm").put_parameter(
            Name=NAMES.release_record(name), Type="String",
            Value=json.dumps({"version": version, "digest": "sha256:0"}),
        )  # fmt: skip
