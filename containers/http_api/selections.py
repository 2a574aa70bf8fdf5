"""Selections: prepare a photo for clicks, and answer each click with small candidate masks."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final, Self

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from containers.http_api.current import Current
from containers.http_api.errors import (
    InvalidRequest,
    ModelBusy,
    NoSuchObject,
    NoSuchSelection,
    SelectionExpired,
    SelectionFailed,
    SelectionNotReady,
    WrongFields,
)
from containers.http_api.repeats import IdempotencyKey, answer_once
from containers.http_api.selection_views import Masks, SelectionView, describe_selection
from containers.http_api.waiting import await_end, preferred_wait
from pipeline.artifacts import Location
from pipeline.contracts.selection import (
    MaskGrid,
    PreparedSelection,
)
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.errors import (
    InvalidPrompt,
    LicenseNotAccepted,
    NamedError,
    PipelineError,
    SourceMissing,
    UnknownModel,
    leaves,
)
from pipeline.operations.invoking import FunctionBroken, FunctionBusy
from pipeline.operations.lookup import first_key
from pipeline.operations.selecting import (
    Preparation,
    Selection,
    find_preparation,
    new_selection,
    prepare,
    read_selection,
    select_subject,
)
from pipeline.operations.uploading import read_upload
from pipeline.outcomes import Failure
from pipeline.photo.grey_png import require_grey_png
from pipeline.photo.prompts import SubjectPrompt, in_pixels

_MOST_KEPT: Final = 256  # preparations that this process remembers, of a few KB each
_LONGEST_PREVIOUS: Final = 4 * 2**15  # base64 characters: more than an unpacked mask
_LONGEST_WAIT_S: Final = 10  # the model needs time to answer, too


Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=200,
        description="`wait=10` waits until the photo is prepared, or for 10 s.",
    ),
]


class NewSelection(BaseModel):
    """A photo to prepare: an upload's id, or the key of an object that was uploaded before.

    `model` is one that takes prompts; without it, the one whose function has the least memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    key: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    model: str | None = None

    @model_validator(mode="after")
    def _names_one_photo(self) -> Self:
        if (self.upload is None) == (self.key is None):
            raise ValueError("give an upload or a key, and not both")
        return self


class NewMasks(SubjectPrompt):
    """One subject: points on it (label 1) and off it (0), a box around it, or both.

    Coordinates are pixels of the upright photo, or all between 0 and 1. `previous` is the `png` of
    an earlier candidate: a hint for the model.
    """

    previous: Annotated[str, StringConstraints(max_length=_LONGEST_PREVIOUS)] | None = None


