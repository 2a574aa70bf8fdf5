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

from pipeline.declared.names import gpu_tag
from pipeline.functions.image_watch.findings import METRIC, read_report
from pipeline.functions.release_gate.policy import Waiver, critical
from pipeline.functions.release_gate.sources import findings_of

_DONE_TODAY: Final = frozenset({"LimitExceededException"})  # ECR's limit: one basic scan a day
_CONTINUOUS: Final = frozenset({"ValidationException"})  # enhanced scanning is continuous


@dataclass(frozen=True)
class Watch:
    """The live images to watch, with boto3 clients; `repositories` is by container.

    The GPU images of the live versions of `with_gpu_image` are live too.
    """

    dynamodb: Any
    ecr: Any
    table: str
    namespace: str
    repositories: Mapping[str, str]
    waivers: Sequence[Waiver] = ()
    with_gpu_image: Collection[str] = ()

    @classmethod
    def connect(
        cls,
        manifests: Mapping[str, Mapping[str, Any]],
        waivers: Sequence[Waiver],
        environment: Mapping[str, str],
    ) -> Watch:
        prefix = environment["REPOSITORY_PREFIX"]
        return cls(
            boto3.client("dynamodb"),
            boto3.client("ecr"),
            environment["RELEASES_TABLE"],
            environment["METRIC_NAMESPACE"],
            {name: f"{prefix}{name}" for name in manifests},
            waivers,
            _with_gpu_image(manifests) if environment["BATCH"] == "gpu" else (),
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
        live = [name for name in containers if report.digest in self._live(name).values()]
        return {name: self._count(name, report.digest) for name in live}

    def look_at_all(self) -> dict[str, Any]:
        """Return each live image's critical findings today and the status of its next scan."""
        return {
            image: {"critical": self._count(name, digest), "scan": self._scan(name, digest)}
            for name in self.repositories
            for image, digest in self._live(name).items()
        }

    def _count(self, container: str, digest: str) -> tuple[str, ...]:
        """Return the critical findings; emit the metric on every check while there are any."""
        found = findings_of(self.ecr, self.repositories[container], digest)
        waivers = [each for each in self.waivers if each.container == container]
        names = critical(found, waivers, today=datetime.now(UTC).date())
        if names:
            _emit(self.namespace, container, names)
        return names

    def _live(self, container: str) -> dict[str, str]:
        """Return the digests of a container's live images: its own, and its GPU image's."""
        row = self.dynamodb.get_item(
            TableName=self.table, Key={"release_id": {"S": container}}, ConsistentRead=True
        ).get("Item", {})
        if "digest" not in row:
            return {}
        live = {container: row["digest"]["S"]}
        if container not in self.with_gpu_image:
            return live
        tag = gpu_tag(row["live"]["S"])
        found = self.ecr.batch_get_image(
            repositoryName=self.repositories[container], imageIds=[{"imageTag": tag}]
        )["images"]
        return {**live, **{gpu_tag(container): each["imageId"]["imageDigest"] for each in found}}

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


def _with_gpu_image(manifests: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(
        name for name, each in manifests.items() if each.get("batch", {}).get("gpu", False)
    )


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
