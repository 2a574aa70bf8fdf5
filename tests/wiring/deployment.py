"""Deploy an assembly to MiniStack like `cdk deploy --all` and first releases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.wiring.assembly import Template
from tests.wiring.ministack import REGION, MiniStack
from tests.wiring.overlay import bootstrap, with_code

RELEASE: Final = {"ImageDigestHex": "d" * 64, "ReleaseVersion": "1.2.3"}
_BOOTSTRAPPED: Final = "/cdk-bootstrap/hnb659fds/version"
_CODE: Final = "bootstrap.zip"


def deploy(stacks: Mapping[str, Template], cloud: MiniStack) -> None:
    """Create every stack, in order, in an empty account.

    A failure names the resource.
    """
    assets = f"cdk-hnb659fds-assets-{cloud.account}-{REGION}"
    cloud.client("ssm").put_parameter(Name=_BOOTSTRAPPED, Value="30", Type="String")
    s3, cloudformation = cloud.client("s3"), cloud.client("cloudformation")
    s3.create_bucket(Bucket=assets)
    s3.put_object(Bucket=assets, Key=_CODE, Body=bootstrap())
    for name, template in stacks.items():
        overlaid = with_code(template, bucket=assets, key=_CODE)
        s3.put_object(Bucket=assets, Key=name, Body=json.dumps(overlaid).encode())
        cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"{cloud.endpoint}/{assets}/{name}",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        _await(name, "CREATE", cloudformation)


def release(
    stacks: Mapping[str, Template], cloud: MiniStack, parameters: Mapping[str, str] = RELEASE
) -> None:
    """Update the release parameters of every container's stack."""
    cloudformation = cloud.client("cloudformation")
    for name, template in stacks.items():
        if parameters.keys() <= template.get("Parameters", {}).keys():
            cloudformation.update_stack(
                StackName=name,
                UsePreviousTemplate=True,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in parameters.items()
                ],
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
            _await(name, "UPDATE", cloudformation)


def _await(name: str, verb: str, cloudformation: Any) -> None:
    while (status := _status(name, cloudformation)).endswith("_IN_PROGRESS"):
        time.sleep(0.1)
    assert status == f"{verb}_COMPLETE", "\n".join(_reasons(name, cloudformation))


def _status(name: str, cloudformation: Any) -> str:
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    status: str = stack["StackStatus"]
    return status


def _reasons(name: str, cloudformation: Any) -> Iterator[str]:
    for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            yield f"{name}: {event['LogicalResourceId']}: {event['ResourceStatusReason']}"
