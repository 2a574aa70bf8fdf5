"""Add to moto the release calls that it lacks or answers with constants, backed by `ReleaseAws`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest import mock

from moto.cloudformation.responses import CloudFormationResponse
from moto.codebuild.responses import CodeBuildResponse
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ecr.exceptions import ScanNotFoundException
from moto.ecr.responses import ECRResponse

from tests.release.release_aws import ReleaseAws

_NOT_BEGUN: Final = "NOT_BEGUN"

Action = Callable[[ReleaseAws, Any], Any]


@contextmanager
def release_services(aws: ReleaseAws) -> Iterator[ReleaseAws]:
    """Make moto answer from `aws`."""
    with ExitStack() as patches:
        for service, actions in _SERVICES.items():
            for name, action in actions.items():
                patches.enter_context(
                    mock.patch.object(service, name, _bound(aws, action), create=True)
                )
        yield aws


def _bound(aws: ReleaseAws, action: Action) -> Callable[[Any], Any]:
    """Return a plain function: moto finds only those among a class's members."""

    def respond(self: Any) -> Any:
        return action(aws, self)

    return respond


def _describe_image_scan_findings(aws: ReleaseAws, asked: Any) -> Any:
    repository, image = asked._get_param("repositoryName"), asked._get_param("imageId")
    (found,) = asked.ecr_backend.describe_images(repository, None, [image])
    digest = found.image_digest
    scan = aws.scan(digest)
    status = scan.look()
    if status == _NOT_BEGUN:
        raise ScanNotFoundException(digest, repository, "")
    return ActionResult(
        {
            "repositoryName": repository,
            "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": status},
            "imageScanFindings": {
                "findings": list(scan.findings), "enhancedFindings": list(scan.enhanced)
            },
        }
    )  # fmt: skip


def _describe_image_signing_status(aws: ReleaseAws, asked: Any) -> Any:
    digest = asked._get_param("imageId")["imageDigest"]
    statuses = aws.signatures.get(digest, ["COMPLETE"])
    return ActionResult({"signingStatuses": [{"status": status} for status in statuses]})


def _update_stack(aws: ReleaseAws, asked: Any) -> Any:
    request = {
        name: asked._get_param(name)
        for name in (
            "StackName", "Parameters", "RoleARN", "ClientRequestToken", "UsePreviousTemplate",
            "RollbackConfiguration",
        )
    }  # fmt: skip
    aws.update(request)
    return ActionResult({"StackId": request["StackName"]})


def _describe_stacks(aws: ReleaseAws, asked: Any) -> Any:
    stack = aws.describe(asked._get_param("StackName"))
    parameters = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()
    ]
    described = {
        "StackName": stack.name,
        "StackStatus": stack.status,
        "Parameters": parameters,
        "Tags": {},
    }
    return ActionResult({"Stacks": [described]})


def _describe_stack_events(aws: ReleaseAws, asked: Any) -> Any:
    return ActionResult({"StackEvents": aws.stack(asked._get_param("StackName")).events})


def _list_deployment_targets(_aws: ReleaseAws, asked: Any) -> Any:
    return ActionResult({"targetIds": [asked._get_param("deploymentId")]})


def _batch_get_deployment_targets(aws: ReleaseAws, asked: Any) -> Any:
    deployment = aws.deployments[asked._get_param("deploymentId")]
    described = {
        "functionName": deployment.function,
        "functionAlias": "live",
        "targetVersion": deployment.version,
    }
    target = {
        "deploymentTargetType": "LambdaFunction",
        "lambdaTarget": {"lambdaFunctionInfo": described},
    }
    return ActionResult({"deploymentTargets": [target]})


def _put_hook_status(aws: ReleaseAws, asked: Any) -> Any:
    aws.deployments[asked._get_param("deploymentId")].status = asked._get_param("status")
    return EmptyResult()


def _batch_get_builds(aws: ReleaseAws, asked: Any) -> Any:
    wanted = [aws.builds[name] for name in asked._get_param("ids") if name in aws.builds]
    return ActionResult({"builds": wanted})


_SERVICES: Final[dict[Any, dict[str, Action]]] = {
    ECRResponse: {
        "describe_image_scan_findings": _describe_image_scan_findings,
        "describe_image_signing_status": _describe_image_signing_status,
    },
    CloudFormationResponse: {
        "update_stack": _update_stack,
        "describe_stacks": _describe_stacks,
        "describe_stack_events": _describe_stack_events,
    },
    CodeDeployResponse: {
        "list_deployment_targets": _list_deployment_targets,
        "batch_get_deployment_targets": _batch_get_deployment_targets,
        "put_lifecycle_event_hook_execution_status": _put_hook_status,
    },
    CodeBuildResponse: {"batch_get_builds": _batch_get_builds},
}
