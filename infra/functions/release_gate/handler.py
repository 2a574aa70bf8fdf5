"""JudgeImage: whether an image may become live, and everything that speaks against it."""

from __future__ import annotations

import functools
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.functions.declared import ROOT, manifests, read_toml
from infra.functions.release_gate.contract import JudgeImage
from infra.functions.release_gate.gate import Gate
from infra.functions.release_gate.policy import Limits
from infra.functions.release_gate.sources import Sources
from infra.functions.release_gate.waivers import parse_waivers


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """ImageJudged, as JSON."""
    return asdict(_gate().judge(JudgeImage(**event), today=datetime.now(UTC).date()))


@functools.cache
def _gate() -> Gate:
    sources = Sources(boto3.client("ecr"), boto3.client("s3"), boto3.client("kms"))
    limits = {name: Limits.of(manifest) for name, manifest in manifests().items()}
    return Gate(sources, limits, parse_waivers(read_toml(ROOT / "infra" / "waivers.toml")))
