"""Perform actions of collections for a user who waits, and tell failures in a line and a hint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import click
from pydantic import ValidationError

from pipeline.artifacts import Artifact, Location
from pipeline.cli.report import console
from pipeline.contracts.collection_requests import Request
from pipeline.contracts.contract import Result
from pipeline.errors import PipelineError, leaves
from pipeline.operations.collections import (
    await_action,
    new_action,
    operator_of,
    start_action,
)
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from pipeline.operations.site import Site
from pipeline.outcomes import Failure
from pipeline.session.whole_files import whole_file

_PATIENCE_S: Final = 86_400.0
_PRIVATE: Final = 0o600
_EXPECTED: Final = {
    "collection": "name of a collection: 1 to 40 lower case letters, digits and inner hyphens",
    "purpose": "purpose: write 3 to 500 characters",
    "legal_basis": "legal basis: write 3 to 500 characters",
    "person": "ID of a person: 1 to 128 characters in one line",
    "photo": "key of a photo: 1 to 1,024 characters",
}
_Checked = TypeVar("_Checked")

asker = operator_of


def perform(site: Site, request: Request, *, asked_by: str) -> Result:
    """Start an action and return its result once it has ended.

    Raises the named error that it ended with, or ClickException.
    """
    name = new_action(request)
    start_action(site, request, asked_by=asked_by, name=name)
    try:
        with console().status(f"{request.action} {request.collection} …"):
            action = await_action(site, name, timeout_s=_PATIENCE_S)
    except KeyboardInterrupt:
        click.echo(f"It goes on: `matteline jobs show {name}` says how it ended.", err=True)
        raise
    if action is None or action.result is None:
        raise_failure(action.failure if action else None, name)
    return action.result


def raise_failure(failure: Failure | None, name: str) -> NoReturn:
    """Raise the named error of a failure, or ClickException."""
    if failure is None:
        raise click.ClickException(f"{name} has not ended")
    if kind := leaves(PipelineError).get(failure.name):
        raise kind(failure.message)
    text = f"{failure.name}: {failure.message}" if failure.message else failure.name
    raise click.ClickException(f"{text}\n`matteline jobs show {name}` shows its states.")


@contextmanager
def named_answers() -> Iterator[None]:
    """Raise ClickException if the vector index is busy, or failed by no error of the pipeline."""
    try:
        yield
    except FunctionBusy as error:
        raise click.ClickException(f"the vector index is busy: {error}\nTry again.") from error
    except FunctionBroken as error:
        hint = "The logs of the function vector-index say more."
        raise click.ClickException(f"the vector index failed: {error}\n{hint}") from error


def checked(build: Callable[[], _Checked]) -> _Checked:
    """Return what `build` makes. Raises UsageError if a contract rejects a value."""
    try:
        return build()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if field in _EXPECTED:
            raise click.UsageError(f"{first['input']!r} is no {_EXPECTED[field]}") from None
        text = first["msg"].removeprefix("Value error, ")
        raise click.UsageError(f"{field}: {text}" if field else text) from None


def save(site: Site, artifact: Artifact, path: Path) -> None:
    """Write an artifact to a file for this user alone.

    Raises ClickException if it is not what its result says.
    """
    place = Location.parse(artifact.uri)
    stored = site.client("s3").get_object(Bucket=place.bucket, Key=place.key)
    content = stored["Body"].read()
    if hashlib.sha256(content).hexdigest() != artifact.sha256:
        raise click.ClickException(f"{artifact.uri} is not what was exported; export again")
    with whole_file(path) as partial:
        partial.chmod(_PRIVATE)
        partial.write_bytes(content)
