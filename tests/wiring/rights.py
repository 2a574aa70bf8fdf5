"""Compute the IAM permissions a machine's calls need, and check its role for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from pipeline.declared.blueprint import Blueprint
from tests.conftest import ROOT
from tests.wiring.calls import ANYTHING, Call
from tests.wiring.ministack import REGION, MiniStack

Right = tuple[str, str]  # an action and a resource ARN

# Without ListBucket, a missing key is denied and not missing.
_READING: Final = {
    "getObject": ("s3:GetObject",),
    "getObjectAttributes": ("s3:GetObject", "s3:GetObjectAttributes"),
}


def missing(role_arn: str, rights: Iterable[Right], cloud: MiniStack) -> Iterator[str]:
    """Yield a line for each permission that the role lacks."""
    iam = cloud.client("iam")
    for action, resource in sorted(set(rights)):
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[resource]
        )
        if answer["EvaluationResults"][0]["EvalDecision"] != "allowed":
            yield f"{role_arn.rpartition('/')[2]} has no permission for {action} on {resource}"


def needed(call: Call, machine_arn: str) -> Iterator[Right]:
    """Yield the permissions a call needs. Raises ValueError for an unknown call."""
    states, account, _, machine = machine_arn.rsplit(":", 3)
    match call.integration.split(":"):
        case ["lambda", "invoke"]:
            yield from (("lambda:InvokeFunction", arn) for arn in call.texts("FunctionName"))
        case ["dynamodb", action] | ["aws-sdk", "dynamodb", action]:
            for table in call.texts("TableName"):
                arn = f"arn:aws:dynamodb:{REGION}:{account}:table/{table}"
                index = "".join(f"/index/{name}" for name in call.texts("IndexName"))
                yield f"dynamodb:{action[0].upper()}{action[1:]}", f"{arn}{index}"
        case ["aws-sdk", "s3", action]:
            yield from _of_s3(action, call)
        case ["aws-sdk", "sfn", action]:
            yield from _of_executions(action, call, f"{states}:{account}", machine)
        case ["aws-sdk", "ecr" | "cloudformation" as service, action]:
            yield from _of_releases(f"{service}:{action[0].upper()}{action[1:]}", call, account)
        case ["states", "startExecution"] | ["states", "startExecution.sync", "2"]:
            yield from (("states:StartExecution", arn) for arn in call.texts("StateMachineArn"))
        case ["batch", "submitJob.sync"]:
            return  # a stage without AWS Batch grants nothing; test_batch checks one that has it
        case ["events", "putEvents"]:
            return  # conditioned on the event source, and the simulator knows no conditions
        case _:
            raise _unknown(call)


def _of_executions(action: str, call: Call, account: str, machine: str) -> Iterator[Right]:
    if action == "describeExecution" and call.texts("ExecutionArn") == [ANYTHING]:
        stage = machine.removesuffix("reap-jobs")
        for each in Blueprint.read(ROOT).claiming:
            arn = f"{account}:execution:{stage}{each}:{ANYTHING}"
            yield "states:DescribeExecution", arn
    elif action == "listMapRuns":
        yield "states:ListMapRuns", f"{account}:execution:{machine}:{ANYTHING}"
    elif action == "describeMapRun":
        yield "states:DescribeMapRun", f"{account}:mapRun:{machine}/{ANYTHING}:{ANYTHING}"
    else:
        raise ValueError(f"unknown permissions for sfn:{action}")


def _of_releases(action: str, call: Call, account: str) -> Iterator[Right]:
    """Yield permissions of release calls, but not UpdateStack: it is granted under conditions."""
    for repository in call.texts("RepositoryName"):
        yield action, f"arn:aws:ecr:{REGION}:{account}:repository/{repository}"
    if action != "cloudformation:UpdateStack":
        for stack in call.texts("StackName"):
            stacks = f"arn:aws:cloudformation:{REGION}:{account}:stack"
            yield action, f"{stacks}/{stack}/{ANYTHING}"


def _of_s3(action: str, call: Call) -> Iterator[Right]:
    buckets, keys, sources = (call.texts(name) for name in ("Bucket", "Key", "CopySource"))
    if action == "listObjectsV2":
        yield from (("s3:ListBucket", f"arn:aws:s3:::{bucket}") for bucket in buckets)
    elif action in _READING:
        yield from (("s3:ListBucket", f"arn:aws:s3:::{bucket}") for bucket in buckets)
        rights = product(_READING[action], buckets, keys)
        yield from ((right, f"arn:aws:s3:::{bucket}/{key}") for right, bucket, key in rights)
    elif action in {"putObject", "copyObject"}:
        yield from (("s3:GetObject", f"arn:aws:s3:::{source}") for source in sources)
        objects = (f"arn:aws:s3:::{bucket}/{key}" for bucket, key in product(buckets, keys))
        yield from (("s3:PutObject", arn) for arn in objects)
    else:
        raise _unknown(call)


def _unknown(call: Call) -> ValueError:
    return ValueError(f"unknown permissions for {call.integration}")
