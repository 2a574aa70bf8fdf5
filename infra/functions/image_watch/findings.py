"""What ECR's and Inspector's events say of an image: pure, over either shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

METRIC: Final = "critical-findings"


class Report(NamedTuple):
    """So many critical findings in an image; of a repository such as `matteline/edge-refiner`."""

    repository: str
    digest: str
    critical: int
    said: str


def read_report(event: Mapping[str, Any]) -> Report:
    """ValueError for an event of any other kind."""
    match event:
        case {"source": "aws.ecr", "detail": detail}:
            critical = int(detail.get("finding-severity-counts", {}).get("CRITICAL", 0))
            said = f"a scan found {critical} critical findings"
            return Report(detail["repository-name"], detail["image-digest"], critical, said)
        case {"source": "aws.inspector2", "detail": detail}:
            (resource, *_) = detail["resources"]
            image = resource["details"]["awsEcrContainerImage"]
            critical = int(detail["severity"] == "CRITICAL" and detail["status"] == "ACTIVE")
            return Report(
                image["repositoryName"], image["imageHash"], critical, str(detail["title"])
            )
        case _:
            raise ValueError(f"no report of findings: source {event.get('source')!r}")
