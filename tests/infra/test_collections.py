"""Collections have a key of their own, which only the vector index may use, and no versions."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.own_key import OwnKey
from infra.settings import Settings
from pipeline.declared.names import Names
from pipeline.declared.resources import Bucket, Resources, VectorBucket
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import allows, statements_of
from tests.infra.test_storage import below, bucket, key

NAMES: Final = Names(
    "matteline-dev", account=ACCOUNT, region=REGION, bucket_suffix=f"-{ACCOUNT}-{REGION}"
)
INDEX: Final = "matteline-dev-vector-index"
BUCKET: Final = f"matteline-dev-collections-{ACCOUNT}-{REGION}"
ROOT_USER: Final = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture(scope="module")
def storage(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-storage"])


def test_exports_expire_after_a_day_and_evidence_of_searches_after_400(storage: Deployed) -> None:
    """Vectors never expire by a rule: the collection's own retention erases them."""
    days = {"exports/": 1, "searches/": 400, "receipts/": 400}

    assert below(storage, "collections") == days


def test_collections_have_no_versions_in_which_what_was_erased_would_stay(
    storage: Deployed,
) -> None:
    assert "VersioningConfiguration" not in bucket(storage, "collections").properties


@pytest.fixture(scope="module")
def policy() -> list[dict[str, Any]]:
    """The statements of a bucket's own key, which one role may use."""
    return policy_for([])


def policy_for(readers: list[str]) -> list[dict[str, Any]]:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "s")
    OwnKey(
        stack,
        "Key",
        bucket="collections",
        users=[INDEX],
        readers=readers,
        of_vectors=True,
        names=NAMES,
    )
    made = deploy(Template.from_stack(stack).to_json()).one("KMS::Key")
    return list(made.properties["KeyPolicy"]["Statement"])


def test_those_who_download_exports_may_decrypt_objects_and_nothing_else() -> None:
    ada = f"arn:aws:iam::{ACCOUNT}:role/ada"
    (given,) = (each for each in policy_for([ada]) if ada in str(each))

    assert given["Action"] == "kms:Decrypt"
    assert given["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [ada]},
        "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
    }


@pytest.mark.parametrize("text", ["ada", "arn:aws:iam::123456789012:root", "*"])
def test_a_reader_is_one_role_or_user(text: str) -> None:
    read = {"matteline:stage": "dev", "matteline:collection_readers": [text]}.get

    with pytest.raises(ValueError, match="collection_readers"):
        Settings.from_context(read)


def test_the_stage_names_the_vector_index_and_no_other_function_as_its_user(
    storage: Deployed,
) -> None:
    policy = key(storage, "matteline-dev-collections").properties["KeyPolicy"]["Statement"]
    users = [
        user
        for each in policy
        for user in each.get("Condition", {}).get("ArnEquals", {}).get("aws:PrincipalArn", [])
    ]

    assert users == [f"arn:aws:iam::{ACCOUNT}:role/{INDEX}"]


@pytest.mark.parametrize("stack", ["access", "pipeline", "releases", "web"])
def test_no_other_role_touches_collections(templates: Templates, stack: str) -> None:
    """Neither their objects, nor their vectors, nor their key."""
    made = [
        each
        for each in deploy(templates[f"matteline-dev-{stack}"])
        if each.type in {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    ]
    touching = {
        each.properties.get("RoleName", each.id)
        for each in made
        if any(name in str(each.properties) for name in ("s3vectors", "CollectionsKey", BUCKET))
    }

    assert touching == ({INDEX} if stack == "access" else set())


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("s3vectors:QueryVectors", True),
        ("s3vectors:DeleteVectors", True),
        ("s3vectors:DeleteIndex", True),
        ("s3vectors:DeleteVectorBucket", False),
        ("s3vectors:PutVectorBucketPolicy", False),
    ],
)
def test_the_index_may_change_indexes_and_not_their_bucket(
    templates: Templates, action: str, *, allowed: bool
) -> None:
    made = deploy(templates["matteline-dev-access"]).one("IAM::Role", RoleName=INDEX)
    bucket = NAMES.vector_bucket_arn("collections")
    statements = statements_of(made)

    assert allows(statements, action, f"{bucket}/index/staff") is allowed
    assert not allows(statements, action, bucket)
    assert not allows(statements, action, f"{bucket}-of-others/index/staff")


def test_one_role_may_use_the_key_of_collections_through_s3_and_s3_vectors(
    policy: list[dict[str, Any]],
) -> None:
    reading = [each for each in policy if "kms:Decrypt" in each["Action"]]
    (role,) = (each for each in reading if each["Principal"] == {"AWS": ROOT_USER})

    assert role["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/{INDEX}"]},
        "StringEquals": {
            "kms:ViaService": [f"{name}.{REGION}.amazonaws.com" for name in ("s3", "s3vectors")]
        },
    }


def test_besides_that_role_only_s3_vectors_decrypts_and_only_for_its_bucket(
    policy: list[dict[str, Any]],
) -> None:
    (service,) = (each for each in policy if "Service" in each["Principal"])
    arn = NAMES.vector_bucket_arn("collections")

    assert (service["Principal"], service["Action"]) == (
        {"Service": "indexing.s3vectors.amazonaws.com"},
        "kms:Decrypt",
    )
    assert service["Condition"]["ArnLike"] == {"aws:SourceArn": [arn, f"{arn}/*"]}
    assert service["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_who_administers_the_key_of_collections_may_not_use_it(
    policy: list[dict[str, Any]],
) -> None:
    (given,) = (each["Action"] for each in policy if "Condition" not in each)
    uses = {"kms:*", "kms:Decrypt", "kms:Encrypt", "kms:CreateGrant"}

    assert "kms:PutKeyPolicy" in given  # or nobody could ever change it
    assert not [each for each in given if each in uses or "GenerateDataKey" in each]
    assert not [each for each in given if each.startswith(("kms:Re*", "kms:ReEncrypt"))]


def test_whoever_deploys_may_create_the_bucket_of_vectors_and_decrypts_nothing(
    policy: list[dict[str, Any]],
) -> None:
    """S3 Vectors asks for a data key when a bucket with a customer's key is created."""
    (given,) = (each for each in policy if each["Action"] == "kms:GenerateDataKey")

    assert given["Condition"] == {
        "StringEquals": {"kms:ViaService": f"s3vectors.{REGION}.amazonaws.com"}
    }


def test_vectors_are_kept_in_their_own_bucket_under_the_key_of_collections(
    storage: Deployed,
) -> None:
    (made,) = storage.of("S3Vectors::VectorBucket")

    assert made.properties == {
        "VectorBucketName": f"matteline-dev-collections-{ACCOUNT}-{REGION}",
        "EncryptionConfiguration": {
            "KmsKeyArn": f"<{key(storage, 'matteline-dev-collections').id}.Arn>",
            "SseType": "aws:kms",
        },
    }
    assert made.attributes["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_bucket_of_vectors_without_a_key_of_its_own_raises() -> None:
    shared = {"faces": Bucket(summary="With the key of all.")}
    vectors = {"faces": VectorBucket(summary="Of faces.")}

    with pytest.raises(ValueError, match=r"own_key = true has the name faces"):
        Resources(buckets=shared, vector_buckets=vectors, tables={})


@pytest.mark.parametrize("prefix", ["exports", "/", "exports/a"])
def test_a_prefix_that_is_no_folder_raises(prefix: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Bucket(summary="A prefix is a folder.", expires={prefix: 1})
