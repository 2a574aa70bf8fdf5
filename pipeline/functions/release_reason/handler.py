"""ReadReason: why the update of a container's stack did not last, in words."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

import boto3

from pipeline.functions.release_reason.contract import ReadReason
from pipeline.functions.release_reason.reason import Reasons


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """ReasonRead, as JSON."""
    return asdict(_reasons().read(ReadReason(**event)))


@functools.cache
def _reasons() -> Reasons:
    return Reasons(boto3.client("cloudformation"), boto3.client("s3"))
