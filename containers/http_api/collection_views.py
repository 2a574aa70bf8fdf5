"""Collections, their actions and their searches, as answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from containers.http_api.failures import JobError, describe_action_failure
from containers.http_api.rights import Right
from containers.http_api.views import is_none
from pipeline.contracts import collection as contracts
from pipeline.contracts.collection_searches import Match, Search, Searched
from pipeline.contracts.faces import Box
from pipeline.operations import collections as operations

_NOT_TOLD: Final = {"schema_version", "metrics", "provenance", "collection"}


class Collection(BaseModel):
    """A collection of faces' vectors, and what the caller may do with it.

    `vectors` can be found; `forgotten` ones cannot, and wait to be erased, for at most
    `erase_within_days`. Vectors older than `retention_days` are not found either. Only operators
    see `allowed`, the principals that may search it, and `moving_to` while it is moved.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    purpose: str
    legal_basis: str
    retention_days: int
    model: str
    backend: contracts.Backend
    index: contracts.IndexKind
    vectors: int
    forgotten: int
    erase_within_days: int
    created_at: datetime
    changed_at: datetime
    may: tuple[Right, ...]
    allowed: tuple[str, ...] | None = Field(default=None, exclude_if=is_none)
    moving_to: contracts.Backend | None = Field(default=None, exclude_if=is_none)


class Collections(BaseModel):
    """The collections that the caller may search or manage, by name."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Collection, ...]


class Action(BaseModel):
    """A change of a collection. It is `running`, or has a result, or an error if it `failed`."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: Literal["running", "done", "failed"]
    action: str
    collection: str
    result: dict[str, JsonValue] | None = Field(default=None, exclude_if=is_none)
    error: JobError | None = Field(default=None, exclude_if=is_none)


class StartedAction(BaseModel):
    """An action that was asked for: ask for its state with its id."""

    model_config = ConfigDict(frozen=True)

    action: Action


class FaceBox(BaseModel):
    """Where a face is, in pixels of the upright photo. It may reach outside."""

    model_config = ConfigDict(frozen=True)

    x: float
    y: float
    width: float
    height: float


class FoundMatch(BaseModel):
    """A candidate, not an identity: what was enrolled, and its similarity to the face, -1…1.

    `key` is that of the photo, `face` the face's index in its `_faces.json`, null if that lacks it;
    `person` is null if nobody said whose face it is. `enrolled_at` is null if nothing was enrolled.
    """

    model_config = ConfigDict(frozen=True)

    similarity: float
    person: str | None
    key: str
    face: int | None
    box: FaceBox | None
    enrolled_at: datetime | None


class SearchedFace(BaseModel):
    """A face of the photo, and what is most like it, best first.

    `face` is its index in `_faces.json`, null if that lacks it.
    """

    model_config = ConfigDict(frozen=True)

    face: int | None
    box: FaceBox | None
    matches: tuple[FoundMatch, ...]


class SearchAnswer(BaseModel):
    """What a search found. `search` is the id of its audit record.

    Matches have a similarity of at least `threshold`; `searched` counts the vectors compared.
    """

    model_config = ConfigDict(frozen=True)

    search: str
    threshold: float
    searched: int
    queries: tuple[SearchedFace, ...]


class SearchRecord(BaseModel):
    """A search, by whom it was asked for and how much it found: never a vector.

    `person_filter` says whether it looked among one person's vectors only.
    """

    model_config = ConfigDict(frozen=True)

    search: str
    at: datetime
    asked_by: str
    threshold: float
    k: int
    queries: int
    matches: int
    person_filter: bool


class SearchRecords(BaseModel):
    """Searches of a collection, latest first."""

    model_config = ConfigDict(frozen=True)

    items: tuple[SearchRecord, ...]


def describe_collection(found: contracts.Collection, may: tuple[Right, ...]) -> Collection:
    managed = "manage" in may
    return Collection(
        name=found.name,
        purpose=found.consent.purpose,
        legal_basis=found.consent.legal_basis,
        retention_days=found.consent.retention_days,
        model=found.model,
        backend=found.backend,
        index=found.index,
        vectors=found.vectors,
        forgotten=found.forgotten,
        erase_within_days=found.erase_within_days,
        created_at=found.created_at,
        changed_at=found.changed_at,
        may=may,
        allowed=found.allowed if managed else None,
        moving_to=found.moving_to if managed else None,
    )


def describe_action(found: operations.Action, docs: str) -> Action:
    """Return an action. `docs` is the address of the folder of documents."""
    action = Action(id=found.id, state="running", action=found.action, collection=found.collection)
    if found.failure:
        error = describe_action_failure(found.failure, docs)
        return action.model_copy(update={"state": "failed", "error": error})
    if found.result is None:
        return action
    result = found.result.model_dump(mode="json", exclude=_NOT_TOLD)
    return action.model_copy(update={"state": "done", "result": result})


def describe_search(found: Searched) -> SearchAnswer:
    return SearchAnswer(
        search=found.search,
        threshold=found.threshold,
        searched=found.searched,
        queries=tuple(
            SearchedFace(
                face=_face(query.subject),
                box=_box(query.box),
                matches=tuple(map(_match, query.matches)),
            )
            for query in found.queries
        ),
    )


def describe_record(found: Search) -> SearchRecord:
    fields = SearchRecord.model_fields.keys()
    return SearchRecord.model_validate(found.model_dump(include=set(fields)))


def _match(found: Match) -> FoundMatch:
    return FoundMatch(
        similarity=found.similarity,
        person=found.person,
        key=found.key,
        face=_face(found.subject),
        box=_box(found.box),
        enrolled_at=found.enrolled_at,
    )


def _face(subject: int) -> int | None:
    """Return the index of a face; the embedder's own detector alone found those below 0."""
    return subject if subject >= 0 else None


def _box(found: Box | None) -> FaceBox | None:
    return None if found is None else FaceBox.model_validate(found.model_dump())
