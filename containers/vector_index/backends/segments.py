"""The backend `segments`: rows in immutable files, which a search holds in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from containers.vector_index.backends.backend import Compaction, Counts, Found, Question
from containers.vector_index.backends.merging import compact_segments
from containers.vector_index.backends.warm import warm_of
from containers.vector_index.stored.head import Head, Segment
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Kind, Mask, Rows, as_keys
from containers.vector_index.stored.segments import erase_segment, read_segment, write_segment
from containers.vector_index.stored.tombstones import DAY, Rules, expired


@dataclass(frozen=True)
class SegmentsBackend:
    """Segments in the collections bucket, and those that this task added."""

    places: Places
    added: dict[bytes, tuple[Head, Segment]] = field(default_factory=dict)

    def known(self, head: Head, rules: Rules, rows: Rows, *, at: int) -> Mask:
        wanted = as_keys(rows.ids)
        known = np.zeros(len(rows), np.bool_)
        for part in self.rows(head):
            same = np.isin(as_keys(part.ids), wanted)
            if same.any():
                found = part.take(same)
                alive = ~(rules.dead(found) | expired(found, head, at))
                known |= np.isin(wanted, as_keys(found.ids)[alive])
        return known

    def add(self, head: Head, rows: Rows) -> Head:
        if not len(rows):
            return head
        ids = rows.ids.tobytes()
        if ids not in self.added:
            self.added[ids] = head, write_segment(self.places, head, rows)
        _, segment = self.added[ids]
        # S3 may accept a head whose writer never learns of it
        if segment.sha256 in {each.sha256 for each in head.segments}:
            return head
        return head.but(segments=(*head.segments, segment))

    def discard(self, head: Head | None) -> None:
        kept = {each.sha256 for each in head.segments} if head else set()
        for written_for, segment in self.added.values():
            if segment.sha256 not in kept:
                erase_segment(self.places, written_for, segment)

    def rows(
        self,
        head: Head,
        *,
        of: tuple[Kind, bytes] | None = None,
        vectors: bool = True,  # noqa: ARG002 - they are mapped, and read when they are needed
    ) -> Iterator[Rows]:
        for segment in head.segments:
            rows = read_segment(self.places, head, segment)
            chosen = rows if of is None else rows.take(rows.of(*of))
            if len(chosen):
                yield chosen

    def buried(self, head: Head, rules: Rules, *, killed: int) -> Head:  # noqa: ARG002 - counted again
        segments = [
            segment.model_copy(update={"dead": int(rules.dead(rows).sum())})
            for segment, rows in zip(head.segments, self.rows(head), strict=True)
        ]
        return head.but(segments=tuple(segments))

    def search(self, head: Head, rules: Rules, question: Question, *, at: int) -> Found:
        warm = warm_of(self.places.scratch, self.places.memory_mb)
        return warm.search(self.places, head, rules, question, at=at)

    def compact(self, head: Head, rules: Rules, *, at: int, force: bool) -> Compaction:
        return compact_segments(self.places, head, rules, at=at, force=force)

    def count(self, head: Head, rules: Rules, *, at: int) -> Counts:
        dead = sum(self._dead(head, rules, segment, at) for segment in head.segments)
        rows = sum(segment.rows for segment in head.segments)
        size = sum(segment.bytes for segment in head.segments)
        return Counts(rows - dead, dead, len(head.segments), size)

    def erase(self, head: Head) -> int:  # noqa: ARG002 - all of it is in the bucket
        return 0

    def _dead(self, head: Head, rules: Rules, segment: Segment, at: int) -> int:
        """Count a segment's dead rows; read it only if some of its rows have expired."""
        kept = head.consent.retention_days * DAY
        if segment.oldest + kept > at:
            return segment.dead
        if segment.newest + kept <= at:
            return segment.rows
        rows = read_segment(self.places, head, segment)
        return int((rules.dead(rows) | expired(rows, head, at)).sum())
