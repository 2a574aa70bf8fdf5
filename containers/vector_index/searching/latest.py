"""Know the latest head of a collection by asking whether the known one has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from containers.vector_index.backends.warm import warm_of
from containers.vector_index.stored.head import (
    Head,
    ObjectGone,
    Read,
    Tombstones,
    read_head,
    read_head_if_changed,
    require_searcher,
)
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.tombstones import Rules, read_rules
from pipeline.errors import CollectionMissing, SegmentMismatch
from pipeline.workbench import Workbench

T = TypeVar("T")


class _Known(NamedTuple):
    tombstones: tuple[Tombstones, ...]
    rules: Rules


@dataclass(frozen=True)
class Latest:
    """The heads that this process has read, by bucket and name, and the rules of each."""

    heads: dict[tuple[str, str], Read] = field(default_factory=dict)
    rules: dict[str, _Known] = field(default_factory=dict)

    def ask(
        self,
        places: Places,
        name: str,
        read: Callable[[Head, Rules], T],
        *,
        searcher: str | None = None,
    ) -> T:
        """Return what `read` makes of the latest head: of a newer one if an object of it is gone.

        Raises CollectionMissing, also for a `searcher` that the head does not allow, before
        anything else of the collection is read; SegmentMismatch, and what `read` raises.
        """
        failed = None
        while True:
            head, etag = self._head(places, name)
            require_searcher(head, searcher)
            if etag == failed:
                raise SegmentMismatch(f"an object that the head of {name} names is not there")
            try:
                return read(head, self._rules(places, head))
            except ObjectGone:
                failed = etag

    def _head(self, places: Places, name: str) -> Read:
        known = self.heads.get((places.bucket, name))
        try:
            if known is None:
                read = read_head(places, name)
            else:
                read = read_head_if_changed(places, name, etag=known.etag) or known
        except CollectionMissing:
            self._forget(places, name)
            raise
        if known is not None and known.head.id != read.head.id:
            self._forget(places, name)
        self.heads[places.bucket, name] = read
        return read

    def _rules(self, places: Places, head: Head) -> Rules:
        known = self.rules.get(head.id)
        if known is None or known.tombstones != head.tombstones:
            known = self.rules[head.id] = _Known(head.tombstones, read_rules(places, head))
        return known.rules

    def _forget(self, places: Places, name: str) -> None:
        """Drop what is left of a deleted collection."""
        known = self.heads.pop((places.bucket, name), None)
        if known is not None:
            self.rules.pop(known.head.id, None)
            warm_of(places.scratch, places.memory_mb).forget(places, known.head)


def latest_of(bench: Workbench) -> Latest:
    """Return what this process knows."""
    return bench.once(_nothing)


def _nothing(bench: Workbench) -> Latest:  # noqa: ARG001 - it begins empty
    return Latest()
