"""Tombstones: rules about which rows are dead, in every segment, now and later.

Rules commute: whichever of an enrolment and a forgetting is published first, the same rows live.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import StringConstraints, TypeAdapter, ValidationError

from containers.vector_index.head import Head, Milliseconds, Part, Tombstones
from containers.vector_index.places import Places
from containers.vector_index.rows import Mask, Rows, as_keys
from containers.vector_index.segments import ObjectGone
from pipeline.errors import SegmentMismatch

Kind = Literal["person", "photo", "object"]
KINDS: Final[tuple[Kind, ...]] = ("person", "photo", "object")
DAY: Final = 86_400_000  # ms
KEPT_DAYS: Final = 16  # an execution can be redriven for 14 days
_MOST_BYTES: Final = 64 * 2**20


class Rule(Part):
    """Every row with this digest that was asked for until `at` is dead."""

    kind: Kind
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    at: Milliseconds


_RULES: Final = TypeAdapter(tuple[Rule, ...])


@dataclass(frozen=True)
class Rules:
    """Rules, the latest of each digest."""

    latest: Mapping[Kind, Mapping[bytes, int]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Rules:
        latest: dict[Kind, dict[bytes, int]] = {kind: {} for kind in KINDS}
        for rule in rules:
            known, digest = latest[rule.kind], bytes.fromhex(rule.digest)
            known[digest] = max(rule.at, known.get(digest, 0))
        return cls(latest)

    def dead(self, rows: Rows) -> Mask:
        """Return which rows a rule kills."""
        dead = np.zeros(len(rows), np.bool_)
        for kind in KINDS:
            dead |= self._dead_by(kind, rows)
        return dead

    def each(self) -> Iterable[Rule]:
        for kind in KINDS:
            for digest, at in self.latest[kind].items():
                yield Rule(kind=kind, digest=digest.hex(), at=at)

    def _dead_by(self, kind: Kind, rows: Rows) -> Mask:
        rules = self.latest[kind]
        dead = np.zeros(len(rows), np.bool_)
        if not rules:
            return dead
        digests = np.frombuffer(b"".join(rules), np.uint8).reshape(-1, 16)
        column = getattr(rows, kind)
        for row in np.flatnonzero(np.isin(as_keys(column), as_keys(digests))):
            dead[row] = rows.asked_at[row] <= rules[column[row].tobytes()]
        return dead


def expired(rows: Rows, head: Head, at: int) -> Mask:
    """Return which rows are older than the collection's retention at a time (ms since 1970)."""
    mask: Mask = rows.enrolled_at + head.consent.retention_days * DAY <= at
    return mask


def read_rules(places: Places, head: Head) -> Rules:
    """Return all rules of a head.

    Raises ObjectGone if an object is not there, and SegmentMismatch if it is not what the head
    says.
    """
    return Rules.of(rule for part in head.tombstones for rule in _read(places, head, part))


def write_rules(places: Places, head: Head, rules: Rules) -> Tombstones:
    """Store at least one rule as a new object of a collection; no head names it yet."""
    each = tuple(rules.each())
    content = _RULES.dump_json(each)
    sha256 = hashlib.sha256(content).hexdigest()
    places.store.write(places.tombstones(head.name, sha256), content, media_type="application/json")
    return Tombstones(
        sha256=sha256, bytes=len(content), rules=len(each), at=max(rule.at for rule in each)
    )


def _read(places: Places, head: Head, part: Tombstones) -> tuple[Rule, ...]:
    place = places.tombstones(head.name, part.sha256)
    try:
        content = places.store.read(place)
    except KeyError:
        raise ObjectGone(place.uri) from None
    said = (len(content), hashlib.sha256(content).hexdigest())
    if said != (part.bytes, part.sha256) or part.bytes > _MOST_BYTES:
        raise SegmentMismatch(f"{place.uri} is not what the head of {head.name} says")
    try:
        rules = _RULES.validate_json(content)
    except ValidationError:
        raise SegmentMismatch(f"{place.uri} has something else than rules") from None
    if len(rules) != part.rules:
        raise SegmentMismatch(f"{place.uri} has {len(rules)} rules, not {part.rules}")
    return rules
