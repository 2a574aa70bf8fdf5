"""Turn the activity in all chunks into the turns of each speaker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from containers.diarizer.assigning import presence
from containers.diarizer.segmentation import Chunk
from containers.diarizer.spec import Active, Labels, SpeakersSpec
from pipeline.contracts.speakers import Turn

_LONGEST_GAP_S: Final = 0.1
_SHORTEST_TURN_S: Final = 0.15


def speaking(
    chunks: Sequence[Chunk], named: Sequence[Labels], speakers: int, frames: int
) -> Active:
    """Return who speaks in each frame of a window, (frames, speakers).

    Their number is the mean over the chunks that contain the frame; those active in most chunks
    speak.
    """
    present = presence(chunks, named, speakers, frames)
    at_once = _at_once(chunks, frames)
    rank = np.argsort(np.argsort(-present, axis=1, kind="stable"), axis=1, kind="stable")
    active: Active = (rank < at_once[:, None]) & (present > 0)
    return active


def turns_of(active: Active, spec: SpeakersSpec, *, start: float, end: float) -> Iterator[Turn]:
    """Yield the turns of a window that lasts from `start` to `end`.

    Short gaps are filled first; then very short turns are left out.
    """
    for speaker in range(active.shape[1]):
        for first, last in _joined(_runs(active[:, speaker]), _LONGEST_GAP_S / spec.frame_s):
            if (last - first) * spec.frame_s >= _SHORTEST_TURN_S:
                begin, until = (spec.seconds_at(frame - 0.5) for frame in (first, last))
                yield Turn(
                    start=round(max(start, start + begin), 3),
                    end=round(min(end, start + until), 3),
                    speaker=speaker,
                )


def _at_once(chunks: Sequence[Chunk], frames: int) -> Labels:
    count, looks = np.zeros(frames), np.zeros(frames)
    for chunk in chunks:
        part = slice(chunk.first, chunk.last)
        count[part] += chunk.active.sum(axis=1)
        looks[part] += 1
    return np.rint(count / np.maximum(looks, 1)).astype(np.int64)


def _runs(active: Active) -> Iterator[tuple[int, int]]:
    steps = np.diff(np.concatenate([[0], active.astype(np.int8), [0]]))
    firsts, lasts = np.nonzero(steps == 1)[0], np.nonzero(steps == -1)[0]
    yield from zip(map(int, firsts), map(int, lasts), strict=True)


def _joined(runs: Iterable[tuple[int, int]], gap: float) -> Iterator[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    yield from joined
