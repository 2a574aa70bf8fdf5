"""ReadReason: explain in words why an update of a container's stack failed."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

import boto3

from pipeline.functions.release_reason.contract import ReadReason
from pipeline.functions.release_reason.reason import Reasons


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a ReadReason from the event and return a ReasonRead, both as JSON."""
    return asdict(_reasons().read(ReadReason(**event)))


@functools.cache
def _reasons() -> Reasons:
    return Reasons(boto3.client("cloudformation"), boto3.client("s3"))
