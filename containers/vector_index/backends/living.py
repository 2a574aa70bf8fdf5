"""Find out which rows of segments can be found: none that is dead, and each id once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from containers.vector_index.stored.rows import Mask, Rows, as_keys
from containers.vector_index.stored.tombstones import Rules


def not_ruled_out(parts: Sequence[Rows], rules: Rules) -> list[Mask]:
    """Return for each segment which rows no rule kills, and of equal ids only the newest row.

    Two enrolments at the same time may both add a row. The newest also expires last.
    """
    masks = [~rules.dead(part) for part in parts]
    again = _repeated(parts, masks)
    starts = np.cumsum([0, *map(len, parts)])
    for mask, start, end in zip(masks, starts[:-1], starts[1:], strict=True):
        mask[again[(again >= start) & (again < end)] - start] = False
    return masks


def of_person(part: Rows, person: bytes) -> Mask:
    """Return which rows of a segment are those of a person, by its digest."""
    wanted = np.frombuffer(person, np.uint64)
    mask: Mask = (np.ascontiguousarray(part.person).view(np.uint64) == wanted).all(axis=1)
    return mask


def _repeated(parts: Sequence[Rows], masks: Sequence[Mask]) -> npt.NDArray[np.intp]:
    """Return the rows, counted through all segments, whose id a newer row has as well."""
    if len(parts) < 2:  # within a segment, ids differ
        return np.zeros(0, np.intp)
    alive = np.flatnonzero(np.concatenate(masks))
    halves = np.concatenate([_first_half(part) for part in parts])[alive]
    order = np.argsort(halves, kind="stable")
    same = halves[order[1:]] == halves[order[:-1]]
    if not same.any():
        return np.zeros(0, np.intp)
    some = alive[np.union1d(order[1:][same], order[:-1][same])]
    ids, times = (
        np.concatenate([column(part) for part in parts])[some]
        for column in (lambda part: as_keys(part.ids), lambda part: part.enrolled_at)
    )
    newest_last = np.lexsort((some, times, ids))
    older = ids[newest_last[:-1]] == ids[newest_last[1:]]
    repeated: npt.NDArray[np.intp] = some[newest_last[:-1][older]]
    return repeated


def _first_half(part: Rows) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(part.ids[:, :8]).view(np.uint64)[:, 0]
