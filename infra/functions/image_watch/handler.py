"""An event of findings is counted if its image is live; any other event has live images scanned."""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3

from infra.functions.declared import manifests
from infra.functions.image_watch.watch import Watch, repositories


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What was seen, or what was asked for, as JSON."""
    return _watch().report(event) if "detail" in event else _watch().rescan()


@functools.cache
def _watch() -> Watch:
    return Watch(
        boto3.client("dynamodb"),
        boto3.client("ecr"),
        os.environ["RELEASES_TABLE"],
        os.environ["METRIC_NAMESPACE"],
        repositories(os.environ["REPOSITORY_PREFIX"], manifests().keys()),
    )
