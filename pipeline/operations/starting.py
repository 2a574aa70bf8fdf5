"""Executions that are started once, and not again while they run, however often somebody asks."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from pydantic import JsonValue

from pipeline.operations.executions import read_execution
from pipeline.operations.site import Site

_DIGEST_LENGTH: Final = 24


def start_once(site: Site, execution_input: JsonValue, *, why: str) -> str:
    """The ARN of the one execution with this input that is started for this reason.

    Its name is made of both: who asks again gets the first one's, ended or not.
    """
    name = _named(why, execution_input)
    started = _start(site, name, execution_input)
    return started or site.names.execution_arn("cutout", name)


def start_after(site: Site, execution_input: JsonValue, *, why: str, before: str) -> str:
    """The ARN of the execution with this input that follows the execution `before`.

    Its name is made of both: who asks again while it runs gets the same one, and who asks once it
    has ended starts the one that follows it.
    """
    name = _named(why, execution_input, before)
    if started := _start(site, name, execution_input):
        return started
    follower = site.names.execution_arn("cutout", name)
    if read_execution(site.client("stepfunctions"), follower).running:
        return follower
    return start_after(site, execution_input, why=why, before=follower)


def _named(why: str, execution_input: JsonValue, before: str = "") -> str:
    content = json.dumps(execution_input, sort_keys=True)
    digest = hashlib.sha256(f"{before}\n{content}".encode()).hexdigest()
    return f"{why}-{digest[:_DIGEST_LENGTH]}"


def _start(site: Site, name: str, execution_input: JsonValue) -> str:
    """The ARN; empty if there was one of that name before."""
    states = site.client("stepfunctions")
    try:
        started = states.start_execution(
            stateMachineArn=site.names.machine_arn("cutout"),
            name=name,
            input=json.dumps(execution_input, sort_keys=True),
        )
    except states.exceptions.ExecutionAlreadyExists:
        return ""
    return str(started["executionArn"])
