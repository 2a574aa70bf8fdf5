"""Executions of the products' state machines: read, listed, and started once."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from pydantic import JsonValue

from pipeline.artifacts import Location
from pipeline.declared.products import Product
from pipeline.operations.site import Site
from pipeline.outcomes import HANDED_OVER, Failure, failure_in, verdict_of

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)  # stands for a start that is not known
EXECUTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_DIGEST_LENGTH: Final = 24


@dataclass(frozen=True)
class Execution:
    """An execution. `error` and `cause` are None unless it failed."""

    arn: str
    status: str
    input: Any
    output: Any
    error: str | None
    cause: str | None
    task_ms: Mapping[str, float] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def source(self) -> Location | None:
        return source_of(self.input)

    @property
    def key(self) -> str:
        """The key of the object it processes; empty if its input names none."""
        return self.source.key if self.source else ""

    @property
    def forced(self) -> bool:
        return isinstance(self.input, dict) and self.input.get("force") is True

    @property
    def verdict(self) -> str:
        """DONE, DUPLICATE, QUARANTINED, HANDED_OVER, or the status of any other failure."""
        return verdict_of(self.status, self.error, self.output)

    @property
    def handed_to(self) -> str | None:
        """Return the ARN of the execution that this one was handed over to, if it was."""
        handed = not self.running and self.verdict == HANDED_OVER
        return str(self.output["execution"]) if handed else None

    @cached_property
    def reason(self) -> str:
        """The error in one line: its name, what is wrong, what to do.

        An execution that a request stopped may have neither error nor cause.
        """
        if not self.error and not self.cause:
            return "stopped before it finished" if self.status == "ABORTED" else ""
        return in_one_line(failure_in(self.error or "", self.cause or ""))


def in_one_line(failure: Failure) -> str:
    return f"{failure.name}: {sentences(failure.message, *failure.hint.splitlines())}"


def sentences(*parts: str) -> str:
    """Join texts, such as a message and its hint, with full stops where they lack one."""
    texts = [text for text in parts if text]
    ended = [text if text.endswith((".", "?", "!")) else f"{text}." for text in texts[:-1]]
    return " ".join([*ended, *texts[-1:]])


def source_of(execution_input: Any) -> Location | None:  # noqa: ANN401 - JSON
    """Return the object that an S3 event or a typed input names; None if it names none."""
    match execution_input:
        case {"detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **rest}}}:
            return Location(bucket, key, _text(rest.get("version-id")))
        case {"bucket": str(bucket), "key": str(key), **rest}:
            return Location(bucket, key, _text(rest.get("version_id")))
        case _:
            return None


def names_version(execution_input: Any) -> bool:  # noqa: ANN401 - JSON
    """Return True if a user named the version to process; an S3 event follows the latest one."""
    return isinstance(execution_input, dict) and execution_input.get("version_id") is not None


def typed_input(recorded: Any, **changes: JsonValue) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a recorded input with `changes`.

    An S3 event cannot have them: it becomes a typed input for the latest version of its object.
    """
    if isinstance(recorded, dict) and "detail-type" not in recorded:
        return {**recorded, **changes}
    source = source_of(recorded)
    return {**({} if source is None else {"bucket": source.bucket, "key": source.key}), **changes}


def read_execution(states: Any, arn: str) -> Execution:  # noqa: ANN401
    """Read one execution without its history.

    Raises ExecutionDoesNotExist for one that never was or that Step Functions has deleted.
    """
    told = states.describe_execution(executionArn=arn)
    return Execution(
        arn=arn,
        status=told["status"],
        input=json.loads(told["input"]),
        output=json.loads(told.get("output") or "{}"),
        error=told.get("error"),
        cause=told.get("cause"),
        started=told["startDate"],
        ended=told.get("stopDate"),
    )


def find_execution(site: Site, arn: str) -> Execution | None:
    """Read one execution; None if it never existed or Step Functions has deleted it."""
    states = site.client("stepfunctions")
    try:
        return read_execution(states, arn)
    except (states.exceptions.ExecutionDoesNotExist, states.exceptions.InvalidArn):
        return None


