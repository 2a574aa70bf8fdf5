"""Executions that are started once, however often somebody asks for them."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from pydantic import JsonValue

from pipeline.operations.site import Site

_DIGEST_LENGTH: Final = 24


def start_once(site: Site, execution_input: JsonValue, *, why: str, instead_of: str = "") -> str:
    """The ARN of the execution with this input that is started for this reason.

    Its name is made of both: who asks again gets the first one's, ended or not.
    """
    content = json.dumps(execution_input, sort_keys=True)
    digest = hashlib.sha256(f"{instead_of}\n{content}".encode()).hexdigest()
    name = f"{why}-{digest[:_DIGEST_LENGTH]}"
    states = site.client("stepfunctions")
    try:
        started = states.start_execution(
            stateMachineArn=site.names.machine_arn("cutout"), name=name, input=content
        )
    except states.exceptions.ExecutionAlreadyExists:
        return site.names.execution_arn("cutout", name)
    return str(started["executionArn"])
