"""ReadRequest: what is to be released, and until when that keeps others from releasing it."""

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
    """RequestRead, as JSON."""
    return asdict(_reader().read(ReadRequest(**event), now=int(time.time())))


@functools.cache
def _reader() -> Reader:
    return Reader(boto3.client("codebuild"), frozenset(manifests()))
