"""Read the image that an ECR or Inspector findings event is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

METRIC: Final = "critical-findings"


class Report(NamedTuple):
    """An image with a new finding; `repository` is a name such as `matteline/edge-refiner`."""

    repository: str
    digest: str


def read_report(event: Mapping[str, Any]) -> Report:
    """Read an ECR or Inspector event. Raises ValueError for any other."""
    match event:
        case {"source": "aws.ecr", "detail": detail}:
            return Report(detail["repository-name"], detail["image-digest"])
        case {"source": "aws.inspector2", "detail": detail}:
            (resource, *_) = detail["resources"]
            image = resource["details"]["awsEcrContainerImage"]
            return Report(image["repositoryName"], image["imageHash"])
        case _:
            raise ValueError(f"not a findings event: source {event.get('source')!r}")
