"""Publish rules: from then on, no search finds the rows that they kill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.stored.head import GRACE, Head, Superseded, Tombstones, change_head
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.tombstones import Rule, Rules, read_rules, write_rules
from pipeline.artifacts import Location

_MOST_OBJECTS: Final = 16  # with rules: a search without any of them reads them all


def bury(places: Places, name: str, rules: Sequence[Rule], *, killed: int) -> Head:
    """Publish rules, which kill this many rows; return the head that has them.

    Objects with rules that nobody reads any more are erased at the same time: a head that grew
    with each deleted photo until the next compaction would be full after some 25,000.

    Raises CollectionMissing, CollectionBusy or SegmentMismatch.
    """
    written: list[Tombstones] = []
    unread: list[Superseded] = []
    at = now()

    def buried(head: Head) -> Head:
        known = read_rules(places, head)
        if all(rule in known for rule in rules):
            return head
        whole = known.and_(rules)
        many = len(head.tombstones) >= _MOST_OBJECTS
        fresh = write_rules(places, head, whole if many else Rules.of(rules))
        written.append(fresh)
        counted = backend_of(head, places).buried(head, whole, killed=killed)
        if not many:
            return counted.but(tombstones=(*head.tombstones, fresh))
        old = [
            Superseded(key=places.tombstones(name, each.sha256).key, since=at, because="merged")
            for each in head.tombstones
        ]
        unread.extend(each for each in head.superseded if _is_unread(places, head, each, at))
        kept = [each for each in head.superseded if not _is_unread(places, head, each, at)]
        return counted.but(tombstones=(fresh,), superseded=(*kept, *old))

    head = change_head(places, name, buried)
    for key in {each.key for each in unread} - {each.key for each in head.superseded}:
        places.store.erase(Location(places.bucket, key))
    for each in written:
        if each not in head.tombstones:
            places.store.erase(places.tombstones(name, each.sha256))
    return head


def _is_unread(places: Places, head: Head, superseded: Superseded, at: int) -> bool:
    """Return True for an object with rules that no reader has any more."""
    own = places.tombstones(head.name, "").key.removesuffix(".json")
    return superseded.key.startswith(own) and superseded.since + GRACE <= at
