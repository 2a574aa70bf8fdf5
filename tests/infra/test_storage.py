"""Buckets are private, encrypted, logged and tidy; data that users own outlives the stack."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from infra.app import ROOT
from pipeline.declared.resources import Bucket, load_resources
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, Resource, deploy
from tests.infra.conftest import Templates

RESOURCES: Final = load_resources(ROOT)
BUCKETS: Final = [*RESOURCES.buckets, "access-logs"]
EACH = pytest.mark.parametrize("name", BUCKETS)


@pytest.fixture(scope="module")
def storage(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-storage"])


def bucket(storage: Deployed, name: str) -> Resource:
    return storage.one("S3::Bucket", BucketName=f"matteline-dev-{name}-{ACCOUNT}-{REGION}")


def lifecycle(storage: Deployed, name: str) -> dict[str, Any]:
    rules = bucket(storage, name).properties["LifecycleConfiguration"]["Rules"]
    (rule,) = (dict(each) for each in rules if "Prefix" not in each)
    assert rule.pop("Status") == "Enabled"
    assert rule.pop("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1}
    return dict(rule)


def test_every_declared_bucket_exists(storage: Deployed) -> None:
    assert len(storage.of("S3::Bucket")) == len(BUCKETS)


@EACH
def test_a_bucket_has_no_public_access_and_no_acls(storage: Deployed, name: str) -> None:
    properties = bucket(storage, name).properties

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@EACH
@pytest.mark.parametrize(
    "condition",
    [{"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": 1.2}}],
)
def test_a_bucket_denies_access_without_tls_1_2(
    storage: Deployed, name: str, condition: dict[str, Any]
) -> None:
    made = bucket(storage, name)
    policy = storage.one("S3::BucketPolicy", Bucket=f"<{made.id}>").properties["PolicyDocument"]
    (denial,) = (each for each in policy["Statement"] if each.get("Condition") == condition)

    assert (denial["Effect"], denial["Action"], denial["Principal"]) == (
        "Deny",
        "s3:*",
        {"AWS": "*"},
    )
    assert denial["Resource"] == [f"<{made.id}.Arn>", f"<{made.id}.Arn>/*"]


def key(storage: Deployed, alias: str) -> Resource:
    named = storage.one("KMS::Alias", AliasName=f"alias/{alias}").properties["TargetKeyId"]
    (found,) = (each for each in storage.of("KMS::Key") if named == f"<{each.id}.Arn>")
    return found


def key_of(storage: Deployed, name: str) -> Resource:
    """Return the key with which a bucket is declared to be encrypted."""
    own = RESOURCES.buckets[name].own_key
    return key(storage, f"matteline-dev-{name}" if own else "matteline-dev")


@pytest.mark.parametrize("name", RESOURCES.buckets)
def test_a_bucket_is_encrypted_with_its_key_and_logs_access(storage: Deployed, name: str) -> None:
    properties = bucket(storage, name).properties
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "KMSMasterKeyID": f"<{key_of(storage, name).id}.Arn>",
            "SSEAlgorithm": "aws:kms",
        },
    }
    logs = properties["LoggingConfiguration"]["DestinationBucketName"]
    assert logs == f"<{bucket(storage, 'access-logs').id}>"


def test_the_access_log_bucket_is_one_that_s3_can_write_to(storage: Deployed) -> None:
    """S3 delivers access logs to no bucket that a customer's key encrypts."""
    encryption = bucket(storage, "access-logs").properties["BucketEncryption"]
    (rule,) = encryption["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_keys_rotate_every_year_and_are_retained(storage: Deployed) -> None:
    keys = storage.of("KMS::Key")

    assert len(keys) == 1 + sum(each.own_key for each in RESOURCES.buckets.values())
    assert all(each.properties["EnableKeyRotation"] is True for each in keys)
    assert {each.attributes["DeletionPolicy"] for each in keys} == {"RetainExceptOnCreate"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ingest", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("work", {"ExpirationInDays": 15}),
        ("output", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("models", {}),
        ("quarantine", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("evidence", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("collections", {}),
        ("access-logs", {"ExpirationInDays": 365}),
    ],
)
def test_old_objects_and_versions_expire(
    storage: Deployed, name: str, rule: dict[str, Any]
) -> None:
    assert lifecycle(storage, name) == rule


def test_what_tasks_write_of_faces_expires_after_a_day(storage: Deployed) -> None:
    """Other work stays for 15 days, so that an execution can be redriven."""
    assert below(storage, "work") == {"faces/": 1}


def below(storage: Deployed, name: str) -> dict[str, int]:
    """Return after how many days objects below a prefix expire."""
    rules = bucket(storage, name).properties["LifecycleConfiguration"]["Rules"]
    return {
        each["Prefix"]: each["ExpirationInDays"]
        for each in rules
        if "Prefix" in each and each["Status"] == "Enabled"
    }


def test_only_the_ingest_bucket_publishes_events(storage: Deployed) -> None:
    announcing = [
        each.properties["BucketName"]
        for each in storage.of("S3::Bucket")
        if "NotificationConfiguration" in each.properties
    ]

    assert announcing == [bucket(storage, "ingest").properties["BucketName"]]
    assert storage.of("Lambda::Function") == []  # CDK's own switch would add one


def test_evidence_cannot_be_changed_for_a_year(storage: Deployed) -> None:
    properties = bucket(storage, "evidence").properties

    assert properties["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Days": 365, "Mode": "GOVERNANCE"}
    }
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("ingest", "RetainExceptOnCreate"),
        ("output", "RetainExceptOnCreate"),
        ("quarantine", "RetainExceptOnCreate"),
        ("evidence", "RetainExceptOnCreate"),
        ("collections", "RetainExceptOnCreate"),
        ("access-logs", "RetainExceptOnCreate"),
        ("work", "Delete"),
        ("models", "Delete"),
    ],
)
def test_only_what_cannot_be_made_again_is_retained(
    storage: Deployed, name: str, policy: str
) -> None:
    assert bucket(storage, name).attributes["DeletionPolicy"] == policy


