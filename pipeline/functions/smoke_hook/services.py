"""The calls that a smoke test makes to CodeDeploy, CloudFormation, DynamoDB, Lambda and S3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Invoke once: a retry would be as slow as the first attempt.
_PATIENT: Final = Config(read_timeout=880, retries={"total_max_attempts": 1})
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


@dataclass(frozen=True)
class Target:
    """The function version that a deployment is about to send traffic to."""

    function: str
    version: str


@dataclass(frozen=True)
class Answer:
    """A function's result, or the name and message of its error."""

    result: Mapping[str, Any]
    error: str = ""
    message: str = ""


@dataclass(frozen=True)
class Services:
    """boto3 clients."""

    codedeploy: Any
    cloudformation: Any
    dynamodb: Any
    functions: Any
    s3: Any

    @classmethod
    def connect(cls) -> Services:
        """Connect with the environment's settings, and a long time-out for invocations."""
        return cls(
            boto3.client("codedeploy"),
            boto3.client("cloudformation"),
            boto3.client("dynamodb"),
            boto3.client("lambda", config=_PATIENT),
            boto3.client("s3"),
        )

    def target(self, deployment: str) -> Target:
        ids = self.codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
        (found,) = self.codedeploy.batch_get_deployment_targets(
            deploymentId=deployment, targetIds=ids
        )["deploymentTargets"]
        told = found["lambdaTarget"]["lambdaFunctionInfo"]
        return Target(told["functionName"], told["targetVersion"])

    def parameters(self, stack: str) -> dict[str, str]:
        """Return the parameters that a stack is being updated to."""
        (found,) = self.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}

    def row(self, table: str, release_id: str) -> dict[str, str]:
        """Return a row of the releases table as plain strings, empty if there is none."""
        found = self.dynamodb.get_item(
            TableName=table, Key={"release_id": {"S": release_id}}, ConsistentRead=True
        )
        return {name: next(iter(each.values())) for name, each in found.get("Item", {}).items()}

    def invoke(self, target: Target, payload: Mapping[str, Any]) -> Answer:
        answer = self.functions.invoke(
            FunctionName=target.function, Qualifier=target.version, Payload=json.dumps(payload)
        )
        content = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return Answer({}, content.get("errorType", "Error"), content.get("errorMessage", ""))
        return Answer(content)

    def fetch(self, uri: str) -> bytes | None:
        """Return the bytes at an `s3://` address, or None if no object is there."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        return content

    def write(self, bucket: str, key: str, content: bytes) -> str:
        """Write an object and return its ETag."""
        put = self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        etag: str = put["ETag"]
        return etag.strip('"')

    def report(self, event: Mapping[str, str], *, passed: bool) -> None:
        self.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status="Succeeded" if passed else "Failed",
        )
