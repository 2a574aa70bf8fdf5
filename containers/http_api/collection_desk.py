"""Collections for the caller of a request: describe, create, change, enrol, forget, delete."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from containers.http_api.collection_bodies import (
    ChangedCollection,
    NewCollection,
    NewEnrollment,
    NewForgetting,
)
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
from containers.http_api.repeats import Marked
from containers.http_api.rights import (
    answering,
    find_collection,
    require_operator,
    rights,
    searcher_of,
)
from containers.http_api.vectors import vectors_of
from containers.http_api.waiting import await_end
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
from pipeline.operations.executions import EXECUTION_NAME, find_started, new_name

_CONSENT: Final = ("purpose", "legal_basis", "retention_days")
_PRODUCT: Final = "faces"
_OPTION: Final = "embedder"  # names the model whose vectors are enrolled
_COUNTED: Final = ("create", "enroll")  # forgetting never waits for a quota
_PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8)  # until DescribeExecution knows a new execution


@dataclass(frozen=True)
class CollectionDesk:
    """What the routes do, for the caller of the current request."""

    current: Current
    catalogue: Catalogue
    docs: str

    def listed(self) -> Collections:
        principal = self.current.principal
        with answering():
            found = operations.describe_collections(
                self.current.site, asked_by=principal.name, searcher=searcher_of(principal)
            )
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

        return self._start("create", asked.name, marked, checked)

    def change(self, name: str, asked: ChangedCollection, marked: Marked | None) -> StartedAction:
        def checked() -> requests.Request:
            collection = self._own(name)
            return requests.Allow(collection=collection, allow=asked.allow, revoke=asked.revoke)

        return self._start("allow", name, marked, checked)

    def delete(self, name: str, marked: Marked | None) -> StartedAction:
        def checked() -> requests.Request:
            return requests.Delete(collection=self._own(name))

        return self._start("delete", name, marked, checked)

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

        return self._start("enroll", name, marked, checked)

    def forget(self, name: str, asked: NewForgetting, marked: Marked | None) -> StartedAction:
        def checked() -> requests.Request:
            collection = self._own(name)
            return requests.Forget(collection=collection, person=asked.person, photo=asked.photo)

        return self._start("forget", name, marked, checked)

    def action(self, name: str, written: str, *, wait_s: int) -> Action:
        require_operator(self.current, name)
        found = await_end(lambda: self._find(name, written), wait_s)
        return describe_action(found, self.docs)

    def _own(self, name: str) -> str:
        """Return the name of a collection that there is. Raises CollectionMissing."""
        return find_collection(self.current, name).name

    def _start(
        self, kind: str, name: str, marked: Marked | None, checked: Callable[[], requests.Request]
    ) -> StartedAction:
        """Start what `checked` returns, unless a request with the same mark started it before."""
        require_operator(self.current, name)
        site = self.current.site
        ids = [new_name(kind, digest.hex()) for _, digest in marked.digests] if marked else []
        if marked and (first := find_started(site, operations.MACHINE, ids, since=marked.since)):
            return self._told(name, first.name)
        asked = checked()
        if kind in _COUNTED:
            self.current.spend(jobs=1)
        written = ids[0] if ids else operations.new_action(asked)
        asked_by = self.current.principal.name
        operations.start_action(site, asked, asked_by=asked_by, name=written)
        for pause_s in _PAUSES_S:
            if operations.find_action(site, written):
                break
            time.sleep(pause_s)
        return self._told(name, written)

    def _told(self, name: str, written: str) -> StartedAction:
        return StartedAction(action=describe_action(self._find(name, written), self.docs))

    def _find(self, name: str, written: str) -> operations.Action:
        known = EXECUTION_NAME.fullmatch(written)
        found = operations.find_action(self.current.site, written) if known else None
        if found is None or found.collection != name:
            raise NoSuchAction(f"there is no action {written!r:.100} of {name!r:.100}")
        return found

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
