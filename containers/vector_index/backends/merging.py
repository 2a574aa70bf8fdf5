"""Rewrite segments without their dead rows, and join small ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from containers.vector_index.backends.backend import Compaction
from containers.vector_index.stored.head import Head, Segment, Superseded, change_head
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Mask, Rows
from containers.vector_index.stored.segments import erase_segment, read_segment, write_segment
from containers.vector_index.stored.tombstones import DAY, Rules, dead_since, expired, read_rules

MOST_SEGMENTS: Final = 50
FULL: Final = 2**17  # rows of a segment, about 150 MB with 512 dimensions
_MOST_DEAD: Final = 0.2  # of a segment's rows
_SPARE: Final = 2 * DAY  # before the deadline, for runs that fail


class Worn(NamedTuple):
    """A segment, how many of its rows are dead, and how many of them reached their deadline.

    Some are `due` when the deadline is near.
    """

    segment: Segment
    dead: int
    due: bool
    overdue: int

    @property
    def left(self) -> int:
        return self.segment.rows - self.dead


def has_many(head: Head) -> bool:
    """Return True if a collection has so many small segments that they should be joined."""
    return sum(_is_small(each.rows) for each in head.segments) > MOST_SEGMENTS


def compact_segments(
    places: Places, head: Head, rules: Rules, *, at: int, force: bool
) -> Compaction:
    """Write new segments, and heads that name them; the old ones are superseded by then."""
    worn = [_worn(places, head, rules, segment, at) for segment in head.segments]
    join = force or has_many(head)
    at_once = set()
    for group in _groups([each for each in worn if _is_rewritten(each, join=join, force=force)]):
        if len(group) == 1 and not group[0].dead:
            continue
        head = _replace(places, head, rules, group, at)
        at_once |= {
            places.segment(head.name, each.segment.sha256).key
            for each in group
            if each.due or force
        }
    overdue = sum(each.overdue for each in worn)
    return Compaction(head, overdue=overdue, at_once=frozenset(at_once))


def _worn(places: Places, head: Head, rules: Rules, segment: Segment, at: int) -> Worn:
    rows = read_segment(places, head, segment)
    deadline = at - head.erase_within_days * DAY
    due = dead_since(rows, head, rules, min(at, deadline + _SPARE))
    overdue = dead_since(rows, head, rules, deadline)
    dead = int(_dead(rows, head, rules, at).sum())
    return Worn(segment, dead, bool(due.any()), int(overdue.sum()))


def _dead(rows: Rows, head: Head, rules: Rules, at: int) -> Mask:
    return rules.dead(rows) | expired(rows, head, at)


def _is_small(rows: int) -> bool:
    return rows < FULL // 2


def _is_rewritten(worn: Worn, *, join: bool, force: bool) -> bool:
    many = worn.dead > worn.segment.rows * _MOST_DEAD
    return many or worn.due or (force and worn.dead > 0) or (join and _is_small(worn.left))


def _groups(worn: Sequence[Worn]) -> Iterator[list[Worn]]:
    """Yield groups whose rows fit into one segment, in order."""
    group: list[Worn] = []
    for each in worn:
        if group and sum(other.left for other in group) + each.left > FULL:
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _replace(places: Places, head: Head, rules: Rules, group: Sequence[Worn], at: int) -> Head:
    """Publish a head with one new segment (none if no row is left) in place of a group's."""
    parts = []
    for each in group:
        rows = read_segment(places, head, each.segment)
        parts.append(rows.take(~_dead(rows, head, rules, at)))
    joined = Rows.joined(parts)
    new = write_segment(places, head, joined) if len(joined) else None
    gone = {each.segment.sha256 for each in group}
    old = tuple(
        Superseded(
            key=places.segment(head.name, each.segment.sha256).key,
            since=at,
            because="erased" if each.dead else "merged",
            rows=each.dead,
        )
        for each in group
    )

    def replaced(latest: Head) -> Head:
        if not gone <= {each.sha256 for each in latest.segments}:
            return latest  # another run was first, or this one and never learned of it
        fresh = (new.model_copy(update={"dead": _count(places, latest, joined)}),) if new else ()
        kept = tuple(each for each in latest.segments if each.sha256 not in gone)
        return latest.but(segments=(*kept, *fresh), superseded=(*latest.superseded, *old))

    published = change_head(places, head.name, replaced)
    if new and new.sha256 not in {each.sha256 for each in published.segments}:
        erase_segment(places, head, new)
    return published


def _count(places: Places, head: Head, rows: Rows) -> int:
    return int(read_rules(places, head).dead(rows).sum())
