"""The job that searches vectors, its result, and the audit records of searches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.contracts.collection import (
    MOST_RECORDS,
    CollectionJob,
    CollectionName,
    Person,
    Similarity,
)
from pipeline.contracts.collection_enrolments import VectorsFile
from pipeline.contracts.contract import Contract, Result, no_truth_value
from pipeline.contracts.faces import Box

MOST_QUERIES: Final = 20  # faces of one photo that are looked for at once
Neighbours = Annotated[int, Field(ge=1, le=100), BeforeValidator(no_truth_value)]


class RecordQuery(Contract):
    """The faces of a photo, by its output record; `face` is one of `_faces.json`."""

    record: str
    face: int | None = None


class SearchVectors(CollectionJob):
    """Find the vectors that are most like those of a query.

    The scope `collection` searches `collection`; `job` searches the records `among`, and keeps
    nothing. At most `k` matches per query have at least `threshold`, or what the model's row calls
    the same. `person` looks among one person's vectors. For a `searcher` whom the collection does
    not allow, there is no such collection, and none may go below that similarity; operators name
    no searcher. The search is written down before it is answered: who, when, where, how many; never
    a vector.
    """

    action: Literal["search"]
    scope: Literal["collection", "job"]
    collection: CollectionName | None = None
    output_bucket: str
    query: RecordQuery | VectorsFile
    among: Annotated[tuple[str, ...], Field(max_length=MOST_RECORDS)] = ()
    k: Neighbours = 20
    threshold: Similarity | None = None
    person: Person | None = None
    searcher: str | None = None

    @model_validator(mode="after")
    def _searches_what_its_scope_says(self) -> Self:
        if (self.scope == "collection") != (self.collection is not None):
            raise ValueError("the scope `collection` needs a collection, and `job` takes none")
        if (self.scope == "job") != bool(self.among):
            raise ValueError("the scope `job` needs records to search among")
        return self


class Match(Contract):
    """A candidate, not an identity: what was enrolled, and its similarity to the query."""

    similarity: float
    person: str | None
    bucket: str
    key: str
    version_id: str | None
    subject: int
    box: Box | None
    enrolled_at: datetime | None


class Query(Contract):
    """One vector of the query: its subject (a face's index), box, and matches by similarity."""

    subject: int
    box: Box | None
    matches: tuple[Match, ...]


class Searched(Result):
    """`searched` counts the vectors that were compared; `search` is the id of its audit record."""

    collection: str | None
    threshold: float
    queries: tuple[Query, ...]
    searched: int
    search: str


class ListSearches(CollectionJob):
    """List the audit records of a collection's searches since a time, latest first."""

    action: Literal["searches"]
    collection: CollectionName
    since: datetime
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Search(Contract):
    """An audit record: who searched what, and how much was found. It never has a vector."""

    search: str
    at: datetime
    asked_by: str
    execution: str
    collection: str | None
    scope: Literal["collection", "job"]
    threshold: float
    k: int
    queries: int
    matches: int
    person_filter: bool


class SearchesListed(Result):
    searches: tuple[Search, ...]
