"""Buckets are closed, encrypted, logged and tidy; what people gave us outlives the stack."""

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
    (rule,) = bucket(storage, name).properties["LifecycleConfiguration"]["Rules"]
    assert rule.pop("Status") == "Enabled"
    assert rule.pop("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1}
    return dict(rule)


def test_every_declared_bucket_is_there(storage: Deployed) -> None:
    assert len(storage.of("S3::Bucket")) == len(BUCKETS)


@EACH
def test_a_bucket_is_closed_to_the_public_and_knows_no_acls(storage: Deployed, name: str) -> None:
    properties = bucket(storage, name).properties

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@EACH
@pytest.mark.parametrize(
    "condition",
    [{"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": 1.2}}],
)
def test_a_bucket_refuses_what_does_not_come_over_modern_tls(
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


@pytest.mark.parametrize("name", RESOURCES.buckets)
def test_a_bucket_is_encrypted_with_our_key_and_its_reads_are_logged(
    storage: Deployed, name: str
) -> None:
    properties, (key,) = bucket(storage, name).properties, storage.of("KMS::Key")
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "KMSMasterKeyID": f"<{key.id}.Arn>",
            "SSEAlgorithm": "aws:kms",
        },
    }
    logs = properties["LoggingConfiguration"]["DestinationBucketName"]
    assert logs == f"<{bucket(storage, 'access-logs').id}>"


def test_logs_go_where_s3_can_deliver_them(storage: Deployed) -> None:
    """It delivers to no bucket that is encrypted with a customer's key."""
    encryption = bucket(storage, "access-logs").properties["BucketEncryption"]
    (rule,) = encryption["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_key_changes_every_year_and_is_never_lost(storage: Deployed) -> None:
    (key,) = storage.of("KMS::Key")

    assert key.properties["EnableKeyRotation"] is True
    assert key.attributes["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ingest", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("work", {"ExpirationInDays": 15}),
        ("output", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("models", {}),
        ("quarantine", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("evidence", {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}),
        ("access-logs", {"ExpirationInDays": 365}),
    ],
)
def test_what_nobody_needs_any_more_goes_by_itself(
    storage: Deployed, name: str, rule: dict[str, Any]
) -> None:
    assert lifecycle(storage, name) == rule


def test_photos_that_arrive_are_announced_and_nothing_else_is(storage: Deployed) -> None:
    announcing = [
        each.properties["BucketName"]
        for each in storage.of("S3::Bucket")
        if "NotificationConfiguration" in each.properties
    ]

    assert announcing == [bucket(storage, "ingest").properties["BucketName"]]
    assert storage.of("Lambda::Function") == []  # as CDK's own switch would have it


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
        ("access-logs", "RetainExceptOnCreate"),
        ("work", "Delete"),
        ("models", "Delete"),
    ],
)
def test_what_is_retained_is_what_cannot_be_had_again(
    storage: Deployed, name: str, policy: str
) -> None:
    assert bucket(storage, name).attributes["DeletionPolicy"] == policy


def test_a_row_is_found_by_its_job_its_execution_and_its_status(storage: Deployed) -> None:
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
    ]


def test_the_jobs_can_be_restored_to_any_minute_and_outlive_their_stack(storage: Deployed) -> None:
    jobs = storage.one("DynamoDB::Table", TableName="matteline-dev-jobs")

    recovery = jobs.properties["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert jobs.properties["SSESpecification"] == {"SSEEnabled": True}
    assert jobs.attributes["DeletionPolicy"] == "RetainExceptOnCreate"


def test_what_is_locked_but_has_no_versions_is_refused() -> None:
    with pytest.raises(ValueError, match="locked_days needs versioned"):
        Bucket(summary="Nothing can be locked here.", locked_days=1)


def test_storage_knows_nothing_of_functions(templates: Templates) -> None:
    assert "lambda" not in json.dumps(templates["matteline-dev-storage"]).lower()
