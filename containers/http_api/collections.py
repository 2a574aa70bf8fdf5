"""Collections of faces: list them; for operators, create, enrol, forget and delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Self

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from containers.http_api.collection_views import (
    Action,
    Collection,
    Collections,
    StartedAction,
    describe_action,
    describe_collection,
)
from containers.http_api.current import Current
from containers.http_api.errors import NoSuchAction, OperatorsOnly, WrongField, WrongFields
from containers.http_api.repeats import IdempotencyKey, Marked, answer_once
from containers.http_api.rights import answering, find_collection, require_operator, rights
from containers.http_api.vectors import Face, vectors_of
from containers.http_api.waiting import Prefer, await_end, preferred_wait
from pipeline.contracts import collection as contracts
from pipeline.contracts import collection_requests as requests
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import naming_roles
from pipeline.errors import (
    CollectionExists,
    CollectionMissing,
    ConsentMissing,
    LicenseNotAccepted,
    UnknownModel,
)
from pipeline.operations import collections as operations
from pipeline.operations.executions import EXECUTION_NAME, find_started
from pipeline.operations.owned_ids import made_at, new_id

MOST_ALLOWED: Final = 100
_CONSENT: Final = ("purpose", "legal_basis", "retention_days")
_PRODUCT: Final = "faces"
_OPTION: Final = "embedder"  # names the model whose vectors are enrolled
_STARTING: Final = timedelta(seconds=10)  # DescribeExecution may not know a new execution yet

_Key = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
_Allowed = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


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
    allowed: Annotated[tuple[_Allowed, ...], Field(max_length=MOST_ALLOWED)] = ()
    erase_within_days: contracts.EraseDays = contracts.ERASE_WITHIN_DAYS


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


def add_collections(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, *, docs: str
) -> None:
    desk = _Desk(current, catalogue, docs)

    @api.get(
        "/collections",
        operation_id="listCollections",
        summary="List the collections that the caller may search or manage.",
        tags=["Collections"],
        response_description="The collections",
    )
    def list_collections() -> Collections:
        return desk.listed()

    @api.post(
        "/collections",
        operation_id="createCollection",
        summary="Create a collection (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def create_collection(
        collection: NewCollection, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["createCollection", collection.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.create(collection, marked),
            StartedAction,
        )  # fmt: skip

    @api.get(
        "/collections/<name>",
        operation_id="getCollection",
        summary="Describe a collection.",
        tags=["Collections"],
        response_description="The collection",
    )
    def get_collection(name: str) -> Collection:
        return desk.describe(name)

    @api.delete(
        "/collections/<name>",
        operation_id="deleteCollection",
        summary="Delete a collection for good, with every vector in it (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def delete_collection(name: str, idempotency_key: IdempotencyKey = None) -> StartedAction:
        asked = ["deleteCollection", name]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.delete(name, marked),
            StartedAction,
        )  # fmt: skip

    @api.post(
        "/collections/<name>/enrollments",
        operation_id="enrollFaces",
        summary="Enrol faces of photos (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def enroll_faces(
        name: str, enrollment: NewEnrollment, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["enrollFaces", name, enrollment.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.enroll(name, enrollment, marked),
            StartedAction,
        )  # fmt: skip

    @api.post(
        "/collections/<name>/forgettings",
        operation_id="forgetSubject",
        summary="Forget a person or a photo (operators).",
        tags=["Collections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The action, which runs",
    )
    def forget_subject(
        name: str, forgetting: NewForgetting, idempotency_key: IdempotencyKey = None
    ) -> StartedAction:
        asked = ["forgetSubject", name, forgetting.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.forget(name, forgetting, marked),
            StartedAction,
        )  # fmt: skip

    @api.get(
        "/collections/<name>/actions/<action>",
        operation_id="getAction",
        summary="Say how far an action is (operators).",
        tags=["Collections"],
        response_description="The action",
    )
    def get_action(name: str, action: str, prefer: Prefer = None) -> Action:
        return desk.action(name, action, wait_s=preferred_wait(prefer))


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request."""

    current: Current
    catalogue: Catalogue
    docs: str

    def listed(self) -> Collections:
        principal = self.current.principal
        with answering():
            found = operations.describe_collections(self.current.site, asked_by=principal.name)
        may = [(each, rights(principal, each)) for each in found]
        items = tuple(describe_collection(each, allowed) for each, allowed in may if allowed)
        return Collections(items=items)

    def describe(self, name: str) -> Collection:
        found = find_collection(self.current, name)
        return describe_collection(found, rights(self.current.principal, found))

    def create(self, asked: NewCollection, marked: Marked | None) -> StartedAction:
        if not self.current.principal.operator:
            raise OperatorsOnly("the caller may not create collections")

        def checked() -> requests.Request:
            consent = _consent(asked)
            if asked.model is not None:
                self._require_usable(asked.model)
            self._require_free(asked.name, consent, asked.model)
            return requests.Create(
                collection=asked.name,
                consent=consent,
                model=asked.model,
                backend=asked.backend,
                index=asked.index,
                allowed=asked.allowed,
                erase_within_days=asked.erase_within_days,
            )

        return self._start(asked.name, marked, checked, jobs=1)

    def delete(self, name: str, marked: Marked | None) -> StartedAction:
        return self._start(name, marked, lambda: requests.Delete(collection=self._own(name)))

    def enroll(self, name: str, asked: NewEnrollment, marked: Marked | None) -> StartedAction:
        def checked() -> requests.Request:
            collection, records = self._own(name), None
            if asked.job_id is not None:
                records = (vectors_of(self.current, asked.job_id, "body.job_id"),)
            return requests.Enroll(
                collection=collection,
                records=records,
                prefix=asked.prefix,
                person=asked.person,
                person_from=asked.person_from,
                faces=asked.faces,
            )

        return self._start(name, marked, checked, jobs=1)

    def forget(self, name: str, asked: NewForgetting, marked: Marked | None) -> StartedAction:
        """Forget somebody: no quota holds that up."""

        def checked() -> requests.Request:
            collection = self._own(name)
            return requests.Forget(collection=collection, person=asked.person, photo=asked.photo)

        return self._start(name, marked, checked)

    def action(self, name: str, written: str, *, wait_s: int) -> Action:
        require_operator(self.current, name)
        found = await_end(lambda: self._find(name, written), wait_s)
        return describe_action(found, self.docs)

    def _own(self, name: str) -> str:
        """Return the name of a collection that there is. Raises CollectionMissing."""
        return find_collection(self.current, name).name

    def _start(
        self,
        name: str,
        marked: Marked | None,
        checked: Callable[[], requests.Request],
        *,
        jobs: int = 0,
    ) -> StartedAction:
        """Start what `checked` returns, unless a request with the same mark started it before."""
        require_operator(self.current, name)
        site, owner = self.current.site, _owner(name)
        ids = [new_id(owner, *each) for each in marked.digests] if marked else []
        if marked and (first := find_started(site, operations.MACHINE, ids, since=marked.since)):
            return StartedAction(action=describe_action(self._find(name, first.name), self.docs))
        asked = checked()
        if jobs:
            self.current.spend(jobs=jobs)
        written = ids[0] if ids else new_id(owner, datetime.now(UTC))
        asked_by = self.current.principal.name
        operations.start_action(site, asked, asked_by=asked_by, name=written)
        running = operations.Action(written, asked.action, asked.collection)
        return StartedAction(action=describe_action(running, self.docs))

    def _find(self, name: str, written: str) -> operations.Action:
        found = None
        if EXECUTION_NAME.fullmatch(written):
            found = operations.find_action(self.current.site, written)
        if found and found.collection == name:
            return found
        made = made_at(written, _owner(name))
        if found is None and made and datetime.now(UTC) < made + _STARTING:
            return operations.Action(written, "", name)
        raise NoSuchAction(f"there is no action {written!r:.100} of {name!r:.100}")

    def _require_usable(self, model: str) -> None:
        """Raise WrongFields for a model that makes no vectors of faces, or may not be used."""
        product = next(each for each in self.current.products if each.name == _PRODUCT)
        try:
            self.catalogue.fitting(naming_roles(product)[_OPTION]).usable(model)
        except (UnknownModel, LicenseNotAccepted) as error:
            raise WrongFields.one(error, "body.model") from error

    def _require_free(self, name: str, consent: contracts.Consent, model: str | None) -> None:
        """Raise WrongFields with CollectionExists if another collection has the name.

        Whether the deployment's default model is another one, the action finds out.
        """
        try:
            found = find_collection(self.current, name)
        except CollectionMissing:
            return
        if found.consent != consent or model not in {None, found.model}:
            error = CollectionExists(f"there is a collection {name}")
            raise WrongFields.one(error, "body.name")


def _consent(asked: NewCollection) -> contracts.Consent:
    """Return why the collection may exist. Raises WrongFields with ConsentMissing."""
    given = asked.model_dump(include=set(_CONSENT))
    missing = [field for field in _CONSENT if given[field] is None]
    if missing:
        error = ConsentMissing(f"missing: {', '.join(missing)}")
        wrong = (WrongField(field=f"body.{field}", detail="is missing") for field in missing)
        raise WrongFields(error, *wrong)
    return contracts.Consent.model_validate(given)


def _owner(name: str) -> str:
    """Return whose id it is: no id of an upload, or of another collection, is one of its own."""
    return f"collection {name}"
