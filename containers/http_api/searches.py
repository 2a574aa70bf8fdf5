"""Searches: find the faces of a job in a collection, or among other jobs; list who searched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from containers.http_api.collection_views import (
    SearchAnswer,
    SearchRecords,
    describe_record,
    describe_search,
)
from containers.http_api.current import Current
from containers.http_api.cursors import Limit
from containers.http_api.errors import InvalidRequest, WrongFields
from containers.http_api.rights import (
    answering,
    find_collection,
    hiding,
    require_operator,
    searcher_of,
)
from containers.http_api.times import Since
from containers.http_api.vectors import Face, vectors_of
from pipeline.contracts import collection as contracts
from pipeline.contracts.collection_searches import Neighbours, RecordQuery
from pipeline.errors import InvalidOptions
from pipeline.operations import collections as operations

_LOOKED_UP_AT_ONCE: Final = 8  # jobs: each takes a row and a record
_LATELY: Final = timedelta(days=30)

_JobId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class NewSearch(BaseModel):
    """Which faces to look for: those of a job of `faces` with the option `embed`, or one of them.

    At most `k` matches of each are answered, with a similarity of at least `threshold`; without
    one, what the collection's model calls the same. `person` looks among one person's faces.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: _JobId
    face: Face | None = None
    k: Neighbours = 20
    threshold: contracts.Similarity | None = None
    person: contracts.Person | None = None


class NewJobSearch(BaseModel):
    """Which faces to look for, and in which other jobs of the caller. Nothing is enrolled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: _JobId
    among: Annotated[tuple[_JobId, ...], Field(min_length=1, max_length=contracts.MOST_RECORDS)]
    face: Face | None = None
    k: Neighbours = 20
    threshold: contracts.Similarity | None = None


def add_searches(api: APIGatewayHttpResolver, current: Current) -> None:
    desk = _Desk(current)

    @api.post(
        "/collections/<name>/searches",
        operation_id="searchCollection",
        summary="Find the faces of a job in a collection.",
        tags=["Collections"],
        response_description="What is most like each face",
    )
    def search_collection(name: str, search: NewSearch) -> SearchAnswer:
        return desk.search(name, search)

    @api.get(
        "/collections/<name>/searches",
        operation_id="listSearches",
        summary="List who searched a collection (operators).",
        tags=["Collections"],
        response_description="The latest searches",
    )
    def list_searches(
        name: str,
        since: Annotated[Since | None, Query()] = None,
        limit: Limit = 50,
    ) -> SearchRecords:
        return desk.listed(name, since, limit)

    @api.post(
        "/searches",
        operation_id="searchJobs",
        summary="Find the faces of a job among those of other jobs.",
        tags=["Collections"],
        response_description="What is most like each face",
    )
    def search_jobs(search: NewJobSearch) -> SearchAnswer:
        return desk.search_jobs(search)


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request."""

    current: Current

    def search(self, name: str, asked: NewSearch) -> SearchAnswer:
        asker = self.current.principal
        wanted = operations.Wanted(asked.k, asked.threshold, asked.person)
        with hiding(name):
            query = self._query(asked)
            self.current.spend(searches=1)
            with _choosing(), answering():
                found = operations.search_collection(
                    self.current.site,
                    name,
                    query,
                    wanted,
                    asked_by=asker.name,
                    searcher=searcher_of(asker),
                )
        return describe_search(found)

    def search_jobs(self, asked: NewJobSearch) -> SearchAnswer:
        query = self._query(asked)
        names = list(dict.fromkeys(asked.among))
        fields = [f"body.among.{asked.among.index(each)}" for each in names]
        with ThreadPoolExecutor(_LOOKED_UP_AT_ONCE) as pool:
            among = list(pool.map(self._among, names, fields))
        self.current.spend(searches=1)
        wanted, asked_by = operations.Wanted(asked.k, asked.threshold), self.current.principal.name
        with _choosing(), answering():
            found = operations.search_records(
                self.current.site, dict.fromkeys(among), query, wanted, asked_by=asked_by
            )
        return describe_search(found)

    def listed(self, name: str, since: datetime | None, limit: int) -> SearchRecords:
        require_operator(self.current, name)
        collection, asked_by = find_collection(self.current, name), self.current.principal.name
        after = since or datetime.now(UTC) - _LATELY
        with answering():
            found = operations.list_searches(
                self.current.site, collection.name, after, limit=limit, asked_by=asked_by
            )
        return SearchRecords(items=tuple(map(describe_record, found)))

    def _query(self, asked: NewSearch | NewJobSearch) -> RecordQuery:
        record = vectors_of(self.current, asked.job_id, "body.job_id")
        return RecordQuery(record=record, face=asked.face)

    def _among(self, name: str, field: str) -> str:
        return vectors_of(self.current, name, field, may_be_empty=True)


@contextmanager
def _choosing() -> Iterator[None]:
    """Raise WrongFields for a threshold below what the caller may ask, or for a wrong face.

    A face is wrong if it has no vector; and one has to be chosen if there are too many.
    """
    try:
        yield
    except InvalidOptions as error:
        field = "threshold" if error.message.startswith("threshold:") else "face"
        raise WrongFields.one(InvalidRequest(error.message), f"body.{field}") from error
