"""Counts critical findings of live images, and has live images scanned again."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from infra.functions.image_watch.findings import METRIC, read_report

_DONE_TODAY: Final = frozenset({"LimitExceededException"})  # one basic scan of an image a day
_CONTINUOUS: Final = frozenset({"ValidationException"})  # enhanced scanning never stops


@dataclass(frozen=True)
class Watch:
    """boto3 clients of DynamoDB and ECR; `repositories` is container → repository."""

    dynamodb: Any
    ecr: Any
    table: str
    namespace: str
    repositories: Mapping[str, str]

    @classmethod
    def connect(cls, containers: Collection[str], environment: Mapping[str, str]) -> Watch:
        prefix = environment["REPOSITORY_PREFIX"]
        return cls(
            boto3.client("dynamodb"),
            boto3.client("ecr"),
            environment["RELEASES_TABLE"],
            environment["METRIC_NAMESPACE"],
            {name: f"{prefix}{name}" for name in containers},
        )

    def look(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A report of findings is read; what a schedule sends is not one (its detail is empty)."""
        if event.get("source") == "aws.events":
            return self.rescan()
        return self.report(event)

    def report(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Whether the image of a report is live, and then its findings as a metric."""
        report = read_report(event)
        containers = [name for name, each in self.repositories.items() if each == report.repository]
        live = [name for name in containers if self._live(name) == report.digest]
        if live and report.critical:
            _emit(self.namespace, live[0], report.critical, report.said)
        return {"live": live, **report._asdict()}

    def rescan(self) -> dict[str, Any]:
        """Container → what came of asking for a scan of what is live."""
        digests = {name: self._live(name) for name in self.repositories}
        return {name: self._scan(name, digest) for name, digest in digests.items() if digest}

    def _live(self, container: str) -> str | None:
        row = self.dynamodb.get_item(
            TableName=self.table, Key={"release_id": {"S": container}}, ConsistentRead=True
        ).get("Item", {})
        digest: str | None = row.get("digest", {}).get("S")
        return digest

    def _scan(self, container: str, digest: str) -> str:
        try:
            answer = self.ecr.start_image_scan(
                repositoryName=self.repositories[container], imageId={"imageDigest": digest}
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _DONE_TODAY | _CONTINUOUS:
                return str(code)
            raise
        return str(answer["imageScanStatus"]["status"])


def _emit(namespace: str, container: str, critical: int, said: str) -> None:
    """A line of CloudWatch's embedded metric format."""
    metric = {
        "Namespace": namespace,
        "Dimensions": [[]],
        "Metrics": [{"Name": METRIC, "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
        METRIC: critical,
        "container": container,
        "said": said,
    }
    print(json.dumps(line))  # noqa: T201 - this is how a metric is sent
