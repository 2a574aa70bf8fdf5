"""Made dialogues, of which it is known who speaks when. A seed makes the same one again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soxr

from pipeline.audio.flac import FlacWriter
from pipeline.audio.samples import Samples
from tests.bench.audio.rttm import Turn
from tests.bench.audio.voices import RATE, Voice

_LEVEL_DB: Final = -26.0  # of an utterance, below full scale
_LOUDER_DB: Final = 3.0  # so much louder or quieter is one utterance than another
_ROOM_DB: Final = -58.0
_LONGEST_OVERLAP_S, _LONGEST_PAUSE_S = 0.5, 1.2
_GOES_ON: Final = 0.2  # the probability that the same person says the next utterance, too
_CHUNK_S: Final = 120
_JINGLE_S: Final = 8
_CHORD_HZ: Final = (261.63, 329.63, 392.0, 523.25)


class Dialogue(NamedTuple):
    """What is heard, (n,) at `RATE`, and who speaks when."""

    samples: Samples
    turns: tuple[Turn, ...]


def dialogue(voices: Sequence[Voice], *, seconds: float, seed: int) -> Dialogue:
    """Let people talk for about so long: in turns, with pauses, now and then at the same time."""
    random = np.random.default_rng(seed)
    said: list[tuple[int, Samples]] = []
    turns: list[Turn] = []
    at, speaker = 0.5, int(random.integers(len(voices)))
    while at < seconds:
        voice = voices[speaker]
        utterance = _levelled(voice.utterances[random.integers(len(voice.utterances))], random)
        start = round(at * RATE)
        said.append((start, utterance))
        turns.append(Turn(start / RATE, (start + len(utterance)) / RATE, voice.name))
        before, speaker = speaker, _next_speaker(speaker, len(voices), random)
        least = -_LONGEST_OVERLAP_S if speaker != before else 0.2
        at = max(turn.end for turn in turns) + random.uniform(least, _LONGEST_PAUSE_S)
    length = max(start + len(utterance) for start, utterance in said) + RATE // 2
    mixed = random.standard_normal(length).astype(np.float32) * np.float32(10 ** (_ROOM_DB / 20))
    for start, utterance in said:
        mixed[start : start + len(utterance)] += utterance
    return Dialogue(mixed, tuple(turns))


def write_hours(
    path: Path, voices: Sequence[Voice], *, seconds: float, rate: int
) -> tuple[Turn, ...]:
    """Write a recording of exactly so long as FLAC, and return who speaks when.

    It has one dialogue after another, a chord between any two, and never twice the same.
    """
    turns: list[Turn] = []
    with path.open("wb") as out, FlacWriter(out, rate=rate, channels=1) as flac:
        left = round(seconds * RATE)
        for piece in _pieces(voices):
            at = seconds - left / RATE
            turns += [
                Turn(at + start, min(at + end, seconds), speaker)
                for start, end, speaker in piece.turns
                if at + start < seconds
            ]
            heard = soxr.resample(piece.samples[:left], RATE, rate)
            flac.write(heard[:, None].astype(np.float32))
            left -= len(piece.samples)
            if left <= 0:
                break
    return tuple(turns)


def _pieces(voices: Sequence[Voice]) -> Iterator[Dialogue]:
    seed = 0
    while True:
        yield dialogue(voices, seconds=_CHUNK_S, seed=seed)
        yield Dialogue(_jingle(seed), ())
        seed += 1


def _jingle(seed: int) -> Samples:
    """Return a chord that fades, in another key each time: music, for the tags."""
    seconds = np.arange(_JINGLE_S * RATE) / RATE
    chord = sum(
        np.sin(2 * np.pi * hertz * 2 ** (seed % 12 / 12) * seconds * harmonic) / harmonic
        for hertz in _CHORD_HZ
        for harmonic in (1, 2, 3)
    )
    faded: Samples = (chord / np.abs(chord).max() * 0.3 * np.exp(-seconds / 3)).astype(np.float32)
    return faded


def _levelled(utterance: Samples, random: np.random.Generator) -> Samples:
    """Bring an utterance to the common level, or a little above or below it."""
    level = _LEVEL_DB + random.uniform(-_LOUDER_DB, _LOUDER_DB)
    rms = float(np.sqrt((utterance.astype(np.float64) ** 2).mean()))
    return utterance * np.float32(10 ** (level / 20) / rms)


def _next_speaker(speaker: int, count: int, random: np.random.Generator) -> int:
    if count == 1 or random.uniform() < _GOES_ON:
        return speaker
    return int(speaker + random.integers(1, count)) % count
