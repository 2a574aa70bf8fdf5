"""What requests about collections ask for."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from containers.http_api.vectors import Face
from pipeline.contracts import collection as contracts

_Key = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
_Principals = Annotated[tuple[contracts.Principal, ...], Field(max_length=contracts.MOST_ALLOWED)]


class NewCollection(BaseModel):
    """A collection for the vectors of one model, and why it may exist.

    Without a `purpose`, a `legal_basis` and `retention_days`, none is created. `model` is one that
    the option `embedder` of `faces` may name. `allowed` are the principals that may search it, as
    `GET /quotas` names them, besides operators.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: contracts.CollectionName
    purpose: contracts.Statement | None = None
    legal_basis: contracts.Statement | None = None
    retention_days: contracts.RetentionDays | None = None
    model: str | None = None
    backend: contracts.Backend = "segments"
    index: contracts.IndexKind = "flat"
    allowed: _Principals = ()
    erase_within_days: contracts.EraseDays = contracts.ERASE_WITHIN_DAYS


class ChangedCollection(BaseModel):
    """Who may search the collection from now on, and who no longer: nothing else can be changed.

    Principals are named as `GET /quotas` names them. Who is not named keeps what they may.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: _Principals = ()
    revoke: _Principals = ()

    @model_validator(mode="after")
    def _says_one_thing_of_each(self) -> Self:
        if not self.allow and not self.revoke:
            raise ValueError("give principals to allow or to revoke")
        if {*self.allow} & {*self.revoke}:
            raise ValueError("allow a principal or revoke it, and not both")
        return self


class NewEnrollment(BaseModel):
    """Whose faces to enrol: of a job of `faces`, or of all whose results are below a prefix.

    All faces become `person`'s; or with `person_from`, each photo's are of the person that its
    folder or its name names. `faces` chooses some of a job's by their index in `_faces.json`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    prefix: _Key | None = None
    person: contracts.Person | None = None
    person_from: contracts.PersonFrom | None = None
    faces: Annotated[tuple[Face, ...], Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        if (self.job_id is None) == (self.prefix is None):
            raise ValueError("give a job or a prefix, and not both")
        if self.person is not None and self.person_from is not None:
            raise ValueError("give a person, or where the person's name is, and not both")
        if self.faces is not None and self.job_id is None:
            raise ValueError("faces are chosen of one job")
        return self


class NewForgetting(BaseModel):
    """Whom or what to forget: a person, or what was enrolled of a photo, by its key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: contracts.Person | None = None
    photo: _Key | None = None

    @model_validator(mode="after")
    def _is_about_one(self) -> Self:
        if (self.person is None) == (self.photo is None):
            raise ValueError("give a person or a photo, and not both")
        return self
