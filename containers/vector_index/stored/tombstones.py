"""Tombstones: rules about which rows are dead, in every segment, now and later.

Rules commute: whichever of an enrolment and a forgetting is published first, the same rows live.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import numpy as np
from pydantic import StringConstraints, ValidationError

from containers.vector_index.stored.digests import BYTES
from containers.vector_index.stored.head import Head, Milliseconds, ObjectGone, Part, Tombstones
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Kind, Mask, Rows, as_keys
from pipeline.errors import SegmentMismatch

KINDS: Final[tuple[Kind, ...]] = ("person", "photo", "object")
DAY: Final = 86_400_000  # ms
KEPT_DAYS: Final = 16  # an execution can be redriven for 14 days
_MOST_BYTES: Final = 64 * 2**20


class Rule(Part):
    """Every row with this digest that was asked for until `at` is dead."""

    kind: Kind
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    at: Milliseconds


class RulesFile(Part):
    """The content of an object with rules. `nonce` makes each object another."""

    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    rules: tuple[Rule, ...]


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

    def __len__(self) -> int:
        return sum(map(len, self.latest.values()))

    def __contains__(self, rule: Rule) -> bool:
        """Return True if these rules kill all that the rule kills."""
        at = self.latest[rule.kind].get(bytes.fromhex(rule.digest))
        return at is not None and at >= rule.at

    def each(self) -> Iterator[Rule]:
        for kind in KINDS:
            for digest, at in self.latest[kind].items():
                yield Rule(kind=kind, digest=digest.hex(), at=at)

    def among(self, wanted: Callable[[Rule], bool]) -> Rules:
        """Return the wanted rules."""
        return Rules.of(rule for rule in self.each() if wanted(rule))

    def and_(self, more: Iterable[Rule]) -> Rules:
        """Return these rules and more."""
        return Rules.of([*self.each(), *more])

    def dead(self, rows: Rows) -> Mask:
        """Return which rows a rule kills."""
        dead = np.zeros(len(rows), np.bool_)
        for _, _, row in self._kills(rows):
            dead[row] = True
        return dead

    def killing(self, rows: Rows) -> Rules:
        """Return the rules that kill one of the rows."""
        killing = {(kind, digest) for kind, digest, _ in self._kills(rows)}
        return self.among(lambda rule: (rule.kind, bytes.fromhex(rule.digest)) in killing)

    def _kills(self, rows: Rows) -> Iterator[tuple[Kind, bytes, int]]:
        for kind in KINDS:
            rules = self.latest[kind]
            if not rules:
                continue
            digests = np.frombuffer(b"".join(rules), np.uint8).reshape(-1, BYTES)
            column = getattr(rows, kind)
            for row in np.flatnonzero(np.isin(as_keys(column), as_keys(digests))):
                digest = column[row].tobytes()
                if rows.asked_at[row] <= rules[digest]:
                    yield kind, digest, int(row)


def expired(rows: Rows, head: Head, at: int) -> Mask:
    """Return which rows are older than the collection's retention at a time (ms since 1970)."""
    mask: Mask = rows.enrolled_at + head.consent.retention_days * DAY <= at
    return mask


def dead_since(rows: Rows, head: Head, rules: Rules, at: int) -> Mask:
    """Return which rows were dead already at a time (ms since 1970)."""
    return rules.among(lambda rule: rule.at <= at).dead(rows) | expired(rows, head, at)


def read_rules(places: Places, head: Head) -> Rules:
    """Return all rules of a head.

    Raises ObjectGone if an object is not there, and SegmentMismatch if it is not what the head
    says.
    """
    return Rules.of(rule for part in head.tombstones for rule in _read(places, head, part))


def write_rules(places: Places, head: Head, rules: Rules) -> Tombstones:
    """Store at least one rule as a new object of a collection; no head names it yet."""
    each = tuple(rules.each())
    content = RulesFile(nonce=secrets.token_hex(16), rules=each).model_dump_json().encode()
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
        rules = RulesFile.model_validate_json(content).rules
    except ValidationError:
        raise SegmentMismatch(f"{place.uri} has something else than rules") from None
    if len(rules) != part.rules:
        raise SegmentMismatch(f"{place.uri} has {len(rules)} rules, not {part.rules}")
    return rules
