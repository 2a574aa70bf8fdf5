"""Grant each of the platform's zipped functions exactly the permissions it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_iam as iam

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

_EVIDENCE: Final = "releases/*"
_SMOKE: Final = "smoke/*"


@dataclass(frozen=True)
class Grants:
    """IAM statements by function. The keys are ARNs: `signing_key` signs provenance."""

    blueprint: Blueprint
    names: Names
    data_key: str
    signing_key: str

    def of(self, operation: str) -> list[iam.PolicyStatement]:
        """Return the function's statements. Raises KeyError for an unknown function."""
        granted: dict[str, Callable[[], list[iam.PolicyStatement]]] = {
            "release-request": self._request,
            "release-gate": self._gate,
            "release-reason": self._reason,
            "smoke-hook": self._smoke,
            "image-watch": self._watch,
            "key-authorizer": self._keys,
            "photo-forgetter": self._forget,
            "webhook-planner": list,
            "webhook-sender": self._send,
        }
        return granted[operation]()

    def _request(self) -> list[iam.PolicyStatement]:
        projects = self._each(self.names.build_project)
        arn = self.names.arn("codebuild")
        return [
            _allow(["codebuild:BatchGetBuilds"], [f"{arn}:project/{each}" for each in projects])
        ]

    def _gate(self) -> list[iam.PolicyStatement]:
        findings = ["ecr:DescribeImageScanFindings", "ecr:DescribeImageSigningStatus"]
        return [
            _allow(findings, self.repositories),
            enhanced_findings(),
            _allow(["kms:Verify"], [self.signing_key]),
            *self._objects("evidence", reads=[_EVIDENCE], writes=["releases/*/verdict.json"]),
            self._key(),
        ]

    def _reason(self) -> list[iam.PolicyStatement]:
        return [
            _allow(["cloudformation:DescribeStackEvents"], self._stacks),
            *self._objects("evidence", reads=[_EVIDENCE], writes=[]),
            self._key(),
        ]

    def _smoke(self) -> list[iam.PolicyStatement]:
        names = self.names
        versions = [
            f"{names.function_arn(each.manifest.name, each.model)}:*"
            for each in self.blueprint.functions
        ]
        deployments = [
            "codedeploy:ListDeploymentTargets",
            "codedeploy:BatchGetDeploymentTargets",
            "codedeploy:PutLifecycleEventHookExecutionStatus",
        ]
        return [
            _allow(deployments, ["*"]),  # these actions have no resource type
            _allow(["lambda:InvokeFunction"], versions),
            _allow(["cloudformation:DescribeStacks"], self._stacks),
            self._releases(),
            *self._objects("work", reads=[_SMOKE], writes=[_SMOKE]),
            *self._objects("models", reads=["*/manifest.json"], writes=[]),
            *self._objects("evidence", reads=[], writes=["releases/*/smoke/*"]),
            self._key(),
        ]

    def _watch(self) -> list[iam.PolicyStatement]:
        return [
            self._releases(),
            _allow(
                ["ecr:BatchGetImage", "ecr:DescribeImageScanFindings", "ecr:StartImageScan"],
                self.repositories,
            ),
            enhanced_findings(),
        ]

    def _keys(self) -> list[iam.PolicyStatement]:
        return [_allow(["dynamodb:GetItem"], [self._table("keys")])]

    def _send(self) -> list[iam.PolicyStatement]:
        secrets = self.names.webhook_secret("*")
        return [
            _allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._table("webhooks")]),
            _allow(
                ["secretsmanager:GetSecretValue"],
                [f"{self.names.arn('secretsmanager')}:secret:{secrets}"],
            ),
        ]

    def _forget(self) -> list[iam.PolicyStatement]:
        """Return what deleting the files of products that follow their source needs, no other's."""
        following = [each for each in self.blueprint.products if each.follows_source]
        ingest, output, work = map(self.names.bucket_arn, ("ingest", "output", "work"))
        records = [f"{output}/*{each.record}" for each in following]
        files = [f"{output}/*{suffix}" for each in following for suffix in each.follows_source]
        folders = [f"{each.work_folder}*" for each in following]
        return [
            _allow(["dynamodb:Query"], [f"{self._table('jobs')}/index/by-key"]),
            _allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._table("jobs")]),
            _allow(["s3:ListBucketVersions"], [ingest, output]),
            _allow(["s3:GetObjectVersion"], [f"{ingest}/*", *files, *records]),
            # DeleteObjects is documented to need the first of these even if it names versions.
            _allow(["s3:DeleteObject", "s3:DeleteObjectVersion"], [*files, *records]),
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[work],
                conditions={"StringLike": {"s3:prefix": folders}},
            ),
            _allow(["s3:DeleteObject"], [f"{work}/{folder}" for folder in folders]),
            self._key(),
        ]

    def _releases(self) -> iam.PolicyStatement:
        return _allow(["dynamodb:GetItem"], [self._table("releases")])

    def _table(self, name: str) -> str:
        return f"{self.names.arn('dynamodb')}:table/{self.names.table(name)}"

    @property
    def repositories(self) -> list[str]:
        arn = self.names.arn("ecr")
        return [f"{arn}:repository/{each}" for each in self._each(self.names.repository)]

    @property
    def _stacks(self) -> list[str]:
        arn = self.names.arn("cloudformation")
        return [f"{arn}:stack/{each}/*" for each in self._each(self.names.function_stack)]

    def _each(self, name: Callable[[str], str]) -> list[str]:
        return [name(container.name) for container in self.blueprint.containers]

    def _objects(
        self, bucket: str, *, reads: Sequence[str], writes: Sequence[str]
    ) -> list[iam.PolicyStatement]:
        arn = self.names.bucket_arn(bucket)
        statements = []
        if reads:
            # Without s3:ListBucket, S3 answers 403 instead of 404 for a missing key.
            statements.append(_allow(["s3:ListBucket"], [arn]))
            statements.append(_allow(["s3:GetObject"], [f"{arn}/{keys}" for keys in reads]))
        if writes:
            statements.append(_allow(["s3:PutObject"], [f"{arn}/{keys}" for keys in writes]))
        return statements

    def _key(self) -> iam.PolicyStatement:
        """Allow the data key of the buckets, through S3 only."""
        return iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[self.data_key],
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{self.names.region}.amazonaws.com"}
            },
        )


def enhanced_findings() -> iam.PolicyStatement:
    """Allow Inspector's lists: ECR calls them for the caller, and they have no resource type."""
    return _allow(["inspector2:ListCoverage", "inspector2:ListFindings"], ["*"])


def _allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
