"""Create the buckets, tables, functions and state machines that the blueprint declares.

CDK deploys the same blueprint on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.resources import Index, Resources, Table
from pipeline.local.batch.definition import JobDefinition, JobQueue
from pipeline.local.worker import Function

NAMES: Final = LOCAL_NAMES
REGION: Final = NAMES.region
PHOTOS: Final = ("cutout",)
MOST_REQUESTS: Final = 8  # at a time, to a function that serves: some of them only wait
LONGEST_S: Final = 12 * 60 * 60  # SQS's longest visibility timeout


def functions(blueprint: Blueprint, environment: Mapping[str, str]) -> tuple[Function, ...]:
    """Return every Lambda function: the platform's zipped ones and the containers'."""
    operations = tuple(
        Function(
            name=each.function(NAMES),
            handler=each.handler,
            memory_mb=each.operation.memory_mb,
            timeout_s=each.operation.timeout_s,
            environment={**each.environment, **environment},
        )
        for each in blueprint.operations(NAMES)
    )
    return operations + tuple(
        Function(
            name=each.name(NAMES),
            handler=each.manifest.handler,
            memory_mb=each.memory_mb,
            timeout_s=each.manifest.timeout_s,
            environment={**each.manifest.environment, **environment},
            concurrency=MOST_REQUESTS if each.manifest.serves else None,
        )
        for each in blueprint.functions
    )


def job_definitions(
    blueprint: Blueprint, environment: Mapping[str, str]
) -> tuple[JobDefinition, ...]:
    """Return the job definitions of AWS Batch: none unless the blueprint has it."""
    return tuple(
        JobDefinition(
            Function(
                name=each.name(NAMES),
                handler=each.manifest.handler,
                memory_mb=each.memory_mb,
                timeout_s=each.batch.timeout_s,
                environment={**each.manifest.environment, **environment},
            ),
            vcpus=each.batch.vcpus,
            log_group=NAMES.job_log_group(each.manifest.name),
        )
        for each in blueprint.jobs
    )


def job_queues(blueprint: Blueprint) -> tuple[JobQueue, ...]:
    """Return a queue for each lane, and for the machines that jobs ask for."""
    kinds = sorted({"gpu" if each.gpu else "cpu" for each in blueprint.jobs})
    return tuple(
        JobQueue(NAMES.job_queue(kind, lane), priority)
        for kind in kinds
        for priority, lane in sorted(enumerate(reversed(LANES), start=1), reverse=True)
    )


def warm_functions(blueprint: Blueprint, products: Collection[str] = PHOTOS) -> list[str]:
    """Return the names of the functions that media with default options call."""
    return [each.name(NAMES) for each in product_functions(blueprint, products)]


def product_functions(
    blueprint: Blueprint, products: Collection[str] = PHOTOS
) -> list[DeclaredFunction]:
    """Return the functions that media of these products call with default options."""
    made = [product for product in blueprint.products if product.name in products]
    invoked = {name for product in made for name in blueprint.invoked(product.machine)}
    roles = [role for product in made for role in product.roles.values()]
    always = {role.container for role in roles if (role.when or role.option) in {None, "model"}}
    asked_for = {role.container for role in roles} - always
    defaults = blueprint.catalogue.defaults
    return [
        each
        for each in blueprint.functions
        if each.manifest.name in invoked - asked_for
        and each.model in {None, defaults.get(each.manifest.name)}
    ]


def deploy(
    blueprint: Blueprint,
    client: Any,
    *,
    unparsed: Callable[[], AbstractContextManager[None]],
    products: Collection[str] | None = None,
) -> dict[str, str]:
    """Create every resource through the API. Return each trigger's queue URL by state machine.

    State machines of other products than these (None: all), and of none, are created in a block of
    `unparsed`.
    """
    _create_buckets(blueprint.resources, client("s3"))
    for name in blueprint.resources.vector_buckets:
        client("s3vectors").create_vector_bucket(vectorBucketName=NAMES.vector_bucket(name))
    create_tables(blueprint.resources, client("dynamodb"))
    states = client("stepfunctions")
    role = f"arn:aws:iam::{NAMES.account}:role/{NAMES.prefix}"
    needed = {
        product.machine
        for product in blueprint.products
        if products is None or product.name in products
    }
    for name, definition in blueprint.machines(NAMES).items():
        # A run of photos would wait for ever if a broken machine refused their events.
        with nullcontext() if name in needed else unparsed():
            states.create_state_machine(
                name=NAMES.machine(name), definition=definition, roleArn=role
            )
    return {
        name: _create_trigger(NAMES.machine(name), pattern, client)
        for name, pattern in blueprint.triggers(NAMES).items()
    }


def _create_buckets(resources: Resources, s3: Any) -> None:
    for name, declared in resources.buckets.items():
        s3.create_bucket(Bucket=NAMES.bucket(name))
        if declared.versioned:
            s3.put_bucket_versioning(
                Bucket=NAMES.bucket(name), VersioningConfiguration={"Status": "Enabled"}
            )
        if declared.events:
            s3.put_bucket_notification_configuration(
                Bucket=NAMES.bucket(name),
                NotificationConfiguration={"EventBridgeConfiguration": {}},
            )


def create_tables(resources: Resources, dynamodb: Any) -> None:
    for name, declared in resources.tables.items():
        indexed = (name for index in declared.indexes.values() for name in index.keys)
        attributes = sorted({declared.key, *indexed})
        dynamodb.create_table(
            TableName=NAMES.table(name),
            KeySchema=_keyed(declared.key),
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
            ],
            BillingMode="PAY_PER_REQUEST",
            **_indexes(declared),
        )
        if declared.expires:
            dynamodb.update_time_to_live(
                TableName=NAMES.table(name),
                TimeToLiveSpecification={"Enabled": True, "AttributeName": declared.expires},
            )


def _indexes(table: Table) -> dict[str, Any]:
    indexes = [
        {
            "IndexName": name,
            "KeySchema": _keyed(*index.keys),
            "Projection": _projection(index),
        }
        for name, index in table.indexes.items()
    ]
    return {"GlobalSecondaryIndexes": indexes} if indexes else {}


def _projection(index: Index) -> dict[str, Any]:
    if not index.copied:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.copied)}


def _keyed(*attributes: str) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [
        {"AttributeName": attribute, "KeyType": kind}
        for attribute, kind in zip(attributes, kinds, strict=False)
    ]


def _create_trigger(name: str, pattern: str, client: Any) -> str:
    """Create a rule that sends events to a queue, and return the queue's URL.

    moto's rules cannot target a state machine: `event_bridge` starts it from the queue.
    """
    # A received event may wait until other executions end; SQS must not deliver it again.
    attributes = {"VisibilityTimeout": str(LONGEST_S)}
    queue_url: str = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    events = client("events")
    events.put_rule(Name=name, EventPattern=pattern)
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"{NAMES.arn('sqs')}:{name}"}])
    return queue_url
