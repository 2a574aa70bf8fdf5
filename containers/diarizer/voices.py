"""The voice of each speaker of a chunk, from the frames in which that speaker speaks alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from containers.diarizer.features import STEP, Heard
from containers.diarizer.segmentation import Chunk
from containers.diarizer.spec import RATE, Frames, Numbers, SpeakersSpec

# Resemblyzer takes 1.6 s at a time, and raises the level to at least -30 dBFS.
_PARTIAL: Final = 160  # frames
_LEVEL: Final = 10 ** (-30 / 10)

_LEAST_ALONE_S: Final = 0.8  # with less, frames in which others speak too are used as well
_LEAST_S: Final = 0.2  # with less, there is no voice

Embed = Callable[[Numbers], Numbers]  # (pieces, frames, bands) → (pieces, size)


class Voice(NamedTuple):
    """The voice of a chunk's own `speaker`: a `vector` of length 1, made of `seconds` of sound.

    `chunk` is the chunk's index in its window.
    """

    chunk: int
    speaker: int
    vector: Numbers
    seconds: float


def voices_of(
    chunks: Sequence[Chunk], heard: Heard, spec: SpeakersSpec, embed: Embed
) -> Iterator[Voice]:
    """Yield the voices of all anchors of one window; chunks are numbered from 0."""
    frame_at = np.rint((heard.at() - spec.frame_length / 2) / spec.frame_step).astype(np.int64)
    for index, chunk in enumerate(chunks):
        if not chunk.anchor or not len(chunk.active):
            continue
        first, last = np.searchsorted(frame_at, [chunk.first, chunk.last])
        active = chunk.active[frame_at[first:last] - chunk.first]
        alone = active.sum(axis=1) == 1
        for speaker in range(active.shape[1]):
            chosen = active[:, speaker] & alone
            if chosen.sum() * STEP < _LEAST_ALONE_S * RATE:
                chosen = active[:, speaker]
            if chosen.sum() * STEP < _LEAST_S * RATE:
                continue
            frames, power = heard.frames[first:last][chosen], heard.power[first:last][chosen]
            vector = _vector(frames, power, spec, embed)
            yield Voice(index, speaker, vector, len(frames) * STEP / RATE)


def _vector(frames: Frames, power: Numbers, spec: SpeakersSpec, embed: Embed) -> Numbers:
    if spec.features == "kaldi":
        vector = embed((frames - frames.mean(axis=0))[None])[0]
    else:
        gain = max(1.0, _LEVEL / max(float(power.mean()), 1e-12))
        vector = embed(_partials(frames * np.float32(gain))).mean(axis=0)
    unit: Numbers = vector / np.float32(np.linalg.norm(vector) or 1)
    return unit


def _partials(frames: Frames) -> Numbers:
    """Return pieces that overlap by half; the last one ends where the frames do."""
    if len(frames) <= _PARTIAL:
        return frames[None]
    last = len(frames) - _PARTIAL
    starts = [*range(0, last, _PARTIAL // 2), last]
    return np.stack([frames[start : start + _PARTIAL] for start in starts])
