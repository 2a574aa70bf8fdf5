"""Measure the index of a collection that is not exact, and refuse one that finds too little."""

from __future__ import annotations

from typing import Final

from containers.vector_index.comparing.recall import EFFORT, Refused, tune
from containers.vector_index.stored.head import Head, Index, change_head
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Rows
from containers.vector_index.stored.segments import read_segment
from containers.vector_index.stored.tombstones import expired, read_rules
from pipeline.parallel import threads

ROWS: Final = "rows"  # the parameter with the size of the segment that was measured
_GROWN: Final = 1.2


def measure(places: Places, head: Head, at: int) -> Head:
    """Publish what a collection's index finds, if it is new or its largest segment has grown.

    An exact search needs no index. One that is refused for its recall becomes `flat` for good; one
    that cannot be measured yet is not used, and `refused` says why.

    Raises ObjectGone if the head is outdated.
    """
    if head.index.kind == "flat" or head.backend != "segments" or not head.segments:
        return head
    largest = max(head.segments, key=lambda segment: segment.rows)
    if largest.rows < _GROWN * head.index.parameters.get(ROWS, 0):
        return head
    index = _measured(places, head, read_segment(places, head, largest), at)

    def indexed(latest: Head) -> Head:
        return latest if latest.index == index else latest.but(index=index)

    return change_head(places, head.name, indexed)


def _measured(places: Places, head: Head, rows: Rows, at: int) -> Index:
    kind = head.index.kind
    if kind == "flat":
        return head.index
    alive = ~(read_rules(places, head).dead(rows) | expired(rows, head, at))
    least = head.same_above or 0
    found = tune(kind, rows.vectors, alive, same_above=least, threads=threads())
    if not isinstance(found, Refused):
        parameters = {EFFORT: found.effort, ROWS: len(rows)}
        return Index(kind=kind, parameters=parameters, recall=found.recall)
    if found.recall is None:
        return Index(kind=kind, refused=found.why)
    return Index(kind="flat", recall=found.recall, refused=found.why)