def test_a_job_is_found_by_its_id_execution_status_and_object(storage: Deployed) -> None:
    jobs = storage.one("DynamoDB::Table", TableName="matteline-dev-jobs").properties

    assert jobs["KeySchema"] == [{"AttributeName": "job_id", "KeyType": "HASH"}]
    assert jobs["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "by-execution",
            "KeySchema": [{"AttributeName": "execution", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "by-status",
            "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
            "Projection": {
                "NonKeyAttributes": ["execution", "resumed_after"],
                "ProjectionType": "INCLUDE",
            },
        },
        {
            "IndexName": "by-key",
            "KeySchema": [
                {"AttributeName": "bucket", "KeyType": "HASH"},
                {"AttributeName": "key", "KeyType": "RANGE"},
            ],
            "Projection": {
                "NonKeyAttributes": ["status", "execution", "product", "error", "updated_at"],
                "ProjectionType": "INCLUDE",
            },
        },
    ]


def test_answers_and_counts_expire_and_jobs_and_keys_do_not(storage: Deployed) -> None:
    expiring = {
        table.properties["TableName"]: table.properties["TimeToLiveSpecification"]
        for table in storage.of("DynamoDB::Table")
        if "TimeToLiveSpecification" in table.properties
    }

    assert expiring == {
        "matteline-dev-requests": {"AttributeName": "expiration", "Enabled": True},
        "matteline-dev-quotas": {"AttributeName": "expires_at", "Enabled": True},
    }


def test_the_jobs_table_has_point_in_time_recovery_and_outlives_its_stack(
    storage: Deployed,
) -> None:
    jobs = storage.one("DynamoDB::Table", TableName="matteline-dev-jobs")

    recovery = jobs.properties["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert jobs.properties["SSESpecification"] == {"SSEEnabled": True}
    assert jobs.attributes["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_lock_without_versions_raises() -> None:
    with pytest.raises(ValueError, match="locked_days needs versioned"):
        Bucket(summary="A lock needs versions.", locked_days=1)


def test_the_storage_stack_refers_to_no_function(templates: Templates) -> None:
    assert "lambda" not in json.dumps(templates["matteline-dev-storage"]).lower()
