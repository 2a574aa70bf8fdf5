"""Define the stack that outlives every release: buckets, tables and their encryption keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.kept_key import keep_alias
from infra.own_key import OwnKey, vector_bucket
from infra.private_bucket import PrivateBucket, removal_policy
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names
from pipeline.declared.resources import Bucket, Resources, Table

_ACCESS_LOGS: Final = Bucket(
    summary="S3 access logs of all buckets.", retained=True, expires_days=365
)
_FROM_PAGES: Final = {
    "ingest": s3.HttpMethods.POST,
    "output": s3.HttpMethods.GET,
    "work": s3.HttpMethods.GET,  # previews of selections
}
_HOUR_S: Final = 3600
_WORK: Final = "work"


class StorageStack(cdk.Stack):
    """The buckets and tables of `resources.toml`.

    `key` encrypts every bucket that has no key of its own, and `keys` are by bucket.
    """

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        resources: Resources,
        names: Names,
        page_origins: Sequence[str],
        work_days: Mapping[str, int],
        key_users: Mapping[str, Sequence[str]],
        key_readers: Sequence[str],
    ) -> None:
        """`page_origins` are those whose pages may send forms and read results.

        `work_days` says after how many days objects below a prefix of the work bucket expire,
        `key_users` which roles may use the own key of a bucket, `key_readers` who else may read
        objects with it.
        """
        super().__init__(scope, stack_id, description="Matteline: buckets and tables")
        self.key = kms.Key(
            self,
            "DataKey",
            alias=names.data_key(),
            description="Encrypts every bucket but the access logs and those with their own key",
            enable_key_rotation=True,
            removal_policy=removal_policy(retained=True),  # losing the key loses retained objects
        )
        keep_alias(self.key)
        # S3 delivers access logs only to a bucket encrypted with S3's own keys.
        logs = PrivateBucket(
            self, "AccessLogs", name=names.bucket("access-logs"), declared=_ACCESS_LOGS
        )
        self.keys = {
            name: OwnKey(
                self,
                f"{pascal_case(name)}Key",
                bucket=name,
                users=key_users.get(name, ()),
                readers=key_readers,
                of_vectors=name in resources.vector_buckets,
                names=names,
            )
            if bucket.own_key
            else self.key
            for name, bucket in resources.buckets.items()
        }
        for name, bucket in resources.buckets.items():
            PrivateBucket(
                self,
                f"{pascal_case(name)}Bucket",
                name=names.bucket(name),
                declared=bucket,
                key=self.keys[name],
                logs=logs,
                cors=_cors(name, page_origins),
                expires_days=work_days if name == _WORK else {},
            )
        for name in resources.vector_buckets:
            vector_bucket(
                self,
                f"{pascal_case(name)}Vectors",
                name=names.vector_bucket(name),
                key=self.keys[name],
            )
        for name, table in resources.tables.items():
            _table(self, name, table, names)


def _cors(bucket: str, origins: Sequence[str]) -> s3.CorsRule | None:
    """Let pages of the origins use the forms and addresses that the API signs for this bucket."""
    if not origins or bucket not in _FROM_PAGES:
        return None
    return s3.CorsRule(
        allowed_origins=list(origins),
        allowed_methods=[_FROM_PAGES[bucket]],
        allowed_headers=["*"],  # the signature decides which ones count
        max_age=_HOUR_S,
    )


def _table(scope: Construct, name: str, declared: Table, names: Names) -> None:
    table = dynamodb.Table(
        scope,
        f"{pascal_case(name)}Table",
        table_name=names.table(name),
        partition_key=_text(declared.key),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=declared.expires,
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
            sort_key=_text(index.sort) if index.sort else None,
            projection_type=some if index.copied else none,
            non_key_attributes=list(index.copied) or None,
        )


def _text(attribute: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING)
