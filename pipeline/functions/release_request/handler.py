"""ReadRequest: read a release from the execution's input, and compute when its claim ends."""

from __future__ import annotations

import functools
import time
from dataclasses import asdict
from typing import Any

import boto3

from pipeline.functions.declared import manifests
from pipeline.functions.release_request.contract import ReadRequest
from pipeline.functions.release_request.reading import Reader


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a ReadRequest from the event and return a RequestRead, both as JSON."""
    return asdict(_reader().read(ReadRequest(**event), now=int(time.time())))


@functools.cache
def _reader() -> Reader:
    return Reader(boto3.client("codebuild"), manifests())
