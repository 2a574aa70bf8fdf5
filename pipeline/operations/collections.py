"""Ask for actions of collections, and ask the vector index itself what only reads.

What changes a collection is an execution of the state machine `collection`, under a name that the
caller chooses: asked for again under that name, it is started once. Searches and descriptions are
answered by the function at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic.dataclasses import dataclass as checked_dataclass

from pipeline.contracts.collection import (
    AllowedChanged,
    Collection,
    CollectionCreated,
    CollectionDeleted,
    CollectionsDescribed,
    Compacted,
    DescribeCollections,
    Exported,
    Forgotten,
    Moved,
    Person,
    Similarity,
)
from pipeline.contracts.collection_enrolments import Enrolled
from pipeline.contracts.collection_requests import Request
from pipeline.contracts.collection_runs import PrefixEnrolled
from pipeline.contracts.collection_searches import (
    ListSearches,
    Neighbours,
    RecordQuery,
    Search,
    Searched,
    SearchesListed,
    SearchVectors,
)
from pipeline.contracts.contract import Result
from pipeline.errors import CollectionMissing
from pipeline.operations.executions import Execution, find_execution, start_named
from pipeline.operations.invoking import invoke
from pipeline.operations.site import Site
from pipeline.outcomes import Failure, failure_in

MACHINE: Final = "collection"
CONTAINER: Final = "vector-index"
_POLL_S: Final = 1.0
_STARTING_S: Final = 10  # DescribeExecution may not know a new execution yet
_RESULTS: Final[dict[str, type[Result]]] = {
    "create": CollectionCreated,
    "allow": AllowedChanged,
    "enroll": Enrolled,  # or PrefixEnrolled
    "forget": Forgotten,
    "compact": Compacted,
    "export": Exported,
    "move": Moved,
    "delete": CollectionDeleted,
}


@dataclass(frozen=True)
class Action:
    """How far an action is: neither a result nor a failure while it runs."""

    id: str
    action: str
    collection: str
    result: Result | None = None
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        return self.result is not None or self.failure is not None


def operator_of(site: Site) -> str:
    """Return who asks with the operator's own AWS settings: the identity that AWS knows."""
    if site.local:
        return "operator"
    return str(site.client("sts").get_caller_identity()["Arn"])


def new_action(request: Request) -> str:
    """Return a new name for the execution of a request."""
    return f"{request.action}-{secrets.token_hex(12)}"


def start_action(site: Site, request: Request, *, asked_by: str, name: str) -> None:
    """Start an action under a name, unless it was started under that name before."""
    asked = request.model_dump(mode="json", exclude_none=True)
    start_named(site, MACHINE, name, {**asked, "asked_by": asked_by})


def find_action(site: Site, name: str) -> Action | None:
    """Return how far the action of this name is; None if there is none."""
    execution = find_execution(site, site.names.execution_arn(MACHINE, name))
    return None if execution is None else _read(execution)


def await_action(site: Site, name: str, *, timeout_s: float) -> Action | None:
    """Return the action once it has ended, or as it is after `timeout_s`; None if there is none."""
    begun = time.monotonic()
    while True:
        action = find_action(site, name)
        passed = time.monotonic() - begun
        if action.ended if action else passed >= _STARTING_S:
            return action
        if passed >= timeout_s:
            return action
        time.sleep(min(_POLL_S, timeout_s - passed))


def _read(execution: Execution) -> Action:
    asked = execution.input
    action = Action(execution.name, str(asked.get("action")), str(asked.get("collection")))
    if execution.running:
        return action
    if execution.status == "SUCCEEDED":
        told = execution.output["result"]
        kind = PrefixEnrolled if "counts" in told else _RESULTS[action.action]
        result = kind.model_validate(told)
        return Action(action.id, action.action, action.collection, result=result)
    failure = failure_in(execution.error or execution.status, execution.cause or "")
    return Action(action.id, action.action, action.collection, failure=failure)


def describe_collections(
    site: Site, *, asked_by: str, searcher: str | None = None
) -> tuple[Collection, ...]:
    """Return every collection by name, or those that a searcher may search.

    Raises as `invoke` does.
    """
    job = DescribeCollections(**_common(site, asked_by), action="describe", searcher=searcher)
    answer = invoke(site, CONTAINER, job)
    return CollectionsDescribed.model_validate_json(answer).collections


def describe_collection(
    site: Site, name: str, *, asked_by: str, searcher: str | None = None
) -> Collection:
    """Return one collection.

    Raises CollectionMissing, also for one that the searcher may not search, and as `invoke` does.
    """
    job = DescribeCollections(
        **_common(site, asked_by), action="describe", collection=name, searcher=searcher
    )
    answer = invoke(site, CONTAINER, job)
    found = CollectionsDescribed.model_validate_json(answer).collections
    if not found:
        raise CollectionMissing(f"there is no collection {name}")
    return found[0]


@checked_dataclass(frozen=True)
class Wanted:
    """What a search is for: the most matches of a face, and which count."""

    k: Neighbours = 20
    threshold: Similarity | None = None
    person: Person | None = None


def search_collection(  # noqa: PLR0913 - one for each fact
    site: Site,
    name: str,
    query: RecordQuery,
    wanted: Wanted,
    *,
    asked_by: str,
    searcher: str | None = None,
) -> Searched:
    """Find the vectors of a collection that are most like a photo's faces.

    Raises CollectionMissing, also for one that the searcher may not search, and as `invoke` does.
    """
    job = SearchVectors(
        **_common(site, asked_by),
        action="search",
        scope="collection",
        collection=name,
        output_bucket=site.names.bucket("output"),
        query=query,
        k=wanted.k,
        threshold=wanted.threshold,
        person=wanted.person,
        searcher=searcher,
    )
    return Searched.model_validate_json(invoke(site, CONTAINER, job))


def search_records(
    site: Site, among: Iterable[str], query: RecordQuery, wanted: Wanted, *, asked_by: str
) -> Searched:
    """Find the faces of other photos, by their output records, that are most like a photo's.

    Nothing is kept but the record of the search. Raises as `invoke`.
    """
    job = SearchVectors(
        **_common(site, asked_by),
        action="search",
        scope="job",
        output_bucket=site.names.bucket("output"),
        query=query,
        among=tuple(among),
        k=wanted.k,
        threshold=wanted.threshold,
        person=wanted.person,
    )
    return Searched.model_validate_json(invoke(site, CONTAINER, job))


def list_searches(
    site: Site, name: str, since: datetime, *, limit: int, asked_by: str
) -> tuple[Search, ...]:
    """Return who searched a collection since then, latest first. Raises as `invoke`."""
    job = ListSearches(
        **_common(site, asked_by), action="searches", collection=name, since=since, limit=limit
    )
    return SearchesListed.model_validate_json(invoke(site, CONTAINER, job)).searches


def _common(site: Site, asked_by: str) -> dict[str, Any]:
    """Return what every job has. A call of the function has a name as an execution has."""
    return {
        "schema_version": 1,
        "execution": f"asked-{secrets.token_hex(12)}",
        "asked_by": asked_by,
        "asked_at": datetime.now(UTC),
        "collections_bucket": site.names.bucket("collections"),
        "vector_bucket": site.names.vector_bucket("collections"),
    }
