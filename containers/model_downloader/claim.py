"""One at a time: whoever writes the claim beside a model's manifest stages it, the rest wait."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

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
        raise WeightsClaimed(f"another execution holds {location.uri}")
    try:
        yield
    finally:
        store.delete_if_unchanged(location, etag=etag)


def _expired(store: ArtifactStore, location: Location, now: float) -> str | None:
    """The etag of a claim whose holder is dead. Taken before its content: a race is then lost."""
    try:
        etag = store.stat(location).etag
        claim = Claim.model_validate_json(store.read(location))
    except KeyError:
        return None
    except ValidationError:
        return etag
    return etag if claim.expires_at <= now else None
