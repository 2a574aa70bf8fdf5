"""Run the networks on one window after the other, then find who speaks in all of them.

Of a window, the activity in each chunk and the voices are kept; its sound is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from containers.diarizer.assigning import name_voices
from containers.diarizer.clustering import Limits, Speakers, find_speakers
from containers.diarizer.features import features_of
from containers.diarizer.segmentation import Chunk, frames_of, look
from containers.diarizer.spec import RATE, Numbers, Signal, SpeakersSpec, Vectors
from containers.diarizer.turns import speaking, turns_of
from containers.diarizer.voices import Voice, voices_of
from pipeline.contracts.speakers import PartSpeaker, Turn

_DIGITS: Final = 6  # of a centroid's numbers


class Networks(Protocol):
    """The two networks of a row: see `SpeakersSpec`."""

    def segment(self, sound: Numbers) -> Numbers:
        """Return (chunks, frames, classes) for (chunks, 1, samples)."""

    def embed(self, features: Numbers) -> Numbers:
        """Return (pieces, size) for (pieces, frames, bands)."""


class Found(NamedTuple):
    """Who speaks when in a part. `remarks` are sentences about doubtful results."""

    turns: tuple[Turn, ...]
    speakers: tuple[PartSpeaker, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Window:
    start: float
    samples: int
    chunks: list[Chunk]
    voices: list[Voice]


class Listener:
    """Collects the windows of a part; chunks start `hop_s` apart."""

    def __init__(self, networks: Networks, spec: SpeakersSpec, *, hop_s: float) -> None:
        self._networks, self._spec, self._hop_s = networks, spec, hop_s
        self._windows: list[_Window] = []

    @property
    def figures(self) -> dict[str, float]:
        """Seconds of sound, number of chunks, number of voices."""
        return {
            "sound_s": round(sum(each.samples for each in self._windows) / RATE, 3),
            "chunks": float(sum(len(each.chunks) for each in self._windows)),
            "voices": float(sum(len(each.voices) for each in self._windows)),
        }

    def hear(self, signal: Signal, start: float) -> None:
        """Run the networks on a window; `start` is in seconds."""
        chunks = look(signal, self._hop_s, self._spec, self._networks.segment)
        heard = features_of(signal, self._spec)
        voices = list(voices_of(chunks, heard, self._spec, self._networks.embed))
        self._windows.append(_Window(start, len(signal), chunks, voices))

    def find(self, limits: Limits) -> Found:
        """Return who speaks when in all windows."""
        found = self._speakers(limits)
        turns = [turn for each in self._windows for turn in self._turns(each, found.centroids)]
        turns.sort(key=lambda turn: (turn.start, turn.end))
        order = list(dict.fromkeys(turn.speaker for turn in turns))
        number = {speaker: index for index, speaker in enumerate(order)}
        named = tuple(turn.model_copy(update={"speaker": number[turn.speaker]}) for turn in turns)
        speakers = tuple(_speaker(found.centroids[each], number[each], named) for each in order)
        return Found(named, speakers, tuple(_remarks(found, len(speakers), limits)))

    def _speakers(self, limits: Limits) -> Speakers:
        vectors: list[Numbers] = []
        seconds: list[float] = []
        chunks: list[int] = []
        before = 0
        for each in self._windows:
            vectors += [voice.vector for voice in each.voices]
            seconds += [voice.seconds for voice in each.voices]
            chunks += [before + voice.chunk for voice in each.voices]
            before += len(each.chunks)
        stacked: Vectors = np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)
        return find_speakers(
            stacked,
            np.array(seconds, np.float32),
            np.array(chunks),
            join_below=self._spec.join_below,
            limits=limits,
        )

    def _turns(self, window: _Window, centroids: Vectors) -> list[Turn]:
        if not len(centroids):
            return []
        spec, frames = self._spec, frames_of(window.samples, self._spec)
        named = name_voices(
            window.chunks, window.voices, centroids, frames=frames, join_below=spec.join_below
        )
        active = speaking(window.chunks, named, len(centroids), frames)
        end = window.start + window.samples / RATE
        return list(turns_of(active, spec, start=window.start, end=end))


def limits_of(known: int | None, least: int | None, most: int | None, *, alone: bool) -> Limits:
    """Return a part's limits; the least number holds only for a part that is `alone`."""
    if known is not None:
        least = most = known
    return Limits((least or 1) if alone else 1, math.inf if most is None else most)


def _speaker(centroid: Numbers, number: int, turns: tuple[Turn, ...]) -> PartSpeaker:
    spoken = sum(turn.end - turn.start for turn in turns if turn.speaker == number)
    return PartSpeaker(
        centroid=tuple(round(float(each), _DIGITS) for each in centroid),
        speech_s=round(spoken, 3),
    )


def _remarks(found: Speakers, speak: int, limits: Limits) -> Iterator[str]:
    if found.found > limits.most:
        yield (
            f"{found.found} voices were told apart, and at most {limits.most:.0f} may speak: "
            "those who spoke least count as the most similar others."
        )
    elif 0 < speak < limits.least:
        yield f"Only {speak} voices could be told apart, of at least {limits.least} that speak."
