"""Cut a window into chunks that overlap, and find who is active in each of their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.diarizer.spec import RATE, Active, Numbers, Signal, SpeakersSpec

_AT_ONCE: Final = 4  # chunks per run; more need more memory and are not faster

Segment = Callable[[Numbers], Numbers]  # (chunks, 1, samples) → (chunks, frames, classes)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A chunk of a window: who is active, (frames, speakers), from the window's frame `first` on.

    The speakers are the chunk's own. Only an `anchor` gets vectors of its voices: anchors cover the
    window about twice, however many chunks there are.
    """

    first: int
    active: Active
    anchor: bool

    @property
    def last(self) -> int:
        return self.first + len(self.active)


def frames_of(samples: int, spec: SpeakersSpec) -> int:
    """Return the number of frames of a window with this number of samples."""
    return max(1, spec.frame_at(samples - spec.frame_length / 2) + 1)


def look(signal: Signal, hop_s: float, spec: SpeakersSpec, segment: Segment) -> list[Chunk]:
    """Return the chunks of a window, `hop_s` apart; the last one ends where the window does.

    They are at most half a chunk apart: what only one chunk hears is often heard wrong.
    """
    hop_s = min(hop_s, spec.duration_s / 2)
    starts = _starts(len(signal), round(hop_s * RATE), spec.chunk)
    every = max(1, int(spec.voice_hop_s / hop_s))
    padded = np.pad(signal, (0, max(0, spec.chunk - len(signal))))
    total = frames_of(len(signal), spec)
    chunks: list[Chunk] = []
    for at in range(0, len(starts), _AT_ONCE):
        batch = starts[at : at + _AT_ONCE]
        heard = segment(np.stack([padded[start : start + spec.chunk] for start in batch])[:, None])
        for start, active in zip(batch, active_in(heard, spec), strict=True):
            index, first = len(chunks), round(start / spec.frame_step)
            anchor = index % every == 0 or index == len(starts) - 1
            chunks.append(Chunk(first, active[: max(0, total - first)], anchor))
    return chunks


def active_in(heard: Numbers, spec: SpeakersSpec) -> Active:
    """Return whether each speaker is active, (chunks, frames, speakers), for a network's answer."""
    probable = np.exp(heard) @ spec.sets() if spec.output == "powerset" else heard
    active: Active = probable >= spec.onset
    return active


def _starts(samples: int, hop: int, chunk: int) -> list[int]:
    last = max(0, samples - chunk)
    return [*range(0, last, hop), last]
