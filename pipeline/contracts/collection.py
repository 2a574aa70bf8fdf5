"""The jobs and results of the vector index: one frozen (job, result) pair per action.

A collection holds vectors of one model: of faces, of voices, of anything that a model embeds.
Nothing is enrolled unless a collection was created for it, with a purpose, a legal basis and a
retention. Times are ISO 8601 in UTC. Similarities are cosines, -1…1.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from pipeline.artifacts import Artifact
from pipeline.contracts import collection_words
from pipeline.contracts.contract import Contract, Job, Result, no_truth_value

Backend = collection_words.Backend
IndexKind = collection_words.IndexKind
PersonFrom = collection_words.PersonFrom
Skip = collection_words.Skip

MOST_RECORDS: Final = 200  # of one enrolment: they become one segment
MOST_PHOTOS: Final = 100  # whose files are deleted at once, after a person was forgotten
MOST_ALLOWED: Final = 100  # principals that may search one collection
ERASE_WITHIN_DAYS: Final = 7

# Also part of an S3 Vectors index's name, which has at most 63 characters.
CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
# What a principal of the API is called: the prefix of its keys, without the slash.
Principal = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
# No control characters, and no marks that let a text be shown in another direction.
_ID: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,128}$"


def _composed(given: object) -> object:
    """Return a text in NFC: the same letters, typed or as the name of a folder, are one person."""
    return unicodedata.normalize("NFC", given) if isinstance(given, str) else given


# An id that the operator can resolve, better than a name: histories keep it for months.
Person = Annotated[str, StringConstraints(pattern=_ID), BeforeValidator(_composed)]
Statement = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
RetentionDays = Annotated[int, Field(ge=1, le=3650), BeforeValidator(no_truth_value)]
EraseDays = Annotated[int, Field(ge=1, le=30), BeforeValidator(no_truth_value)]
Similarity = Annotated[float, Field(ge=-1, le=1), BeforeValidator(no_truth_value)]


class CollectionJob(Job):
    """What every job has: who asked for it, when, and where collections are.

    `asked_at` is when the execution started. Vectors that were asked for before somebody was
    forgotten are never enrolled after it.
    """

    execution: str
    asked_by: str
    asked_at: datetime
    collections_bucket: str
    vector_bucket: str


class Consent(Contract):
    """Why a collection may exist. Vectors older than `retention_days` are never found."""

    purpose: Statement
    legal_basis: Statement
    retention_days: RetentionDays


class CreateCollection(CollectionJob):
    """Create an empty collection for the vectors of one model.

    `allowed` are the API's principals that may search it, besides operators. What is forgotten is
    erased within `erase_within_days`. Without `consent` it is not created.
    """

    action: Literal["create"]
    collection: CollectionName
    consent: Consent | None
    model: str
    backend: Backend = "segments"
    index: IndexKind = "flat"
    allowed: tuple[str, ...] = ()
    erase_within_days: EraseDays = ERASE_WITHIN_DAYS


class CollectionCreated(Result):
    collection: str
    created: bool


class ChangeAllowed(CollectionJob):
    """Let principals search a collection, or no longer; the next search obeys. No order counts."""

    action: Literal["allow"]
    collection: CollectionName
    allow: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()


class AllowedChanged(Result):
    """`allowed` are all that may search it now, besides operators."""

    collection: str
    allowed: tuple[str, ...]


class ForgetSubject(CollectionJob):
    """Forget a person, or what was enrolled of a photo, in one collection.

    The next search finds nothing of it. `compact` erases it later, in every version. `after` is
    the photo where the list of the last call ended.
    """

    action: Literal["forget"]
    collection: CollectionName
    person: Person | None = None
    photo: str | None = None  # its key in the ingest bucket
    ingest_bucket: str
    after: str | None = None

    @model_validator(mode="after")
    def _is_about_one(self) -> Self:
        if (self.person is None) == (self.photo is None):
            raise ValueError("give a person or a photo")
        return self


class Forgotten(Result):
    """A receipt, which is also an object of the collections bucket.

    `photos` are the keys (in the ingest bucket) of which a person's vectors were made, in order, at
    most a hundred; their faces files are deleted next. `after` is the last one if there are more.
    A repeated call says the same. `erased_by` is when the vectors are erased at the latest.
    """

    collection: str
    forgotten: int
    photos: tuple[str, ...]
    erased_by: datetime
    receipt: Artifact
    after: str | None = None


class ForgetSource(CollectionJob):
    """Forget what any collection has of an object, after versions of it were deleted.

    Only vectors of the version that its key holds now stay.
    """

    action: Literal["forget-source"]
    bucket: str
    key: str


class SourceForgotten(Result):
    collections: tuple[str, ...]
    forgotten: int


class CompactCollection(CollectionJob):
    """Erase what was forgotten or has expired, and merge segments where it is worth it.

    With `force`, do all of it now.
    """

    action: Literal["compact"]
    collection: CollectionName
    force: bool = False


class Compacted(Result):
    """`erased` counts vectors that are gone, `objects` what was deleted, in every version.

    `recall` is that of an index that is not exact, measured against one that is; `index` is what
    the collection has now: `flat` if the recall was too low.
    """

    collection: str
    erased: int
    objects: int
    vectors: int
    segments: int
    index: IndexKind
    recall: float | None
    refused: str | None


class ExportPerson(CollectionJob):
    """Write all that the collection has of a person, for that person. It expires after a day."""

    action: Literal["export"]
    collection: CollectionName
    person: Person


class Exported(Result):
    """`document` is JSON about the vectors, `vectors` a safetensors file; both null if none."""

    collection: str
    count: int
    document: Artifact | None
    vectors: Artifact | None


class MoveCollection(CollectionJob):
    """Copy a part of a collection to another backend. `after` is where the last call stopped.

    The call that copies the rest compares counts and sample searches, then switches over.
    """

    action: Literal["move"]
    collection: CollectionName
    to: Backend
    after: str | None = None


class Moved(Result):
    """`after` is null once the collection is where it should be."""

    collection: str
    moved: int
    total: int
    after: str | None


class DeleteCollection(CollectionJob):
    """Delete a collection for good: every vector, in every version. Its receipts stay."""

    action: Literal["delete"]
    collection: CollectionName


class CollectionDeleted(Result):
    collection: str
    objects: int
    receipt: Artifact


class DescribeCollections(CollectionJob):
    """Describe one collection, or all; with `searcher`, those that allow this principal to search.

    For a searcher, of every other collection only the head is read, as for a missing one.
    """

    action: Literal["describe"]
    collection: CollectionName | None = None
    searcher: str | None = None


class Collection(Contract):
    """A collection as people see it; `vectors` can be found, `forgotten` wait to be erased.

    `weights_sha256`, `dimension` and `same_above` are null until something is enrolled.
    """

    name: str
    consent: Consent
    model: str
    weights_sha256: str | None
    dimension: int | None
    same_above: float | None
    backend: Backend
    index: IndexKind
    allowed: tuple[str, ...]
    erase_within_days: int
    created_at: datetime
    changed_at: datetime
    vectors: int
    forgotten: int
    segments: int
    bytes: int
    moving_to: Backend | None = None


class CollectionsDescribed(Result):
    collections: tuple[Collection, ...]
