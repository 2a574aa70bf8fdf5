"""Select a photo's subject by clicks: prepare the photo once, then ask the model about each click.

A selection needs no row: it is the execution of `prepare-selection` that has its id as its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue

from pipeline.artifacts import Location
from pipeline.contracts.selection import PreparedSelection, SelectSubject, SubjectSelected
from pipeline.declared.models import ModelRow
from pipeline.operations.executions import find_execution, start_named
from pipeline.operations.invoking import invoke
from pipeline.operations.owned_ids import made_at, new_id
from pipeline.operations.site import Site
from pipeline.outcomes import Failure, failure_in
from pipeline.photo.prompts import SubjectPrompt

MACHINE: Final = "prepare-selection"
LASTS: Final = timedelta(hours=24)  # far below the 15 days of the work bucket
_STARTING: Final = timedelta(seconds=10)  # DescribeExecution may not know a new execution yet


@dataclass(frozen=True)
class Selection:
    """A selection that a caller has begun."""

    id: str
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.made_at + LASTS

    @property
    def expired(self) -> bool:
        return datetime.now(UTC) >= self.expires_at


@dataclass(frozen=True)
class Preparation:
    """How far the preparation of a photo is: prepared, failed, or neither yet."""

    prepared: PreparedSelection | None = None
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        return self.prepared is not None or self.failure is not None


def new_selection(prefix: str, now: datetime) -> Selection:
    """Return a selection with a new id; `now` is cut to whole seconds."""
    made = now.replace(microsecond=0)
    return Selection(new_id(_owner(prefix), made), made)


def read_selection(written: str, prefix: str) -> Selection | None:
    """Return the selection with this id; None for any text that was not made for this prefix."""
    made = made_at(written, _owner(prefix))
    return Selection(written, made) if made else None


def _owner(prefix: str) -> str:
    """Return whose id it is: no id of an upload is one of a selection."""
    return f"selection {prefix}"


def prepare(site: Site, selection: Selection, place: Location, model: str) -> None:
    """Start the preparation of the latest object at `place` for a model that takes prompts."""
    given: JsonValue = {"bucket": place.bucket, "key": place.key, "options": {"model": model}}
    start_named(site, MACHINE, selection.id, given)


def find_preparation(site: Site, selection: Selection) -> Preparation | None:
    """Return how far a selection is; None if nothing was begun under its id."""
    execution = find_execution(site, site.names.execution_arn(MACHINE, selection.id))
    if execution is None:
        is_new = datetime.now(UTC) < selection.made_at + _STARTING
        return Preparation() if is_new else None
    if execution.running:
        return Preparation()
    if execution.status == "SUCCEEDED":
        return Preparation(prepared=PreparedSelection.model_validate(execution.output))
    failure = failure_in(execution.error or execution.status, execution.cause or "")
    return Preparation(failure=failure)


def select_subject(
    site: Site,
    row: ModelRow,
    prepared: PreparedSelection,
    prompt: SubjectPrompt,
    previous: str | None,
) -> SubjectSelected:
    """Have the row's function answer a prompt, which is in pixels of the photo.

    Raises the function's own named error, FunctionBusy or FunctionBroken.
    """
    job = SelectSubject(
        schema_version=1,
        model=prepared.model,
        models_bucket=site.names.bucket("models"),
        weights_key=prepared.weights_key,
        embedding=prepared.embedding,
        width=prepared.source.width,
        height=prepared.source.height,
        prompt=prompt,
        previous=previous,
    )
    answer = invoke(site, row.container, job, model=row.name)
    return SubjectSelected.model_validate_json(answer)
