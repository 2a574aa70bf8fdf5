"""The head of a collection: what it is for, and which objects it consists of.

A head is published last, if the one that it was computed from is still the latest. Whoever loses
reads the new one and computes again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Annotated, Final, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from containers.vector_index.stored.places import Places, now
from pipeline.contracts.collection import (
    Backend,
    CollectionName,
    Consent,
    EraseDays,
    IndexKind,
    Similarity,
)
from pipeline.errors import CollectionBusy, CollectionMissing, SegmentMismatch

T = TypeVar("T")

MOST_BYTES: Final = 4 * 2**20
MOST_TRIES: Final = 8
GRACE: Final = 15 * 60_000  # ms: readers with an older head have ended by then
_FIRST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 2.0

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53)]  # since 1970
Count = Annotated[int, Field(ge=0, lt=2**53)]


class ObjectGone(Exception):
    """An object that a head names is not there: the head is outdated, or the object is lost."""


class Part(BaseModel):
    """A head, or a part of one: frozen, and read strictly."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Segment(Part):
    """A segment: its file, its rows, and when the first and the last were enrolled.

    `dead` counts the rows that rules kill.
    """

    sha256: Sha256
    bytes: Count
    rows: Annotated[int, Field(ge=1, lt=2**31)]
    oldest: Milliseconds
    newest: Milliseconds
    dead: Count = 0


class Tombstones(Part):
    """An object with rules. `at` is the latest of their times."""

    sha256: Sha256
    bytes: Count
    rules: Count
    at: Milliseconds


class Superseded(Part):
    """An object of older heads, which readers may still have. `rows` are in no other object."""

    key: str
    since: Milliseconds
    because: Literal["erased", "merged"]
    rows: Count = 0


class Index(Part):
    """How vectors are searched. `recall` is measured; `refused` says why `kind` is flat again."""

    kind: IndexKind
    parameters: dict[str, int] = Field(default_factory=dict)
    recall: float | None = None
    refused: str | None = None


class Moving(Part):
    """A move to another backend, and where it stopped."""

    to: Backend
    after: str | None


class Stored(Part):
    """The rows of the backend `s3-vectors`, as counted when `swept` (ms since 1970) and since.

    No row that is not dead was enrolled before `oldest`. `erased` rows are gone, and in no receipt.
    """

    rows: Count
    dead: Count
    oldest: Milliseconds
    swept: Milliseconds
    erased: Count = 0


class Head(Part):
    """The content of `head.json`."""

    schema_version: Literal[1] = Field(alias="schema", default=1)
    name: CollectionName
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    state: Literal["open", "deleting"] = "open"
    consent: Consent
    model: str
    weights_sha256: str | None = None
    dimension: Annotated[int, Field(ge=1, le=4096)] | None = None
    same_above: Similarity | None = None
    backend: Backend
    index: Index
    allowed: tuple[str, ...] = ()
    erase_within_days: EraseDays
    created_at: Milliseconds
    changed_at: Milliseconds
    segments: tuple[Segment, ...] = ()
    tombstones: tuple[Tombstones, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    moving: Moving | None = None
    stored: Stored | None = None

    def but(self, **changed: object) -> Head:
        """Return a head with other values."""
        return self.model_copy(update=changed)


class Read(NamedTuple):
    """A head, and the ETag that it was read with."""

    head: Head
    etag: str


def read_head(places: Places, name: str, *, deleting: bool = False) -> Read:
    """Return the head of an open collection; with `deleting`, also of one that is being deleted.

    Raises CollectionMissing, and SegmentMismatch if its object is not a head.
    """
    read = read_head_if_changed(places, name, etag=None, deleting=deleting)
    if read is None:
        raise CollectionMissing(f"there is no collection {name}")
    return read


def read_head_if_changed(
    places: Places, name: str, *, etag: str | None, deleting: bool = False
) -> Read | None:
    """Return the head as `read_head` does, or None if it still has `etag`."""
    place = places.head(name)
    try:
        found = places.store.read_if_changed(place, etag=etag)
    except KeyError:
        raise CollectionMissing(f"there is no collection {name}") from None
    if found is None:
        return None
    head = _parsed(found.content, place.uri, name)
    if head.state == "deleting" and not deleting:
        raise CollectionMissing(f"the collection {name} is being deleted")
    return Read(head, found.etag)


def with_head(places: Places, name: str, read: Callable[[Head], T]) -> T:
    """Return what `read` makes of the latest head: of a newer one if an object of it is gone.

    Raises CollectionMissing, SegmentMismatch, and what `read` raises.
    """
    etag = None
    while True:
        latest = read_head_if_changed(places, name, etag=etag)
        if latest is None:
            raise SegmentMismatch(f"an object that the head of {name} names is not there")
        try:
            return read(latest.head)
        except ObjectGone:
            etag = latest.etag


def require_searcher(head: Head, searcher: str | None) -> None:
    """Raise CollectionMissing for a searcher whom the head does not allow; None may see all."""
    if searcher is not None and searcher not in head.allowed:
        raise CollectionMissing(f"there is no collection {head.name}")


def create_head(places: Places, head: Head) -> bool:
    """Write the first head of a collection; return False if there is one already."""
    etag = places.store.write_if_unchanged(places.head(head.name), _dumped(head), etag=None)
    return etag is not None


def change_head(
    places: Places, name: str, change: Callable[[Head], Head], *, deleting: bool = False
) -> Head:
    """Publish what `change` makes of the latest head; return it.

    `change` is called again with a newer head if another writer was first. If it returns the head
    itself, nothing is written. With `deleting`, the collection may be one that is being deleted.
    Raises CollectionMissing, SegmentMismatch, CollectionBusy, and what `change` raises.
    """
    failed = None
    for attempt in range(MOST_TRIES):
        if attempt:
            longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads writers, guards nothing
        head, etag = read_head(places, name, deleting=deleting)
        try:
            changed = change(head)
        except ObjectGone as gone:
            if etag == failed:
                raise SegmentMismatch(f"{gone} is not there, but the head names it") from None
            failed = etag
            continue
        if changed is head:
            return head
        changed = changed.but(changed_at=max(now(), head.changed_at))
        place = places.head(name)
        if places.store.write_if_unchanged(place, _dumped(changed), etag=etag) is not None:
            return changed
    raise CollectionBusy(f"others changed the collection {name} first, {MOST_TRIES} times in a row")


def _parsed(content: bytes, uri: str, name: str) -> Head:
    if len(content) > MOST_BYTES:
        raise SegmentMismatch(f"{uri} has more than {MOST_BYTES:,} bytes")
    try:
        head = Head.model_validate_json(content)
    except ValidationError as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"]))
        raise SegmentMismatch(f"{uri} is not a head: see {wrong or 'its JSON'}") from None
    if head.name != name:
        raise SegmentMismatch(f"{uri} is the head of {head.name}")
    return head


def _dumped(head: Head) -> bytes:
    content = head.model_dump_json(by_alias=True).encode()
    if len(content) > MOST_BYTES:
        raise CollectionBusy(
            f"the head of {head.name} would have {len(content):,} bytes, of {MOST_BYTES:,}: "
            "compact the collection first"
        )
    return content
