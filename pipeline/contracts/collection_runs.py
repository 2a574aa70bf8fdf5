"""Jobs of the vector index that only the state machine `collection` and its schedule ask for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from pipeline.contracts.collection import (
    Backend,
    CollectionJob,
    CollectionName,
    Consent,
    IndexKind,
    Person,
    PersonFrom,
    Skip,
)
from pipeline.contracts.collection_requests import (
    Allow,
    Compact,
    Delete,
    Enroll,
    Export,
    Forget,
    Move,
)
from pipeline.contracts.collection_words import Action
from pipeline.contracts.contract import Contract, Job, Result


class CheckRequest(Job):
    """Read an execution's input, which may be anything. Nothing is enrolled or looked up yet."""

    input: JsonValue
    execution: str
    default_model: str


class Creation(Contract):
    """As `Create`, with the model named."""

    collection: CollectionName
    consent: Consent | None
    model: str
    backend: Backend
    index: IndexKind
    allowed: tuple[str, ...]
    erase_within_days: int


class RequestChecked(Result):
    """What is asked for, in the field that is called as the action; the others are null.

    `record` is the key that the output record of a photo has, which is looked at first.
    """

    action: Action
    collection: CollectionName
    asked_by: str
    record: str | None = None
    create: Creation | None = None
    allow: Allow | None = None
    enroll: Enroll | None = None
    forget: Forget | None = None
    compact: Compact | None = None
    export: Export | None = None
    move: Move | None = None
    delete: Delete | None = None


class ListCollections(CollectionJob):
    """List the names of all collections, whatever becomes of their content."""

    action: Literal["list"]


class CollectionsListed(Result):
    names: tuple[str, ...]


class Enrolments(Contract):
    """How many vectors were enrolled, and how many the collection had. `skipped` is by reason."""

    enrolled: int = 0
    known: int = 0
    skipped: dict[Skip, int] = Field(default_factory=dict)


class EnrollPrefix(CollectionJob):
    """Enroll the faces of all output records below a prefix of the output bucket.

    Other keys are passed over. A call does what it has time for: `after` is the key where the last
    call stopped, and `so_far` what the calls before it did.
    """

    action: Literal["enroll-prefix"]
    collection: CollectionName
    output_bucket: str
    prefix: str
    after: str | None = None
    so_far: Enrolments
    person: Person | None = None
    person_from: PersonFrom | None = None
    faces: tuple[int, ...] | None = None


class PrefixEnrolled(Result):
    """`counts` are of all calls. `after` is null once everything below the prefix was read."""

    collection: str
    counts: Enrolments
    vectors: int
    segments: int
    compact: bool  # it is time to
    after: str | None
