"""What outlives every release: buckets, tables, and the key they are encrypted with."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.private_bucket import PrivateBucket, removal_policy
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names
from pipeline.declared.resources import Bucket, Resources, Table

_ACCESS_LOGS: Final = Bucket(
    summary="Who did what to which object.", retained=True, expires_days=365
)


class StorageStack(cdk.Stack):
    """Everything `resources.toml` declares. `key` is the one all data in S3 is encrypted with."""

    def __init__(
        self, scope: Construct, stack_id: str, *, resources: Resources, names: Names
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: buckets and tables")
        self.key = kms.Key(
            self,
            "DataKey",
            alias=names.data_key(),
            description="Photos, cut-outs, weights and whatever else is in the buckets",
            enable_key_rotation=True,
            removal_policy=removal_policy(retained=True),  # without it, what is retained is lost
        )
        # S3 delivers access logs only to buckets that it encrypts with keys of its own.
        logs = PrivateBucket(
            self, "AccessLogs", name=names.bucket("access-logs"), declared=_ACCESS_LOGS
        )
        for name, bucket in resources.buckets.items():
            PrivateBucket(
                self,
                f"{pascal_case(name)}Bucket",
                name=names.bucket(name),
                declared=bucket,
                key=self.key,
                logs=logs,
            )
        for name, table in resources.tables.items():
            _table(self, name, table, names)


def _table(scope: Construct, name: str, declared: Table, names: Names) -> None:
    table = dynamodb.Table(
        scope,
        f"{pascal_case(name)}Table",
        table_name=names.table(name),
        partition_key=_text(declared.key),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.AWS_MANAGED,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=removal_policy(retained=True),
    )
    for found_by, index in declared.indexes.items():
        some, none = dynamodb.ProjectionType.INCLUDE, dynamodb.ProjectionType.KEYS_ONLY
        table.add_global_secondary_index(
            index_name=found_by,
            partition_key=_text(index.attribute),
            projection_type=some if index.copied else none,
            non_key_attributes=list(index.copied) or None,
        )


def _text(attribute: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING)
