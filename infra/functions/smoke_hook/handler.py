"""BeforeAllowTraffic: no photo meets a version that has not answered its golden event."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import boto3
from botocore.config import Config

from infra.functions.declared import ROOT
from infra.functions.smoke_hook.services import Services
from infra.functions.smoke_hook.smoke import Places, SmokeTest

# An invocation is never repeated: a second one would only be as slow as the first.
_PATIENT: Final = Config(read_timeout=880, retries={"total_max_attempts": 1})


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The verdict, as JSON; CodeDeploy has been told it by then."""
    return asdict(_smoke_test().run(event))


@functools.cache
def _smoke_test() -> SmokeTest:
    services = Services(
        boto3.client("codedeploy"),
        boto3.client("cloudformation"),
        boto3.client("lambda", config=_PATIENT),
        boto3.client("s3"),
    )
    return SmokeTest(services, _places(os.environ))


def _places(environment: Mapping[str, str]) -> Places:
    return Places(
        root=ROOT,
        function_prefix=environment["FUNCTION_PREFIX"],
        stack_prefix=environment["FUNCTION_STACK_PREFIX"],
        work_bucket=environment["WORK_BUCKET"],
        models_bucket=environment["MODELS_BUCKET"],
        evidence_bucket=environment["EVIDENCE_BUCKET"],
    )
