"""One at a time: whoever writes the claim beside a model's manifest stages it, the rest wait."""

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

# No function lives longer than 15 minutes, so what is older than this has no live holder.
LEASE_S: Final = 16 * 60


class Claim(BaseModel):
    """`claim.json`. `expires_at` is in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holder: str
    expires_at: float


@contextmanager
def claimed(
    store: ArtifactStore, location: Location, *, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """Hold the claim at `location`; WeightsClaimed if somebody else does and may be alive."""
    mine = Claim(holder=uuid.uuid4().hex, expires_at=now() + LEASE_S)
    content = mine.model_dump_json().encode()
    etag = store.write_if_unchanged(location, content, etag=_expired(store, location, now()))
    if etag is None:
        etag = _landed(store, location, mine)
    with afterwards(lambda: store.delete_if_unchanged(location, etag=etag)):
        yield


def _expired(store: ArtifactStore, location: Location, now: float) -> str | None:
    """The etag of a claim whose holder is dead, or that nobody can read."""
    etag, claim = _seen(store, location)
    return etag if claim is None or claim.expires_at <= now else None


def _landed(store: ArtifactStore, location: Location, mine: Claim) -> str:
    """The etag of my own claim, WeightsClaimed if it is another's.

    A write whose answer is lost is sent again, and then refused because of the first one.
    """
    etag, claim = _seen(store, location)
    if etag is None or claim != mine:
        raise WeightsClaimed(f"another execution holds {location.uri}")
    return etag


def _seen(store: ArtifactStore, location: Location) -> tuple[str | None, Claim | None]:
    """Etag and claim, None for what is not there. The etag is taken first: a race is then lost."""
    try:
        etag = store.stat(location).etag
        content = store.read(location)
    except KeyError:
        return None, None
    try:
        return etag, Claim.model_validate_json(content)
    except ValidationError:
        return etag, None
