"""Which image an event of ECR's or Inspector's is about: pure, over either shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

METRIC: Final = "critical-findings"


class Report(NamedTuple):
    """Something was found in an image; of a repository such as `matteline/edge-refiner`."""

    repository: str
    digest: str


def read_report(event: Mapping[str, Any]) -> Report:
    """ValueError for an event of any other kind."""
    match event:
        case {"source": "aws.ecr", "detail": detail}:
            return Report(detail["repository-name"], detail["image-digest"])
        case {"source": "aws.inspector2", "detail": detail}:
            (resource, *_) = detail["resources"]
            image = resource["details"]["awsEcrContainerImage"]
            return Report(image["repositoryName"], image["imageHash"])
        case _:
            raise ValueError(f"no report of findings: source {event.get('source')!r}")
