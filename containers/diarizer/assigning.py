"""Assign each speaker of each chunk to a speaker of the part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from containers.diarizer.segmentation import Chunk
from containers.diarizer.spec import Labels, Numbers, Vectors
from containers.diarizer.voices import Voice

UNKNOWN: Final = -1


def name_voices(
    chunks: Sequence[Chunk],
    voices: Sequence[Voice],
    centroids: Vectors,
    *,
    frames: int,
    join_below: float,
) -> list[Labels]:
    """Return who the speakers of each chunk of a window are: indices of centroids.

    A voice is assigned to the nearest centroid. A speaker without a voice is the one whom chunks
    with voices have active at the same time; `UNKNOWN` if there is none.
    """
    named = [np.full(chunk.active.shape[1], UNKNOWN) for chunk in chunks]
    by_chunk: dict[int, list[Voice]] = {}
    for voice in voices:
        by_chunk.setdefault(voice.chunk, []).append(voice)
    for index, heard in by_chunk.items():
        near = np.stack([voice.vector for voice in heard]) @ centroids.T
        for voice, speaker in zip(heard, one_to_one(near, least=1 - join_below), strict=True):
            named[index][voice.speaker] = speaker
    heard_at = presence(chunks, named, len(centroids), frames)
    for chunk, names in zip(chunks, named, strict=True):
        _name_others(chunk, names, heard_at)
    return named


def presence(
    chunks: Sequence[Chunk], named: Sequence[Labels], speakers: int, frames: int
) -> Numbers:
    """Return the share of chunks in which each speaker is active, (frames, speakers).

    Only chunks with a named speaker count.
    """
    active = np.zeros((frames, speakers), np.float32)
    looks = np.zeros((frames, 1), np.float32)
    for chunk, names in zip(chunks, named, strict=True):
        part = slice(chunk.first, chunk.last)
        looks[part] += (names != UNKNOWN).any()
        for speaker in np.unique(names[names != UNKNOWN]):
            active[part, speaker] += chunk.active[:, names == speaker].any(axis=1)
    share: Numbers = (active / np.maximum(looks, 1)).astype(np.float32)
    return share


def one_to_one(scores: Numbers, *, least: float) -> list[int]:
    """Return a column for each row, each column once, the greatest scores first.

    A row that would get no score above `least` gets its best column, even if another row has it.
    """
    chosen = [UNKNOWN] * len(scores)
    taken: set[int] = set()
    for place in np.argsort(scores, axis=None, kind="stable")[::-1]:
        row, column = divmod(int(place), scores.shape[1])
        best = bool(scores[row, column] == scores[row].max())
        if chosen[row] == UNKNOWN and column not in taken and (best or scores[row, column] > least):
            chosen[row] = column
            taken.add(column)
    return [
        int(scores[row].argmax()) if column == UNKNOWN else column
        for row, column in enumerate(chosen)
    ]


def _name_others(chunk: Chunk, names: Labels, heard_at: Numbers) -> None:
    """Name those speakers of a chunk who are not named yet."""
    others = np.nonzero((names == UNKNOWN) & chunk.active.any(axis=0))[0]
    if not len(others):
        return
    together = chunk.active[:, others].T.astype(np.float32) @ heard_at[chunk.first : chunk.last]
    together[:, names[names != UNKNOWN]] = 0
    for speaker, name in zip(others, one_to_one(together, least=0), strict=True):
        if together[speaker == others, name] > 0:
            names[speaker] = name
