"""Group voices into speakers by average linkage; leave out groups that speak too little.

Memory grows with the square of the voices of one part, and not with the recording. A part lasts at
most 2,100 s. With a voice hop of 1 s and three voices in every chunk that is 6,300 voices: a matrix
of 159 MB, and one of half that size. People who take turns have a third as many: 18 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.diarizer.spec import Labels, Numbers, Vectors

LONG_S: Final = 1.6  # shorter voices are too uncertain to start a group
_LEAST_SHARE: Final = 0.05  # of all speech
_LEAST_S: Final = 30.0  # enough for a speaker, even with a smaller share

Together = npt.NDArray[np.int16]


class Limits(NamedTuple):
    """The least and greatest number of speakers. `most` may be infinite."""

    least: int
    most: float


class Speakers(NamedTuple):
    """The `centroids`, (speakers, size), of length 1. `found` is their number without limits."""

    centroids: Vectors
    found: int


class Merge(NamedTuple):
    height: float
    one: int
    other: int


def find_speakers(
    vectors: Vectors, seconds: Numbers, chunks: Labels, *, join_below: float, limits: Limits
) -> Speakers:
    """Return the speakers of these voices: at least one, if there is a voice.

    The segmentation took the voices of one chunk for different speakers. So voices that are often
    in one chunk stay apart even if they sound alike; a mistake in one chunk does no harm. Voices
    shorter than `LONG_S` are left out, and so are groups that speak little.
    """
    if not len(vectors):
        return Speakers(vectors, 0)
    long = seconds >= LONG_S
    kept = long if long.any() else np.ones(len(vectors), bool)
    vectors, seconds, chunks = vectors[kept], seconds[kept], chunks[kept]
    together = (chunks[:, None] == chunks).astype(np.int16)
    distances = vectors @ vectors.T
    merges = average_linkage(np.subtract(1, distances, out=distances), together)
    labels, found = _groups(merges, seconds, join_below, limits)
    weighted = vectors * seconds[:, None]
    sums = [weighted[labels == one].sum(axis=0) for one in range(labels.max() + 1)]
    centroids: Vectors = np.stack(sums)
    return Speakers(centroids / np.linalg.norm(centroids, axis=1, keepdims=True), found)


def average_linkage(distances: Numbers, together: Together) -> list[Merge]:
    """Return all merges of a hierarchical clustering, the nearest groups first.

    The distance of two groups is the mean distance of their members, plus the share of the smaller
    group's members that are `together` with a member of the other, that is, in one chunk. Chains of
    nearest neighbours find all merges in the time of reading the matrix a few times (Murtagh,
    1983). Any member's index stands for its group. Both matrices are overwritten.
    """
    counts = np.ones(len(distances), np.float32)
    np.fill_diagonal(distances, np.inf)
    merges: list[Merge] = []
    chain: list[int] = []
    left = set(range(len(distances)))
    while len(left) > 1:
        chain = chain or [min(left)]
        one = chain[-1]
        apart = distances[one] + together[one] / np.minimum(counts[one], counts)
        other = int(apart.argmin())
        if len(chain) > 1 and apart[chain[-2]] <= apart[other]:
            other = chain[-2]
        if len(chain) == 1 or other != chain[-2]:
            chain.append(other)
            continue
        del chain[-2:]
        merges.append(Merge(float(apart[other]), one, other))
        both = counts[one] + counts[other]
        mean = (counts[one] * distances[one] + counts[other] * distances[other]) / both
        distances[one], distances[:, one], distances[one, one] = mean, mean, np.inf
        distances[other], distances[:, other] = np.inf, np.inf
        together[one] += together[other]
        together[:, one] = together[one]
        counts[one] = both
        left.remove(other)
    return sorted(merges)


def _groups(
    merges: Sequence[Merge], seconds: Numbers, join_below: float, limits: Limits
) -> tuple[Labels, int]:
    """Return each voice's group, -1 if it has none, and how many groups there were without limits.

    A group needs enough speech. If there are fewer groups than `limits.least`, merges are undone.
    If there are more than `limits.most`, those that speak most are kept. Joining the nearest groups
    instead would join two real speakers and keep a group of odd sounds.
    """
    enough = min(_LEAST_S, _LEAST_SHARE * float(seconds.sum()))
    counts = _counts(merges, seconds, enough)
    below = sum(merge.height < join_below for merge in merges)
    after = min(range(below + 1), key=lambda at: (max(limits.least - counts[at], 0), below - at))
    if not counts[after]:
        after = max(range(len(counts)), key=lambda at: (counts[at] > 0, -at))
    parents = _parents(merges[:after], len(seconds))
    sums = np.bincount(parents, seconds, len(seconds))
    speaking = [int(each) for each in np.argsort(-sums, kind="stable") if sums[each] >= enough]
    kept = speaking[: int(min(limits.most, len(speaking)))]
    labels = np.array([kept.index(each) if each in kept else -1 for each in parents])
    return labels, counts[below]


def _counts(merges: Sequence[Merge], seconds: Numbers, enough: float) -> list[int]:
    """Return the number of groups with enough speech after 0, 1, 2… merges."""
    spoken = dict(enumerate(map(float, seconds)))
    parents = list(range(len(seconds)))
    count = sum(each >= enough for each in spoken.values())
    counts = [count]
    for merge in merges:
        one, other = _root(parents, merge.one), _root(parents, merge.other)
        before = (spoken[one] >= enough) + (spoken[other] >= enough)
        spoken[one] += spoken[other]
        parents[other] = one
        count += int(spoken[one] >= enough) - before
        counts.append(count)
    return counts


def _parents(merges: Sequence[Merge], count: int) -> Labels:
    parents = list(range(count))
    for merge in merges:
        parents[_root(parents, merge.other)] = _root(parents, merge.one)
    return np.array([_root(parents, each) for each in range(count)])


def _root(parents: list[int], each: int) -> int:
    while parents[each] != each:
        parents[each] = each = parents[parents[each]]
    return each
