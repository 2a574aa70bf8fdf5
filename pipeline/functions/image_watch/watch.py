"""Count unwaived critical findings of live images, and start their next scan."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from pipeline.functions.image_watch.findings import METRIC, read_report
from pipeline.functions.release_gate.policy import Waiver, critical
from pipeline.functions.release_gate.sources import findings_of

_DONE_TODAY: Final = frozenset({"LimitExceededException"})  # ECR's limit: one basic scan a day
_CONTINUOUS: Final = frozenset({"ValidationException"})  # enhanced scanning is continuous


@dataclass(frozen=True)
class Watch:
    """The live images to watch, with boto3 clients; `repositories` is by container."""

    dynamodb: Any
    ecr: Any
    table: str
    namespace: str
    repositories: Mapping[str, str]
    waivers: Sequence[Waiver] = ()

    @classmethod
    def connect(
        cls,
        containers: Collection[str],
        waivers: Sequence[Waiver],
        environment: Mapping[str, str],
    ) -> Watch:
        prefix = environment["REPOSITORY_PREFIX"]
        return cls(
            boto3.client("dynamodb"),
            boto3.client("ecr"),
            environment["RELEASES_TABLE"],
            environment["METRIC_NAMESPACE"],
            {name: f"{prefix}{name}" for name in containers},
            waivers,
        )

    def look(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a findings report, or scan all live images if the event comes from a schedule."""
        if event.get("source") == "aws.events":
            return self.look_at_all()
        return self.report(event)

    def report(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the critical findings of the reported image, by container, if it is live."""
        report = read_report(event)
        containers = [name for name, each in self.repositories.items() if each == report.repository]
        live = [name for name in containers if self._live(name) == report.digest]
        return {name: self._count(name, report.digest) for name in live}

    def look_at_all(self) -> dict[str, Any]:
        """Return each container's critical findings today and the status of its next scan."""
        digests = {name: self._live(name) for name in self.repositories}
        return {
            name: {"critical": self._count(name, digest), "scan": self._scan(name, digest)}
            for name, digest in digests.items()
            if digest
        }

    def _count(self, container: str, digest: str) -> tuple[str, ...]:
        """Return the critical findings; emit the metric on every check while there are any."""
        found = findings_of(self.ecr, self.repositories[container], digest)
        waivers = [each for each in self.waivers if each.container == container]
        names = critical(found, waivers, today=datetime.now(UTC).date())
        if names:
            _emit(self.namespace, container, names)
        return names

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


def _emit(namespace: str, container: str, names: Sequence[str]) -> None:
    """Print a metric in CloudWatch's embedded metric format."""
    metric = {
        "Namespace": namespace,
        "Dimensions": [[]],
        "Metrics": [{"Name": METRIC, "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
        METRIC: len(names),
        "container": container,
        "said": ", ".join(names),
    }
    print(json.dumps(line))  # noqa: T201 - this is how a metric is sent
