"""Deploys an assembly to MiniStack, as `cdk deploy --all` and a first release would to AWS."""

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
    """Every stack, in their order, with every container released. A failure says which resource."""
    assets = f"cdk-hnb659fds-assets-{cloud.account}-{REGION}"
    cloud.client("ssm").put_parameter(Name=_BOOTSTRAPPED, Value="30", Type="String")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=assets)
    s3.put_object(Bucket=assets, Key=_CODE, Body=bootstrap())
    for name, template in stacks.items():
        key = f"{name}.json"
        overlaid = with_code(template, bucket=assets, key=_CODE)
        s3.put_object(Bucket=assets, Key=key, Body=json.dumps(overlaid).encode())
        _create(name, template, f"{cloud.endpoint}/{assets}/{key}", cloud.client("cloudformation"))


def _create(name: str, template: Template, url: str, cloudformation: Any) -> None:
    given = RELEASE.keys() & template.get("Parameters", {}).keys()
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=url,
        Parameters=[{"ParameterKey": key, "ParameterValue": RELEASE[key]} for key in sorted(given)],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    while (status := _status(name, cloudformation)) == "CREATE_IN_PROGRESS":
        time.sleep(0.1)
    assert status == "CREATE_COMPLETE", "\n".join(_reasons(name, cloudformation))


def _status(name: str, cloudformation: Any) -> str:
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    status: str = stack["StackStatus"]
    return status


def _reasons(name: str, cloudformation: Any) -> Iterator[str]:
    for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"] == "CREATE_FAILED":
            yield f"{name}: {event['LogicalResourceId']}: {event['ResourceStatusReason']}"
