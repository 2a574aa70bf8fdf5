"""Try a model's function on AWS with other memory sizes, in temporary versions of it.

The alias `live` stays as it is. All versions are published first, and then the function gets its
memory back: a deployment that begins while they are called publishes what it should.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Final

from botocore.exceptions import ClientError, ReadTimeoutError

from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsNotStaged
from pipeline.golden import Golden, Row, Run
from pipeline.operations.releasing import MACHINE
from pipeline.operations.site import Site
from pipeline.operations.tuning import OUT_OF_MEMORY, Size, price

MARK: Final = "matteline models tune: temporary"
_PATIENCE: Final = {"Delay": 2, "MaxAttempts": 300}
_REFUSED: Final = "InvalidParameterValueException"
_MISSING: Final = "ResourceNotFoundException"
_KILLED: Final = "signal: killed"  # what Lambda does to a process that exceeds its memory
# Of the line that Lambda logs after a call.
_DURATION: Final = re.compile(r"\bDuration: ([\d.]+) ms")
_PEAK: Final = re.compile(r"Max Memory Used: (\d+) MB")
_START: Final = re.compile(r"Init Duration: ([\d.]+) ms")

Undisturbed = Callable[[], AbstractContextManager[None]]


class NotTunable(Exception):
    """A stage's function cannot be tuned now; the message says why and what to do."""


@dataclass(frozen=True)
class Subject:
    """The function of a model on a stage, with its memory and time limit."""

    site: Site
    row: ModelRow
    name: str
    memory_mb: int
    timeout_s: float


@dataclass(frozen=True)
class _Reported:
    """What a call took, as Lambda's log line says."""

    seconds: float
    peak_mb: float
    start_s: float | None
    error: str = ""


