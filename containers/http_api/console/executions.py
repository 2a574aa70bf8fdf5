"""Executions as the console shows them: lists, and one with its states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from containers.http_api.console.views import (
    STATUSES,
    AttemptError,
    Can,
    ExecutionDetails,
    ExecutionId,
    Executions,
    ListedExecution,
    State,
)
from containers.http_api.cursors import write_cursor
from pipeline.operations.console.listing import ListedExecution as FoundExecution
from pipeline.operations.console.listing import Listing
from pipeline.operations.console.reach import Reach
from pipeline.operations.console.reading import ReadExecution, ReadHistory
from pipeline.operations.console.shortening import shorten
from pipeline.operations.console.states import StateVisit
from pipeline.operations.redriving import REDRIVABLE
from pipeline.operations.site import Site
from pipeline.outcomes import verdict_of

_PARENT: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
MOST_STATES: Final = 1_000  # in one answer
_MOST_INPUT: Final = 65_536  # characters of an execution's input or output
_MOST_OF_STATES: Final = 3_000_000  # characters of all inputs and outputs of states
_MOST_OF_STATE: Final = 8_192  # characters of a state's input or output
_MOST_CAUSE: Final = 2_000


def describe_list(site: Site, listing: Listing) -> Executions:
    items = tuple(_listed(site, each) for each in listing.executions)
    last = listing.executions[-1].place if listing.more and listing.executions else None
    return Executions(items=items, cursor=write_cursor(last) if last else None)


def describe_execution(
    site: Site, reach: Reach, found: ReadExecution, history: ReadHistory, *, skip: int
) -> ExecutionDetails:
    """Return an execution with at most `MOST_STATES` of its states, without the first `skip`."""
    visits = history.visits[skip : skip + MOST_STATES]
    more = skip + len(visits) < len(history.visits)
    room = min(_MOST_OF_STATE, _MOST_OF_STATES // max(1, 2 * len(visits)))
    states = tuple(_state(site, visit, room) for visit in visits)
    given, output = shorten(found.given, _MOST_INPUT), shorten(found.output, _MOST_INPUT)
    whole = history.complete and not more and not any(each.shortened for each in states)
    return ExecutionDetails(
        machine=found.machine,
        name=found.name,
        trace_id=found.name,
        status=STATUSES[found.status],
        started_at=found.started,
        ended_at=found.ended,
        duration_ms=_duration(found.started, found.ended),
        input=given.value,
        output=output.value,
        error=found.error,
        cause=found.cause,
        started_by=execution_id(site, _parent(given.value)),
        can=_can(site, reach, found, history.visits),
        truncated=not whole or given.shortened or output.shortened,
        shortened=tuple(
            name for name, shown in (("input", given), ("output", output)) if shown.shortened
        ),
        states=states,
        cursor=write_cursor((skip + len(visits), 0)) if more else None,
    )


def execution_id(site: Site, arn: str | None) -> ExecutionId | None:
    """Return the execution with this ARN; None if it is not of this deployment."""
    machine = site.names.machine_of(arn) if arn else None
    return ExecutionId(machine=machine, name=str(arn).rpartition(":")[2]) if machine else None


def _listed(site: Site, found: FoundExecution) -> ListedExecution:
    product = next((each for each in site.products if each.machine == found.machine), None)
    return ListedExecution(
        machine=found.machine,
        name=found.name,
        status=STATUSES[found.status],
        started_at=found.started,
        ended_at=found.ended,
        duration_ms=_duration(found.started, found.ended),
        error=found.error,
        key=found.key,
        product=product.name if product else None,
    )


def _state(site: Site, visit: StateVisit, room: int) -> State:
    given, output = shorten(visit.given, room), shorten(visit.result, room)
    return State(
        name=visit.name,
        path="/".join(visit.path),
        type=visit.kind,
        status=visit.status,
        entered_at=visit.entered,
        ended_at=visit.left,
        duration_ms=_duration(visit.entered, visit.left),
        attempts=max(1, visit.attempts),
        errors=tuple(
            AttemptError(error=each.error, cause=each.cause[:_MOST_CAUSE], at=each.at)
            for each in visit.errors
        ),
        input=given.value,
        output=output.value,
        shortened=given.shortened or output.shortened,
        child=execution_id(site, visit.child),
    )


def _can(site: Site, reach: Reach, found: ReadExecution, visits: Sequence[StateVisit]) -> Can:
    running = found.ended is None
    caught = bool(visits) and visits[-1].kind == "Fail"
    refused = verdict_of(found.status, found.error, {"status": ""}) == "QUARANTINED"
    of_product = any(each.machine == found.machine for each in site.products)
    redrivable = found.status in REDRIVABLE and not (caught or refused or site.local)
    return Can(
        stop=running and reach.allows("StopExecution", found.machine),
        redrive=redrivable and reach.allows("RedriveExecution", found.machine),
        replay=not running and of_product,
    )


def _parent(given: Any) -> str | None:  # noqa: ANN401 - JSON
    parent = given.get(_PARENT) if isinstance(given, dict) else None
    return parent if isinstance(parent, str) else None


def _duration(started: datetime, ended: datetime | None) -> int | None:
    return round((ended - started).total_seconds() * 1000) if ended else None
