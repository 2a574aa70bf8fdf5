"""Find the leftovers of a destroyed stage in an account, and its stacks that are stuck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.operations.site import Site
from pipeline.operations.stage.leftovers import Expected, Kind, Leftover

_GONE: Final = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})  # a stack let go of the resource
_STUCK: Final = frozenset({"DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"})
_NO_KEY: Final = frozenset({"AccessDeniedException", "NotFoundException"})
_USABLE: Final = "Enabled"


@dataclass(frozen=True)
class StuckStack:
    """A stack that failed to be deleted or rolled back: nothing can be deployed to it."""

    name: str
    status: str


def find_leftovers(site: Site, expected: tuple[Expected, ...]) -> tuple[Leftover, ...]:
    """Return which of `expected` exist and belong to no stack of theirs. It changes nothing."""
    owned = {stack: _owned(site, stack) for stack in sorted({each.stack for each in expected})}
    existing = _Existing(site, expected)
    found = ((each, existing.find(each)) for each in expected)
    return tuple(
        leftover
        for each, leftover in found
        if leftover
        and not any(
            (f"AWS::{each.kind}", name) in owned[each.stack]
            for name in (each.name, *leftover.identifier.values())
        )
    )


def stuck_stacks(site: Site) -> tuple[StuckStack, ...]:
    """Return the stage's stacks whose deletion or rollback failed."""
    pages = site.client("cloudformation").get_paginator("describe_stacks").paginate()
    return tuple(
        StuckStack(stack["StackName"], stack["StackStatus"])
        for page in pages
        for stack in page["Stacks"]
        if site.names.owns_stack(stack["StackName"]) and stack["StackStatus"] in _STUCK
    )


def _owned(site: Site, stack: str) -> frozenset[tuple[str, str]]:
    """Return the types and physical names of a stack's resources; none without such a stack."""
    pages = site.client("cloudformation").get_paginator("list_stack_resources")
    try:
        listed = [
            each
            for page in pages.paginate(StackName=stack)
            for each in page["StackResourceSummaries"]
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # there is no such stack
            return frozenset()
        raise
    return frozenset(
        (each["ResourceType"], each["PhysicalResourceId"])
        for each in listed
        if each["ResourceStatus"] not in _GONE and "PhysicalResourceId" in each
    )


class _Existing:
    """The resources of the account, listed once."""

    def __init__(self, site: Site, expected: tuple[Expected, ...]) -> None:
        self._site = site
        self._aliases = {
            each["AliasName"]: each.get("TargetKeyId", "")
            for each in self._all("kms", "list_aliases", "Aliases")
        }
        self._names: dict[Kind, frozenset[str]] = {
            "KMS::Alias": frozenset(self._aliases),
            "DynamoDB::Table": frozenset(self._all("dynamodb", "list_tables", "TableNames")),
            "ECR::Repository": frozenset(
                each["repositoryName"]
                for each in self._all("ecr", "describe_repositories", "repositories")
            ),
            "Logs::LogGroup": frozenset(
                each["logGroupName"]
                for folder in _folders(expected)
                for each in self._all(
                    "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=folder
                )
            ),
        }

    def _all(self, service: str, operation: str, field_: str, **given: str) -> Iterator[Any]:
        for page in self._site.client(service).get_paginator(operation).paginate(**given):
            yield from page[field_]

    def find(self, wanted: Expected) -> Leftover | None:
        """Return the resource, in a stack or not; None if there is none."""
        if wanted.kind == "S3::Bucket":
            return self._bucket(wanted)
        if wanted.kind == "S3Vectors::VectorBucket":
            return self._vector_bucket(wanted)
        if wanted.kind == "KMS::Key":
            return self._key(wanted)
        if wanted.name not in self._names[wanted.kind]:
            return None
        return Leftover(wanted, {_NAMED_BY[wanted.kind]: wanted.name})

    def _bucket(self, wanted: Expected) -> Leftover | None:
        owner = {"ExpectedBucketOwner": self._site.names.account}  # anybody may have taken the name
        try:
            self._site.client("s3").head_bucket(Bucket=wanted.name, **owner)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                return None
            if status in {301, 403}:
                why = f"the bucket {wanted.name} belongs to another account or region, or denies it"
                return Leftover(wanted, problem=f"{why}: choose another stage name")
            raise
        return Leftover(wanted, {"BucketName": wanted.name})

    def _vector_bucket(self, wanted: Expected) -> Leftover | None:
        client = self._site.client("s3vectors")
        try:
            found = client.get_vector_bucket(vectorBucketName=wanted.name)["vectorBucket"]
        except client.exceptions.NotFoundException:
            return None
        return Leftover(wanted, {"VectorBucketArn": found["vectorBucketArn"]})

    def _key(self, wanted: Expected) -> Leftover | None:
        named = self._aliases.get(wanted.name)
        key_id = named or self._encrypting(wanted.encrypts)
        if not key_id:
            return None
        try:
            found = self._site.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_KEY:
                raise
            return Leftover(wanted, problem=_others(str(wanted.encrypts), key_id))
        if not named and self._is_others(found):
            return Leftover(wanted, problem=_others(str(wanted.encrypts), found["Arn"]))
        state = found["KeyState"]
        problem = None if state == _USABLE else _unusable(found["KeyId"], state)
        return Leftover(wanted, {"KeyId": found["KeyId"]}, problem)

    def _is_others(self, key: Mapping[str, Any]) -> bool:
        """Return True for AWS's own key, another account's, or one with an alias of its own."""
        own = (key["KeyManager"], key["AWSAccountId"]) == ("CUSTOMER", self._site.names.account)
        return not own or key["KeyId"] in self._aliases.values()

    def _encrypting(self, bucket: str | None) -> str | None:
        """Return the key that encrypts a bucket; None if there is no bucket, or no key of KMS."""
        if bucket is None:
            return None
        try:
            answer = self._site.client("s3").get_bucket_encryption(
                Bucket=bucket, ExpectedBucketOwner=self._site.names.account
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in {301, 403, 404}:
                return None  # `_bucket` says what there is to say
            raise
        (rule, *_) = answer["ServerSideEncryptionConfiguration"]["Rules"]
        key: str | None = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        return key


_NAMED_BY: Final[Mapping[Kind, str]] = {
    "DynamoDB::Table": "TableName",
    "ECR::Repository": "RepositoryName",
    "KMS::Alias": "AliasName",
    "Logs::LogGroup": "LogGroupName",
}


def _folders(expected: tuple[Expected, ...]) -> list[str]:
    """Return the folders of the log groups, such as `/aws/lambda/`."""
    groups = [each.name for each in expected if each.kind == "Logs::LogGroup"]
    return sorted({f"{name.rpartition('/')[0]}/" for name in groups})


def _others(bucket: str, key: str) -> str:
    return (
        f"the bucket {bucket} is encrypted with {key}, which this stage did not make: "
        "give the bucket another encryption, or delete it"
    )


def _unusable(key_id: str, state: str) -> str:
    how = (
        f"aws kms cancel-key-deletion --key-id {key_id}; aws kms enable-key --key-id {key_id}"
        if state == "PendingDeletion"
        else f"aws kms enable-key --key-id {key_id}"
    )
    return (
        f"the key {key_id} is {state}, and retained data needs it: {how}. "
        "Or delete the buckets that it encrypts"
    )
