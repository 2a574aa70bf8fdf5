"""Define a key that only some functions may use, and the bucket of S3 Vectors that shares it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3vectors as s3vectors
from constructs import Construct

from infra.kept_key import keep_alias
from infra.private_bucket import removal_policy
from pipeline.declared.names import Names

# No use of the key, and no grant of it.
_ADMINISTRATION: Final = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:List*",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
_CONTEXT: Final = ["aws:s3vectors:arn", "aws:s3vectors:resource-id"]


class OwnKey(kms.Key):
    """The own key of a bucket. The account administers it; only roles of `users` may use it.

    They are named, so that they need not exist before the key. `readers` are ARNs of others who
    may decrypt objects of S3.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: str,
        users: Sequence[str],
        readers: Sequence[str],
        of_vectors: bool,
        names: Names,
    ) -> None:
        statements = [_allow(_ADMINISTRATION, iam.AccountRootPrincipal(), {})]
        if users:
            statements.append(_use([names.role_arn(user) for user in users], names))
        if readers:
            statements.append(_read(readers, names))
        if of_vectors:
            statements += [_create_bucket(names), _index(bucket, names)]
        super().__init__(
            scope,
            construct_id,
            alias=names.bucket_key(bucket),
            description=f"Encrypts the bucket {bucket}, for its own functions alone",
            enable_key_rotation=True,
            policy=iam.PolicyDocument(statements=statements),
            removal_policy=removal_policy(retained=True),
        )
        keep_alias(self)


def vector_bucket(scope: Construct, construct_id: str, *, name: str, key: kms.IKey) -> None:
    """Create a bucket of S3 Vectors. S3 encrypts its indexes with the same key."""
    made = s3vectors.CfnVectorBucket(
        scope,
        construct_id,
        vector_bucket_name=name,
        encryption_configuration=s3vectors.CfnVectorBucket.EncryptionConfigurationProperty(
            sse_type="aws:kms", kms_key_arn=key.key_arn
        ),
    )
    made.apply_removal_policy(removal_policy(retained=True))


def _use(users: Sequence[str], names: Names) -> iam.PolicyStatement:
    services = [_service(name, names) for name in ("s3", "s3vectors")]
    return _allow(
        ["kms:Decrypt", "kms:GenerateDataKey"],
        iam.AccountRootPrincipal(),
        {
            "ArnEquals": {"aws:PrincipalArn": list(users)},
            "StringEquals": {"kms:ViaService": services},
        },
    )


def _read(readers: Sequence[str], names: Names) -> iam.PolicyStatement:
    return _allow(
        ["kms:Decrypt"],
        iam.AccountRootPrincipal(),
        {
            "ArnEquals": {"aws:PrincipalArn": list(readers)},
            "StringEquals": {"kms:ViaService": _service("s3", names)},
        },
    )


def _create_bucket(names: Names) -> iam.PolicyStatement:
    """Let whoever deploys create the bucket: S3 Vectors tries the key, and nothing is decrypted."""
    return _allow(
        ["kms:GenerateDataKey"],
        iam.AccountRootPrincipal(),
        {"StringEquals": {"kms:ViaService": _service("s3vectors", names)}},
    )


def _index(bucket: str, names: Names) -> iam.PolicyStatement:
    """Let S3 Vectors rebuild this bucket's indexes in the background."""
    arn = names.vector_bucket_arn(bucket)
    return _allow(
        ["kms:Decrypt"],
        iam.ServicePrincipal("indexing.s3vectors.amazonaws.com"),
        {
            "ArnLike": {"aws:SourceArn": [arn, f"{arn}/*"]},
            "StringEquals": {"aws:SourceAccount": names.account},
            "ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": _CONTEXT},
        },
    )


def _service(name: str, names: Names) -> str:
    return f"{name}.{names.region}.amazonaws.com"


def _allow(
    actions: Sequence[str], principal: iam.IPrincipal, conditions: dict[str, dict[str, object]]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=list(actions), principals=[principal], resources=["*"], conditions=conditions
    )
