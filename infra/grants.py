"""Derive a function's IAM statements from the access its container and model declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from pipeline.artifacts import Location
from pipeline.declared.access import (
    Access,
    Action,
    Invocation,
    LogAction,
    MachineAccess,
    MachineAction,
    TableAccess,
)
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import WeightsFile
from pipeline.declared.names import Names

_OBJECT_ACTIONS: Final[dict[Action, tuple[str, ...]]] = {
    "list": (),
    "read": ("s3:GetObject",),
    "put": ("s3:PutObject",),
    "write": ("s3:PutObject", "s3:AbortMultipartUpload"),
    "delete": ("s3:DeleteObject",),
    "erase": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
}
_VECTOR_ACTIONS: Final = (
    "s3vectors:CreateIndex",
    "s3vectors:DeleteIndex",
    "s3vectors:DeleteVectors",
    "s3vectors:GetVectors",
    "s3vectors:ListVectors",
    "s3vectors:PutVectors",
    "s3vectors:QueryVectors",
)
# Geography prefixes of Bedrock inference profile IDs.
_GEOGRAPHIES: Final = {"us", "us-gov", "eu", "apac", "jp", "au", "ca", "global"}


def statements(
    function: DeclaredFunction, blueprint: Blueprint, names: Names, *, key_arns: Mapping[str, str]
) -> Iterator[iam.PolicyStatement]:
    """Yield exactly the statements that the function's declared access needs.

    `key_arns` are by bucket.
    """
    given = [access for access in function.manifest.access if access.is_for(function.engine)]
    for access in given:
        yield from _objects(access, function, blueprint, names)
    yield from _keys(given, key_arns, names)
    for bucket in function.manifest.vector_buckets:
        yield from _vectors(bucket, key_arns[bucket], names)
    for table in function.manifest.tables:
        yield from _rows(table, blueprint.resources.tables[table.name].indexes, names)
    products = [product.machine for product in blueprint.products]
    of_products = [
        MachineAccess(name=each, actions=function.manifest.executions)
        for each in products
        if function.manifest.executions
    ]
    yield from _machines([*of_products, *function.manifest.machines], names)
    if function.manifest.logs:
        yield _searched_logs(function.manifest.logs, names, of_jobs=bool(blueprint.jobs))
    for invocation in function.manifest.invokes:
        yield from _invocations(invocation, blueprint, names)
    if function.manifest.reads_sources:
        yield from _sources(blueprint.catalogue, names)
    if function.row and function.row.hosted_model:
        yield from _hosted(function.row.hosted_model, names)
    if function.row is None or function.row.compute == "lambda":  # ECS writes the logs of jobs
        yield from _observed(function.name(names), names)


def job_statements(names: Names) -> Iterator[iam.PolicyStatement]:
    """Yield what a model's role needs beside that to run its jobs: to read them and to answer."""
    work = names.bucket_arn("work")
    yield _allow(["s3:GetObject"], [f"{work}/*/batch/*/job.json"])
    yield _allow(["s3:PutObject"], [f"{work}/*/batch/*/outcome.json"])


def _objects(
    access: Access, function: DeclaredFunction, blueprint: Blueprint, names: Names
) -> Iterator[iam.PolicyStatement]:
    bucket = names.bucket_arn(access.bucket)
    versioned = blueprint.resources.buckets[access.bucket].versioned
    actions = [action for each in access.actions for action in _OBJECT_ACTIONS[each]]
    if "read" in access.actions and versioned:
        actions.append("s3:GetObjectVersion")
    if actions:
        yield _allow(actions, [f"{bucket}/{keys}" for keys in access.keys_of(function.model)])
    if {"list", "read"} & set(access.actions):
        # Without s3:ListBucket, S3 answers 403 instead of 404 for a missing key. A prefix condition
        # would not match: GetObject carries no prefix.
        yield _allow(["s3:ListBucket"], [bucket])
    if "erase" in access.actions:
        yield _allow(["s3:ListBucketVersions"], [bucket])


def _rows(
    table: TableAccess, indexes: Iterable[str], names: Names
) -> Iterator[iam.PolicyStatement]:
    arn = f"{names.arn('dynamodb')}:table/{names.table(table.name)}"
    on_rows = [f"dynamodb:{action}" for action in table.actions if action != "Query"]
    if on_rows:
        yield _allow(on_rows, [arn])
    if "Query" in table.actions:
        yield _allow(["dynamodb:Query"], [f"{arn}/index/{name}" for name in indexes])


