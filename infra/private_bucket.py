"""Define a declared bucket without public access."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.l1 import resource_of
from pipeline.declared.resources import Bucket

_TLS: Final = 1.2
_UNFINISHED_DAYS: Final = 1  # no upload of the pipeline takes an hour
_EVENTS: Final = "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"


class PrivateBucket(s3.Bucket):
    """A bucket without public access, ACLs or plain HTTP. Without `key`, S3 uses its own key.

    Objects whose keys begin with a prefix of `expires_days` expire after its number of days, as do
    those of a declared prefix.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        declared: Bucket,
        key: kms.IKey | None = None,
        logs: s3.IBucket | None = None,
        cors: s3.CorsRule | None = None,
        expires_days: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=key is not None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=_TLS,
            versioned=declared.versioned,
            object_lock_default_retention=_lock(declared),
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{name}/" if logs else None,
            lifecycle_rules=[
                _lifecycle(declared),
                *_expiring({**declared.expires, **expires_days}),
            ],
            cors=[cors] if cors else None,
            removal_policy=removal_policy(retained=declared.retained),
        )
        if declared.events:
            # Set only the property: `event_bridge_enabled=True` would add a Lambda function.
            resource_of(self, s3.CfnBucket).add_property_override(_EVENTS, value=True)


def removal_policy(*, retained: bool) -> cdk.RemovalPolicy:
    """Keep retained resources on deletion, but not after a failed creation."""
    policy = cdk.RemovalPolicy
    return policy.RETAIN_ON_UPDATE_OR_DELETE if retained else policy.DESTROY


def _lifecycle(declared: Bucket) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=cdk.Duration.days(_UNFINISHED_DAYS),
        expiration=_days(declared.expires_days),
        noncurrent_version_expiration=_days(declared.noncurrent_days if declared.versioned else 0),
    )


def _expiring(days: Mapping[str, int]) -> list[s3.LifecycleRule]:
    """Return a rule for each prefix. Where two rules expire an object, S3 takes the earlier."""
    return [
        s3.LifecycleRule(prefix=prefix, expiration=cdk.Duration.days(number))
        for prefix, number in days.items()
    ]


def _lock(declared: Bucket) -> s3.ObjectLockRetention | None:
    days = _days(declared.locked_days)
    return s3.ObjectLockRetention.governance(days) if days else None


def _days(number: int | None) -> cdk.Duration | None:
    return cdk.Duration.days(number) if number else None
