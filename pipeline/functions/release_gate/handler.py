"""JudgeImage: decide whether an image may become live, and list every problem."""

from __future__ import annotations

import functools
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import boto3

from pipeline.functions.declared import manifests
from pipeline.functions.release_gate.contract import JudgeImage
from pipeline.functions.release_gate.gate import Gate
from pipeline.functions.release_gate.policy import Limits
from pipeline.functions.release_gate.sources import Sources
from pipeline.functions.release_gate.waivers import read_waivers


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a JudgeImage from the event and return an ImageJudged, both as JSON."""
    return asdict(_gate().judge(JudgeImage(**event), today=datetime.now(UTC).date()))


@functools.cache
def _gate() -> Gate:
    sources = Sources(boto3.client("ecr"), boto3.client("s3"), boto3.client("kms"))
    limits = {name: Limits.of(manifest) for name, manifest in manifests().items()}
    return Gate(sources, limits, read_waivers())