def _machines(given: Sequence[MachineAccess], names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow actions on machines, their executions and Map Runs: one statement for equal resources.

    A policy has 10,240 characters at most.
    """
    resources: dict[str, list[str]] = {}
    for access in given:
        for action in access.actions:
            resources.setdefault(f"states:{action}", []).append(_acted_on(action, access, names))
    actions: dict[tuple[str, ...], list[str]] = {}
    for name, arns in resources.items():
        actions.setdefault(tuple(arns), []).append(name)
    for together, named in actions.items():
        yield _allow(named, list(together))


def _acted_on(action: MachineAction, access: MachineAccess, names: Names) -> str:
    """Return the ARN that an action on a machine is about."""
    match action:
        case "StartExecution":
            return names.machine_arn(access.name)
        case "DescribeStateMachine" | "ListExecutions":
            return names.unqualified_machine_arn(access.name)
        case "DescribeMapRun":
            return f"{names.arn('states')}:mapRun:{names.machine(access.name)}/*:*"
        case _:
            return names.execution_arn(access.name, "*")


def _searched_logs(
    actions: Sequence[LogAction], names: Names, *, of_jobs: bool
) -> iam.PolicyStatement:
    """Allow the log groups of the deployment's functions, and of its jobs of AWS Batch."""
    groups = [names.log_group(names.function("*"))]
    groups += [names.job_log_group("*")] if of_jobs else []
    arns = [f"{names.arn('logs')}:log-group:{group}:*" for group in groups]
    return _allow([f"logs:{action}" for action in actions], arns)


def _invocations(
    invocation: Invocation, blueprint: Blueprint, names: Names
) -> Iterator[iam.PolicyStatement]:
    """Allow the live functions of one container; none if no model of the deployment fits."""
    arns = [
        f"{names.function_arn(each.manifest.name, each.model)}:live"
        for each in blueprint.functions
        if each.manifest.name == invocation.container
        and (not invocation.prompts or (each.row is not None and each.row.takes_prompts))
    ]
    if arns:
        yield _allow(["lambda:InvokeFunction"], arns)


def _keys(
    given: Sequence[Access], key_arns: Mapping[str, str], names: Names
) -> Iterator[iam.PolicyStatement]:
    """Allow the keys of buckets through S3. S3 decrypts multipart uploads to assemble them."""
    for key_arn in dict.fromkeys(key_arns[access.bucket] for access in given):
        below = [each for each in given if key_arns[each.bucket] == key_arn]
        writes = any({"put", "write"} & set(each.actions) for each in below)
        yield _key(key_arn, "s3", names, writes=writes)


def _vectors(bucket: str, key_arn: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow the indexes of a bucket of S3 Vectors, and the vectors in them."""
    yield _allow(_VECTOR_ACTIONS, [f"{names.vector_bucket_arn(bucket)}/index/*"])
    yield _key(key_arn, "s3vectors", names, writes=True)


def _key(key_arn: str, service: str, names: Names, *, writes: bool) -> iam.PolicyStatement:
    """Allow a key through one service only."""
    return _allow(
        ["kms:Decrypt", "kms:GenerateDataKey"] if writes else ["kms:Decrypt"],
        [key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{names.region}.amazonaws.com"}},
    )


def _sources(catalogue: Catalogue, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow exactly the objects of `s3://` sources and the secrets that model rows name."""
    files = [file for row in catalogue.rows for file in row.files]
    objects = sorted({arn for file in files for arn in _source_objects(file, names)})
    secrets = sorted({file.token for file in files if file.token})
    if objects:
        yield _allow(["s3:GetObject"], objects)
    if secrets:
        arn = f"{names.arn('secretsmanager')}:secret"
        # Secrets Manager appends a hyphen and six random characters to a secret's ARN.
        yield _allow(
            ["secretsmanager:GetSecretValue"], [f"{arn}:{name}-??????" for name in secrets]
        )


def _source_objects(file: WeightsFile, names: Names) -> Iterator[str]:
    for url in file.urls:
        if url.startswith("s3://"):
            location = Location.parse(url)
            yield f"arn:{names.partition}:s3:::{location.bucket}/{location.key}"


def _hosted(model_id: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow one Bedrock model; in other regions only through the model's inference profile."""
    geography, _, foundation = model_id.partition(".")
    bedrock = f"arn:{names.partition}:bedrock"
    if geography not in _GEOGRAPHIES:
        model = f"{bedrock}:{names.region}::foundation-model/{model_id}"
        yield _allow(["bedrock:InvokeModel"], [model])
        return
    profile = f"{names.arn('bedrock')}:inference-profile/{model_id}"
    yield _allow(["bedrock:InvokeModel"], [profile])
    yield _allow(
        ["bedrock:InvokeModel"],
        [f"{bedrock}:*::foundation-model/{foundation}"],
        conditions={"StringEquals": {"bedrock:InferenceProfileArn": profile}},
    )


def _observed(function: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow the function to write its logs, which also carry metrics, and its X-Ray traces."""
    group = f"{names.arn('logs')}:log-group:{names.log_group(function)}"
    yield _allow(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:*"])
    yield _allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])


def _allow(
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: dict[str, dict[str, str]] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=resources, conditions=conditions)