def find_subject(site: Site, row: ModelRow) -> Subject:
    """Return the model's function. Raises NotTunable without one, or while a release runs."""
    if row.compute == "batch":
        raise NotTunable(f"{row.name} runs as a job of AWS Batch, and has no function")
    if row.takes_prompts:
        raise NotTunable(f"{row.name} keeps what it saw of a photo: tune it without --stage")
    name = site.names.function(row.container, row.name)
    try:
        told = site.client("lambda").get_function_configuration(FunctionName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _MISSING:
            raise
        raise NotTunable(f"there is no function {name}: release {row.container} first") from None
    subject = Subject(site, row, name, told["MemorySize"], told["Timeout"])
    require_no_release(subject)
    return subject


def require_no_release(subject: Subject) -> None:
    """Raise NotTunable while the container is being released or its stack changes."""
    site, container = subject.site, subject.row.container
    states = site.client("stepfunctions")
    running = states.get_paginator("list_executions").paginate(
        stateMachineArn=site.machine_arn(MACHINE), statusFilter="RUNNING"
    )
    for execution in (each for page in running for each in page["executions"]):
        told = states.describe_execution(executionArn=execution["executionArn"])
        if json.loads(told["input"]).get("container") == container:
            raise NotTunable(f"{container} is being released ({execution['name']}): try later")
    stack = site.names.function_stack(container)
    (found,) = site.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    if found["StackStatus"].endswith("_IN_PROGRESS"):
        raise NotTunable(f"{stack} is {found['StackStatus']}: try again when it is done")


def most_dollars(subject: Subject, sizes: Sequence[int], *, repeats: int) -> float:
    """Return what all calls cost if each takes as long as its function may, in whole cents."""
    most = sum((repeats + 1) * price(size, subject.timeout_s) for size in sizes)
    return ceil(most * 100) / 100


def tune(  # noqa: PLR0913 - keyword-only options
    subject: Subject,
    folder: Path,
    sizes: Sequence[int],
    *,
    repeats: int,
    on_size: Callable[[Size], None],
    undisturbed: Undisturbed = nullcontext,
) -> list[Size]:
    """Return what the golden event in a container's folder takes in versions of each size.

    The temporary versions are deleted and the function has its memory back, however this ends;
    `undisturbed` keeps interrupts from that. `on_size` is told each size as it is done. Raises
    NotTunable if a release begins meanwhile, or if the weights are not staged.
    """
    tried = []
    with _temporary_versions(subject, sizes, undisturbed) as versions:
        for memory_mb, published in versions.items():
            size = Size(memory_mb, error=published.refused)
            if not published.refused:
                size = _measure(subject, folder, published, repeats=repeats)
            on_size(size)
            tried.append(size)
    return tried


@dataclass(frozen=True)
class _Published:
    """A temporary version, or why Lambda has none: an account may have less memory than others."""

    memory_mb: int
    version: str = ""
    refused: str = ""


@contextmanager
def _temporary_versions(
    subject: Subject, sizes: Sequence[int], undisturbed: Undisturbed
) -> Iterator[dict[int, _Published]]:
    """Publish a version of each size, and give the function its memory back; delete them at last.

    What a run left behind that was killed is removed first.
    """
    _remove_left(subject)
    memory_mb = _configuration(subject)["MemorySize"]
    try:
        try:
            published = {size: _publish(subject, size) for size in sizes}
        finally:
            with undisturbed():
                _resize(subject, memory_mb)
        yield published
    finally:
        with undisturbed():
            _delete_temporary(subject)


def temporary_versions(site: Site, name: str) -> list[str]:
    """Return the function's versions that tuning made."""
    pages = site.client("lambda").get_paginator("list_versions_by_function")
    return [
        each["Version"]
        for page in pages.paginate(FunctionName=name)
        for each in page["Versions"]
        if each.get("Description", "").startswith(MARK)
    ]


def _remove_left(subject: Subject) -> None:
    """Remove versions of a run that was killed; the function gets the memory of `live`."""
    if temporary_versions(subject.site, subject.name):
        _resize(subject, _configuration(subject, Qualifier="live")["MemorySize"])
        _delete_temporary(subject)


def _delete_temporary(subject: Subject) -> None:
    for version in temporary_versions(subject.site, subject.name):
        subject.site.client("lambda").delete_function(FunctionName=subject.name, Qualifier=version)


def _publish(subject: Subject, memory_mb: int) -> _Published:
    require_no_release(subject)
    functions = subject.site.client("lambda")
    try:
        _resize(subject, memory_mb)
    except ClientError as error:
        if error.response["Error"]["Code"] != _REFUSED:
            raise
        return _Published(memory_mb, refused=error.response["Error"]["Message"])
    # Lambda makes none, and returns the last one, if nothing changed since that.
    version = functions.publish_version(FunctionName=subject.name, Description=MARK)
    if version["MemorySize"] != memory_mb:
        raise NotTunable(f"{subject.name} was changed meanwhile: try again")
    functions.get_waiter("published_version_active").wait(
        FunctionName=subject.name, Qualifier=version["Version"], WaiterConfig=_PATIENCE
    )
    return _Published(memory_mb, version["Version"])


def _resize(subject: Subject, memory_mb: int) -> None:
    _wait_until_updated(subject)  # an interrupted run may have begun to change it just now
    if _configuration(subject)["MemorySize"] == memory_mb:
        return
    subject.site.client("lambda").update_function_configuration(
        FunctionName=subject.name, MemorySize=memory_mb
    )
    _wait_until_updated(subject)


def _wait_until_updated(subject: Subject) -> None:
    """Lambda refuses to change or to publish a function while an update runs."""
    subject.site.client("lambda").get_waiter("function_updated_v2").wait(
        FunctionName=subject.name, WaiterConfig=_PATIENCE
    )


def _configuration(subject: Subject, **version: str) -> dict[str, Any]:
    told: dict[str, Any] = subject.site.client("lambda").get_function_configuration(
        FunctionName=subject.name, **version
    )
    return told


def _measure(subject: Subject, folder: Path, published: _Published, *, repeats: int) -> Size:
    calls = []
    for _ in range(repeats + 1):
        call = _call(subject, folder, published)
        if call.error:
            return Size(published.memory_mb, peak_mb=call.peak_mb, error=call.error)
        calls.append(call)
    seconds = median(call.seconds for call in calls[1:])
    return Size(
        published.memory_mb,
        seconds=seconds,
        peak_mb=max(call.peak_mb for call in calls),
        start_s=calls[0].start_s,
        load_s=max(0.0, calls[0].seconds - seconds),
    )


def _call(subject: Subject, folder: Path, published: _Published) -> _Reported:
    """Call a version with the golden event, below a new prefix: there no result is kept."""
    site, row = subject.site, subject.row
    run = Run(
        site.names.bucket("work"),
        f"smoke/tune/{uuid.uuid4().hex}",
        site.names.bucket("models"),
        Row(row.name, row.engine.name, None if row.hosted else row.weights_key),
    )

    def write(bucket: str, key: str, content: bytes) -> str:
        etag: str = site.client("s3").put_object(Bucket=bucket, Key=key, Body=content)["ETag"]
        return etag.strip('"')

    golden = Golden.prepare(folder, run, write)
    try:
        answer = site.client("lambda").invoke(
            FunctionName=subject.name,
            Qualifier=published.version,
            Payload=json.dumps(dict(golden.payload)),
            LogType="Tail",
        )
    except ReadTimeoutError:
        return _Reported(0, 0, None, error="no answer in five minutes")
    log = base64.b64decode(answer["LogResult"]).decode(errors="replace")
    error = _error(answer) if "FunctionError" in answer else ""
    if error == WeightsNotStaged.__name__:
        hint = f"matteline models stage {row.name} --stage {site.names.stage}"
        raise NotTunable(f"the weights of {row.name} are not staged: run `{hint}`")
    start_ms = _figure(log, _START)
    return _Reported(
        seconds=(_figure(log, _DURATION) or 0) / 1000,
        peak_mb=_figure(log, _PEAK) or 0,
        start_s=None if start_ms is None else start_ms / 1000,
        error=error,
    )


def _error(answer: dict[str, Any]) -> str:
    """Return the name of the error that a function ended with."""
    told = json.loads(answer["Payload"].read())
    if _KILLED in told.get("errorMessage", ""):
        return OUT_OF_MEMORY
    return str(told.get("errorType", "Error"))


def _figure(log: str, pattern: re.Pattern[str]) -> float | None:
    found = pattern.search(log)
    return float(found[1]) if found else None