def find_processing(site: Site, arns: Iterable[str]) -> Execution | None:
    """Read the first of these executions that exists, or the one that it was handed over to.

    What is handed over is processed there: its content is that product's.
    """
    found = next(filter(None, (find_execution(site, arn) for arn in arns)), None)
    if found and found.handed_to:
        return find_execution(site, found.handed_to) or found
    return found


def executions_since(
    site: Site, since: datetime, products: Iterable[Product]
) -> Iterator[Execution]:
    """Read every execution of these products that started since then: by product, newest first."""
    for product in products:
        yield from _started_since(site, site.machine_arn(product.machine), since)


def _started_since(site: Site, machine_arn: str, since: datetime) -> Iterator[Execution]:
    """Read a machine's executions; none if the stage does not have the machine yet."""
    states = site.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
    try:
        for page in pages:
            for row in page["executions"]:
                if row["startDate"] < since:
                    return
                yield read_execution(states, row["executionArn"])
    except states.exceptions.StateMachineDoesNotExist:
        return


def start_once(site: Site, machine: str, execution_input: JsonValue, *, why: str) -> str:
    """Start a state machine, unless it was started before with the same input and reason `why`.

    Returns the ARN. The execution's name is derived from input and reason, so a second call
    returns the same execution, running or ended.
    """
    name = _named(why, execution_input)
    started = _start(site, machine, name, execution_input)
    return started or site.names.execution_arn(machine, name)


def start_after(
    site: Site, machine: str, execution_input: JsonValue, *, why: str, before: str
) -> str:
    """Start the execution that follows `before`, an ARN, with this input.

    Returns the ARN. A second call returns the same execution while it runs; once it has ended, the
    call starts its follower.
    """
    name = _named(why, execution_input, before)
    if started := _start(site, machine, name, execution_input):
        return started
    follower = site.names.execution_arn(machine, name)
    if read_execution(site.client("stepfunctions"), follower).running:
        return follower
    return start_after(site, machine, execution_input, why=why, before=follower)


def find_started(
    site: Site, machine: str, names: Iterable[str], *, since: datetime
) -> Execution | None:
    """Return the first execution with one of these names that was started since then."""
    found = (find_execution(site, site.names.execution_arn(machine, name)) for name in names)
    return next((each for each in found if each and (each.started or LONG_AGO) >= since), None)


def start_new(
    site: Site, machine: str, execution_input: JsonValue, *, why: str, digest: str | None = None
) -> str:
    """Start a state machine whatever was started before; return the ARN.

    With a digest, which names the execution, it is started once.
    """
    name = new_name(why, digest or secrets.token_hex())
    started = _start(site, machine, name, execution_input)
    return started or site.names.execution_arn(machine, name)


def start_named(site: Site, machine: str, name: str, execution_input: JsonValue) -> None:
    """Start a state machine under this name, unless an execution of it has had that name."""
    _start(site, machine, name, execution_input)


def new_name(why: str, digest: str) -> str:
    return f"{why}-{digest[:_DIGEST_LENGTH]}"


def stop(site: Site, arn: str, *, error: str, cause: str) -> None:
    """Stop an execution, which then fails with this error; one that has ended stays as it is."""
    site.client("stepfunctions").stop_execution(executionArn=arn, error=error, cause=cause)


def _named(why: str, execution_input: JsonValue, before: str = "") -> str:
    content = json.dumps(execution_input, sort_keys=True)
    return new_name(why, hashlib.sha256(f"{before}\n{content}".encode()).hexdigest())


def _start(site: Site, machine: str, name: str, execution_input: JsonValue) -> str | None:
    """Start an execution and return its ARN; None if one of that name existed before."""
    states = site.client("stepfunctions")
    try:
        started = states.start_execution(
            stateMachineArn=site.names.machine_arn(machine),
            name=name,
            input=json.dumps(execution_input, sort_keys=True),
        )
    except states.exceptions.ExecutionAlreadyExists:
        return None
    return str(started["executionArn"])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