def add_selections(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, *, docs: str
) -> None:
    desk = _Desk(current, catalogue, docs)

    @api.post(
        "/selections",
        operation_id="createSelection",
        summary="Prepare a photo for clicks on its subject.",
        tags=["Selections"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The selection, which is being prepared",
    )
    def create_selection(
        selection: NewSelection, idempotency_key: IdempotencyKey = None
    ) -> SelectionView:
        asked = ["createSelection", selection.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda _: desk.prepare(selection), SelectionView
        )

    @api.get(
        "/selections/<name>",
        operation_id="getSelection",
        summary="Say whether a photo is prepared, and give its preview.",
        tags=["Selections"],
        response_description="The selection",
    )
    def get_selection(name: str, prefer: Prefer = None) -> SelectionView:
        return desk.describe(name, wait_s=preferred_wait(prefer))

    @api.post(
        "/selections/<name>/masks",
        operation_id="createMasks",
        summary="Answer points and a box with candidate masks.",
        tags=["Selections"],
        response_description="The candidates",
    )
    def create_masks(name: str, masks: NewMasks, prefer: Prefer = None) -> Masks:
        return desk.answer(name, masks, preferred_wait(prefer, longest_s=_LONGEST_WAIT_S))


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request.

    `kept` has the latest finished preparations by the id of their selection: they never change.
    """

    current: Current
    catalogue: Catalogue
    docs: str
    kept: OrderedDict[str, PreparedSelection] = field(default_factory=OrderedDict)

    def prepare(self, asked: NewSelection) -> SelectionView:
        row = self._row(asked.model)
        place = self._photo(asked)
        self.current.spend(jobs=1)
        selection = new_selection(self.current.principal.prefix, datetime.now(UTC))
        prepare(self.current.site, selection, place, row.name)
        return SelectionView(
            id=selection.id, state="preparing", expires_at=selection.expires_at, model=row.name
        )

    def describe(self, name: str, *, wait_s: int) -> SelectionView:
        selection = self._selection(name)
        found = self._preparation(selection, wait_s)
        return describe_selection(self.current.site, selection, found, self.docs)

    def answer(self, name: str, asked: NewMasks, wait_s: int) -> Masks:
        selection = self._selection(name)
        found = self._preparation(selection, wait_s)
        if found.failure:
            raise _as_error(found.failure)
        if found.prepared is None:
            raise SelectionNotReady("the photo is still being prepared")
        prepared = found.prepared
        prompt = _checked_prompt(asked, prepared)
        _require_own_mask(asked.previous, prepared.mask)
        self.current.spend(masks=1)
        try:
            selected = select_subject(
                self.current.site, self.catalogue.row(prepared.model), prepared, prompt,
                asked.previous,
            )  # fmt: skip
        except SourceMissing as error:
            raise SelectionExpired("what was prepared for it has been deleted") from error
        except FunctionBusy as error:
            raise ModelBusy("the model has not answered") from error
        except FunctionBroken as error:
            raise SelectionFailed("the model failed to answer") from error
        return Masks(candidates=selected.candidates, mask=prepared.mask)

    def _row(self, name: str | None) -> ModelRow:
        """Return the model. Raises WrongFields for one that takes no prompts or may not be used."""
        able = [row for row in self.catalogue.rows if row.takes_prompts]
        if name is None:
            allowed = [row for row in able if self.catalogue.accepts(row)]
            return min(allowed, key=self._preference)
        try:
            row = self.catalogue.usable(name)
        except (UnknownModel, LicenseNotAccepted) as error:
            raise WrongFields.one(error, "body.model") from error
        if not row.takes_prompts:
            says = f"{name} takes no points or boxes; models that do: "
            known = ", ".join(each.name for each in able)
            raise WrongFields.one(InvalidPrompt(says + known), "body.model")
        return row

    def _preference(self, row: ModelRow) -> tuple[int, int]:
        """Return the place of the row's engine in its container, and the row's memory."""
        return list(self.catalogue.engines[row.container]).index(row.engine.name), row.memory_mb

    def _photo(self, asked: NewSelection) -> Location:
        if asked.key is not None:
            return self.current.own_object(asked.key)
        upload = read_upload(str(asked.upload), self.current.principal.prefix)
        site = self.current.site
        key = first_key(site, site.names.bucket("ingest"), upload.folder) if upload else None
        if key is None:
            raise NoSuchObject(f"there is no object of the upload {asked.upload!r:.100}")
        return self.current.own_object(key)

    def _selection(self, name: str) -> Selection:
        selection = read_selection(name, self.current.principal.prefix)
        if selection is None:
            raise NoSuchSelection(f"there is no selection {name!r:.100}")
        if selection.expired:
            raise SelectionExpired(f"it expired at {selection.expires_at.isoformat()}")
        return selection

    def _preparation(self, selection: Selection, wait_s: int) -> Preparation:
        if selection.id in self.kept:
            self.kept.move_to_end(selection.id)
            return Preparation(prepared=self.kept[selection.id])
        found = await_end(lambda: self._find(selection), wait_s)
        if found.prepared:
            self.kept[selection.id] = found.prepared
            if len(self.kept) > _MOST_KEPT:
                self.kept.popitem(last=False)
        return found

    def _find(self, selection: Selection) -> Preparation:
        found = find_preparation(self.current.site, selection)
        if found is None:
            raise NoSuchSelection(f"there is no selection {selection.id}")
        return found


def _as_error(failure: Failure) -> NamedError:
    """Return the error of a preparation: its own if it is one of ours."""
    kind = leaves(PipelineError).get(failure.name)
    return kind(failure.message) if kind else SelectionFailed("the photo could not be prepared")


def _checked_prompt(asked: NewMasks, prepared: PreparedSelection) -> SubjectPrompt:
    """Return points and box in pixels. Raises WrongFields for what does not fit the photo."""
    prompt = SubjectPrompt(points=asked.points, box=asked.box)
    size = prepared.source
    try:
        (checked,) = in_pixels((prompt,), width=size.width, height=size.height)
    except InvalidPrompt as error:
        raise WrongFields.one(error, f"body.{error.field.partition('.')[2]}") from error
    return checked


def _require_own_mask(previous: str | None, grid: MaskGrid) -> None:
    """Raise WrongFields unless it is a PNG such as candidates of this photo have."""
    if previous is None:
        return
    try:
        content = base64.b64decode(previous, validate=True)
        require_grey_png(content, width=grid.width, height=grid.height)
    except (binascii.Error, ValueError) as error:
        says = f"previous is no candidate's PNG in base64: {error}"
        raise WrongFields.one(InvalidRequest(says), "body.previous") from error
