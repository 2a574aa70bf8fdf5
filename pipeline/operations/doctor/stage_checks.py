"""Check what a stage has: its stacks, releases and weights, and what a destroyed one left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from botocore.exceptions import ClientError

from pipeline.compute import LANES
from pipeline.operations.doctor.checking import Check, Said, fail, ok, warn
from pipeline.operations.stage.deployment import Deployment
from pipeline.operations.stage.finding_leftovers import find_leftovers
from pipeline.operations.stage.leftovers import Kind, expected_of
from pipeline.operations.stage_tuning import MARK

_SHOWN: Final = 6  # names in a line
_GONE: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket"})
_DEPLOY: Final = "Run `make deploy`."
_KINDS: Final[Mapping[Kind, str]] = {
    "DynamoDB::Table": "tables",
    "ECR::Repository": "repositories",
    "KMS::Alias": "aliases of keys",
    "KMS::Key": "keys",
    "Logs::LogGroup": "log groups",
    "S3::Bucket": "buckets",
    "S3Vectors::VectorBucket": "buckets of vectors",
}


def _stacks(deployment: Deployment) -> Said:
    stacks, expected = deployment.stacks, deployment.expected_stacks
    if not any(name in stacks for name in expected if name != expected[0]):
        return warn("this stage is not deployed", _DEPLOY)
    status = {name: stacks[name]["StackStatus"] for name in stacks}
    if never := [name for name, each in status.items() if each == "ROLLBACK_COMPLETE"]:
        do = f"Delete them, and run `make deploy`: {_named(never)}."
        return fail(f"never created: {_named(never)}", do)
    if broken := [name for name, each in status.items() if each.endswith("FAILED")]:
        told = ", ".join(f"{name} {status[name]}" for name in broken[:_SHOWN])
        return fail(told, "See the stack's events in the CloudFormation console.")
    if missing := [name for name in expected if name not in stacks]:
        return fail(f"missing: {_named(missing)}", _DEPLOY)
    if busy := [name for name, each in status.items() if each.endswith("IN_PROGRESS")]:
        return warn(f"changing: {_named(busy)}", "Wait until it is done.")
    return ok(f"{len(expected)} stacks are complete")


def _leftovers(deployment: Deployment) -> Said:
    """Look for what a destroyed stage of this name left; a deployed stage owns all of it."""
    if deployment.stack_name("storage") in deployment.stacks:
        return ok("none: the stage is deployed")
    site = deployment.site
    found = find_leftovers(site, expected_of(deployment.blueprint, site.names))
    counts = Counter(_KINDS[each.expected.kind] for each in found)
    if counts:
        kept = ", ".join(f"{kind} ({count})" for kind, count in counts.items())
        do = "Nothing: `make deploy` imports them. See docs/deploying.md, Take a stage down."
        return warn(f"a destroyed stage left {kept}", do)
    return ok("none")


def _tuning(deployment: Deployment) -> Said:
    """Look for versions that tuning made; other stages of the account have their own."""
    names = deployment.site.names
    own = {each.name(names) for each in deployment.blueprint.functions}
    pages = deployment.site.client("lambda").get_paginator("list_functions")
    functions = sorted(
        {
            each["FunctionName"]
            for page in pages.paginate(FunctionVersion="ALL")
            for each in page["Functions"]
            if each["FunctionName"] in own and each.get("Description", "").startswith(MARK)
        }
    )
    if functions:
        do = "If none is being tuned now, tune its model again: that removes them first."
        return warn(f"temporary versions of {_named(functions)}", do)
    return ok("no temporary version is left")


def _released(deployment: Deployment) -> Said:
    """Compare the live versions with those of this repository."""
    if not deployment.released:
        return warn("nothing is released", "`matteline next --stage` says how.")
    if deployment.unreleased:
        do = "`matteline next --stage` says how; what needs them fails until then."
        return fail(f"never released: {_named(deployment.unreleased)}", do)
    if deployment.outdated:
        return warn(f"other versions than here: {_named(deployment.outdated)}", "Release them.")
    return ok(f"{len(deployment.released)} containers are live, as in this repository")


def _weights(deployment: Deployment) -> Said:
    """Look for the staged weights of each container's default model."""
    site, catalogue = deployment.site, deployment.blueprint.catalogue
    missing = []
    for name in catalogue.defaults.values():
        row = catalogue.row(name)
        if row.hosted:
            continue
        try:
            site.client("s3").head_object(Bucket=site.names.bucket("models"), Key=row.weights_key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            missing.append(name)
    if missing:
        do = f"matteline models stage {' '.join(missing)} --stage {site.names.stage}"
        return warn(f"not staged: {_named(missing)}; the first job stages them, in minutes", do)
    return ok(f"{len(catalogue.defaults)} default models")


def _queues(deployment: Deployment) -> Said:
    if not deployment.batch:
        return ok("not checked: AWS Batch is off")
    names = deployment.site.names
    kinds = ("cpu", "gpu") if deployment.blueprint.batch == "gpu" else ("cpu",)
    wanted = [names.job_queue(kind, lane) for kind in kinds for lane in LANES]
    batch = deployment.site.client("batch")
    found = {
        each["jobQueueName"]: each
        for each in batch.describe_job_queues(jobQueues=wanted)["jobQueues"]
    }
    if not found:
        return fail("no queue of AWS Batch", _DEPLOY)
    if missing := [name for name in wanted if name not in found]:
        return fail(f"missing: {_named(missing)}", _DEPLOY)
    for name, queue in found.items():
        if (queue["state"], queue["status"]) != ("ENABLED", "VALID"):
            why = queue.get("statusReason", "")
            told = f"{name} is {queue['state']} and {queue['status']}: {why}"
            return fail(told.rstrip(": "), "See its compute environments in the Batch console.")
    return ok(f"{len(found)} queues take jobs")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


STAGE_CHECKS: Final[tuple[Check[Deployment], ...]] = (
    Check("stacks", _stacks, ("cloudformation:DescribeStacks",)),
    Check(
        "leftovers",
        _leftovers,
        (
            "cloudformation:DescribeStacks",
            "dynamodb:ListTables",
            "kms:ListAliases",
            "logs:DescribeLogGroups",
            "s3:ListAllMyBuckets",
        ),
    ),
    Check("tuning", _tuning, ("lambda:ListFunctions",)),
    Check("releases", _released, ("ssm:GetParametersByPath",)),
    Check("weights", _weights, ("s3:GetObject", "s3:ListBucket")),
    Check(
        "AWS Batch queues",
        _queues,
        ("batch:DescribeJobQueues", "cloudformation:DescribeStacks"),
    ),
)
