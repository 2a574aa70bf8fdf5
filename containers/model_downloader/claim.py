"""Claim a model by an object beside its staged weights record: only one function stages it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from containers.model_downloader.cleanup import afterwards
from pipeline.artifacts import ArtifactStore, Location
from pipeline.errors import WeightsClaimed

# Lambda ends every function after 15 minutes, so an older claim has no running holder.
LEASE_S: Final = 16 * 60


class Claim(BaseModel):
    """The content of `claim.json`; `expires_at` is in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holder: str
    expires_at: float


@contextmanager
def claimed(
    store: ArtifactStore, location: Location, *, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """Hold the claim at `location`. Raises WeightsClaimed if a valid claim exists."""
    mine = Claim(holder=uuid.uuid4().hex, expires_at=now() + LEASE_S)
    content = mine.model_dump_json().encode()
    etag = store.write_if_unchanged(location, content, etag=_expired(store, location, now()))
    if etag is None:
        etag = _landed(store, location, mine)
    with afterwards(lambda: store.delete_if_unchanged(location, etag=etag)):
        yield


def _expired(store: ArtifactStore, location: Location, now: float) -> str | None:
    """Return the ETag of a claim that has expired or is unreadable, else None."""
    etag, claim = _seen(store, location)
    return etag if claim is None or claim.expires_at <= now else None


def _landed(store: ArtifactStore, location: Location, mine: Claim) -> str:
    """Return the ETag of this function's own claim. Raises WeightsClaimed if it is another's.

    If a write succeeds and its response is lost, the retry fails because of the first attempt.
    """
    etag, claim = _seen(store, location)
    if etag is None or claim != mine:
        raise WeightsClaimed(f"another execution holds {location.uri}")
    return etag


def _seen(store: ArtifactStore, location: Location) -> tuple[str | None, Claim | None]:
    """Return ETag and claim, None if missing. Reads the ETag first, so that a race fails."""
    try:
        etag = store.stat(location).etag
        content = store.read(location)
    except KeyError:
        return None, None
    try:
        return etag, Claim.model_validate_json(content)
    except ValidationError:
        return etag, None
