"""List what a destroyed stage may leave behind, which would stop the next stage of that name.

Buckets, tables, keys and images outlive their stacks, and CloudFormation creates nothing over a
name that is taken. `finding_leftovers` looks for them, and CloudFormation can import them:
`adopting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import PROJECT, Names

Kind = Literal[
    "DynamoDB::Table",
    "ECR::Repository",
    "KMS::Alias",
    "KMS::Key",
    "Logs::LogGroup",
    "S3::Bucket",
    "S3Vectors::VectorBucket",
]
REGISTRY: Final = f"{PROJECT}-registry"
# What the templates add to the declared buckets.
_OTHER_BUCKETS: Final = {"access-logs": "storage", "page": "page"}


@dataclass(frozen=True)
class Expected:
    """A resource with a fixed name that a stack creates. Of a key, it is the name of its alias.

    `encrypts` is a bucket that the key encrypts: it names the key where the alias is gone.
    """

    kind: Kind
    name: str
    stack: str
    encrypts: str | None = None


@dataclass(frozen=True)
class Leftover:
    """An expected resource that exists outside its stack.

    `identifier` is what CloudFormation imports it by. With a `problem`, it cannot be imported;
    `problem` says what to do.
    """

    expected: Expected
    identifier: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


def expected_of(blueprint: Blueprint, names: Names) -> tuple[Expected, ...]:
    """Return every resource that a stage may leave behind, keys before what they encrypt."""

    def stack(name: str) -> str:
        return f"{names.prefix}-{name}"

    resources = blueprint.resources
    buckets = dict.fromkeys(resources.buckets, "storage") | _OTHER_BUCKETS
    shared = next(name for name, each in resources.buckets.items() if not each.own_key)
    keys = [
        Expected("KMS::Key", names.data_key(), stack("storage"), names.bucket(shared)),
        *(
            Expected("KMS::Key", names.bucket_key(name), stack("storage"), names.bucket(name))
            for name, bucket in resources.buckets.items()
            if bucket.own_key
        ),
        Expected("KMS::Key", names.provenance_key, stack("releases")),
    ]
    return (
        *keys,
        *(Expected("KMS::Alias", key.name, key.stack) for key in keys),
        *(Expected("S3::Bucket", names.bucket(name), stack(in_)) for name, in_ in buckets.items()),
        *(
            Expected("S3Vectors::VectorBucket", names.vector_bucket(name), stack("storage"))
            for name in resources.vector_buckets
        ),
        *(
            Expected("DynamoDB::Table", names.table(name), stack("storage"))
            for name in resources.tables
        ),
        *(
            Expected("ECR::Repository", names.repository(each.name), REGISTRY)
            for each in blueprint.containers
        ),
        *(
            Expected("Logs::LogGroup", name, stack(in_))
            for name, in_ in _log_groups(blueprint, names)
        ),
    )


def _log_groups(blueprint: Blueprint, names: Names) -> Iterator[tuple[str, str]]:
    for function in blueprint.functions:
        yield names.log_group(function.name(names)), "access"
    for operation in blueprint.operations(names):
        yield names.log_group(operation.function(names)), "releases"
    for container in blueprint.containers:
        yield names.build_log_group(names.build_project(container.name)), "releases"
    yield names.build_log_group(names.checks_project()), "releases"
    for machine in blueprint.definitions:
        yield names.machine_log_group(machine), "pipeline"
    yield names.api_log_group(), "web"
    for container in blueprint.containers:
        if container.batch:
            yield names.job_log_group(container.name), "batch"
    yield names.batch_events_log_group(), "batch"
    yield names.batch_flow_log_group(), "batch"
