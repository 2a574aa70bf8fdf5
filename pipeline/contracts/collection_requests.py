"""What may be asked of a collection: the input of the state machine `collection`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline.contracts.collection import (
    ERASE_WITHIN_DAYS,
    MOST_ALLOWED,
    MOST_RECORDS,
    Backend,
    CollectionName,
    Consent,
    EraseDays,
    IndexKind,
    Person,
    PersonFrom,
    Principal,
)
from pipeline.contracts.contract import Contract

ObjectKey = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Principals = Annotated[tuple[Principal, ...], Field(max_length=MOST_ALLOWED)]


class Create(Contract):
    """Create an empty collection. Without a consent that says why, none is created.

    `model` is the one that embeds; null stands for the deployment's default.
    """

    action: Literal["create"] = "create"
    collection: CollectionName
    consent: Consent | None = None
    model: str | None = None
    backend: Backend = "segments"
    index: IndexKind = "flat"
    allowed: Principals = ()
    erase_within_days: EraseDays = ERASE_WITHIN_DAYS


class Allow(Contract):
    """Let principals of the API search a collection, or no longer. Who may already, still may."""

    action: Literal["allow"] = "allow"
    collection: CollectionName
    allow: Principals = ()
    revoke: Principals = ()

    @model_validator(mode="after")
    def _says_one_thing_of_each(self) -> Self:
        if not self.allow and not self.revoke:
            raise ValueError("give principals to allow or to revoke")
        if {*self.allow} & {*self.revoke}:
            raise ValueError("allow a principal or revoke it, but not both")
        return self


class Enroll(Contract):
    """Enroll the faces of a photo, of some photos' output records, or of all below a prefix.

    `photo` is a key in the ingest bucket: `faces` looks at it first. `records` are keys in the
    output bucket, and `prefix` is of such keys.
    """

    action: Literal["enroll"] = "enroll"
    collection: CollectionName
    photo: ObjectKey | None = None
    records: (
        Annotated[tuple[ObjectKey, ...], Field(min_length=1, max_length=MOST_RECORDS)] | None
    ) = None
    prefix: Annotated[str, StringConstraints(max_length=1024)] | None = None
    person: Person | None = None
    person_from: PersonFrom | None = None
    faces: tuple[int, ...] | None = None

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        if sum(each is not None for each in (self.photo, self.records, self.prefix)) != 1:
            raise ValueError("give a photo, records or a prefix")
        if self.person is not None and self.person_from is not None:
            raise ValueError("give a person, or where the person's name is, but not both")
        return self


class Forget(Contract):
    """Forget a person, or what was enrolled of a photo: a key in the ingest bucket."""

    action: Literal["forget"] = "forget"
    collection: CollectionName
    person: Person | None = None
    photo: ObjectKey | None = None

    @model_validator(mode="after")
    def _is_about_one(self) -> Self:
        if (self.person is None) == (self.photo is None):
            raise ValueError("give a person or a photo")
        return self


class Compact(Contract):
    """Erase what was forgotten or has expired; with `force`, all of it now."""

    action: Literal["compact"] = "compact"
    collection: CollectionName
    force: bool = False


class Export(Contract):
    """Write all that a collection has of a person."""

    action: Literal["export"] = "export"
    collection: CollectionName
    person: Person


class Move(Contract):
    """Move a collection to another backend."""

    action: Literal["move"] = "move"
    collection: CollectionName
    to: Backend


class Delete(Contract):
    """Delete a collection for good."""

    action: Literal["delete"] = "delete"
    collection: CollectionName


Request = Create | Allow | Enroll | Forget | Compact | Export | Move | Delete
REQUESTS: Final[Mapping[str, type[Request]]] = {
    "create": Create,
    "allow": Allow,
    "enroll": Enroll,
    "forget": Forget,
    "compact": Compact,
    "export": Export,
    "move": Move,
    "delete": Delete,
}  # by action
