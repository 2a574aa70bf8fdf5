"""Selections and their masks as their owner sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from containers.http_api.failures import JobError, describe_failure
from containers.http_api.views import is_none
from pipeline.artifacts import Location
from pipeline.contracts.selection import (
    BOUNDARY_LEVEL,
    LEVELS_PER_LOGIT,
    MaskGrid,
    PreparedSelection,
    SelectedMask,
)
from pipeline.operations.presigning import presign_get
from pipeline.operations.selecting import Preparation, Selection
from pipeline.operations.site import Site

_PREVIEW_LASTS: Final = timedelta(hours=1)


class Preview(BaseModel):
    """The upright photo as a JPEG, at most 2,048 pixels wide and high, until `expires_at`."""

    model_config = ConfigDict(frozen=True)

    url: str
    expires_at: datetime


class SelectionView(BaseModel):
    """A selection. Once it is `ready`, it has the photo's upright size, its preview and its mask.

    `mask` is the size of every candidate mask, and the rectangle that the photo fills on it. One
    that is `failed` has an error. `expires_at` ends the selection.
    """

    model_config = ConfigDict(frozen=True, title="Selection")

    id: str
    state: Literal["preparing", "ready", "failed"]
    expires_at: datetime
    model: str | None = Field(default=None, exclude_if=is_none)
    width: int | None = Field(default=None, exclude_if=is_none)
    height: int | None = Field(default=None, exclude_if=is_none)
    mask: MaskGrid | None = Field(default=None, exclude_if=is_none)
    preview: Preview | None = Field(default=None, exclude_if=is_none)
    error: JobError | None = Field(default=None, exclude_if=is_none)


class Masks(BaseModel):
    """At most three candidates for one subject; one of them is `chosen`.

    `png` is an 8-bit grey PNG, in base64. A level is `boundary` plus `levels_per_logit` times the
    model's logit, clipped to 0…255: from `boundary` on, a pixel is the subject's.
    """

    model_config = ConfigDict(frozen=True)

    candidates: tuple[SelectedMask, ...]
    mask: MaskGrid
    boundary: int = BOUNDARY_LEVEL
    levels_per_logit: int = LEVELS_PER_LOGIT


def describe_selection(
    site: Site, selection: Selection, found: Preparation, docs: str
) -> SelectionView:
    """Return a selection as far as it is prepared. `docs` is the address of the documents."""
    view = SelectionView(id=selection.id, state="preparing", expires_at=selection.expires_at)
    if found.failure:
        error = describe_failure(found.failure, docs)
        return view.model_copy(update={"state": "failed", "error": error})
    if found.prepared is None:
        return view
    prepared = found.prepared
    facts = {
        "model": prepared.model,
        "width": prepared.source.width,
        "height": prepared.source.height,
        "mask": prepared.mask,
        "preview": _preview(site, prepared),
    }
    return view.model_copy(update={"state": "ready", **facts})


def _preview(site: Site, prepared: PreparedSelection) -> Preview:
    place = Location.parse(prepared.preview.uri)
    return Preview(
        url=presign_get(site, place, lasts=_PREVIEW_LASTS),
        expires_at=datetime.now(UTC).replace(microsecond=0) + _PREVIEW_LASTS,
    )
