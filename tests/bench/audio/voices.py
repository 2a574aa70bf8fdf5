"""The voices of made dialogues: short utterances of one person each, real or of espeak-ng.

Real ones are cut from the recordings; espeak-ng's speak sentences of ours.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import soundfile
import soxr

from pipeline.audio.samples import Samples
from tests.bench.audio.recordings import (
    SPEECH,
    TWO_LANGUAGES,
    TWO_SPEAKERS,
    recording,
    samples,
)
from tests.bench.audio.rttm import Turn, read_rttm
from tests.bench.figures import Missing

RATE: Final = 16_000
_READS_ENGLISH_S: Final = 30.0  # then a voice that is hard to tell from the first reads German
_FRAME: Final = RATE // 50
_QUIET_DB: Final = 22  # so far below the loud frames nobody speaks
_LOUD: Final = 95  # percent of the frames are less loud
_LEAST_PAUSE: Final = 10  # frames: a shorter one is a part of the utterance
_LEAST_S: Final = 1.0
_MOST_S: Final = 8.0
_SENTENCES: Final = (
    "The train to the coast leaves from the other platform at half past nine.",
    "I would rather wait for the rain to stop before we cross the bridge.",
    "Nobody has told the neighbours that the garden gate is broken again.",
    "Please send the second chapter to the printer before Thursday evening.",
    "The old lighthouse keeper counted seven ships on the horizon.",
    "We could paint the kitchen yellow and leave the hallway as it is.",
    "My brother keeps his tools in a wooden box under the stairs.",
    "There were more questions after the talk than anybody had expected.",
    "A cup of coffee and a slice of bread are all that I need now.",
    "If the meeting takes longer, somebody should call the office.",
)


@dataclass(frozen=True)
class Voice:
    """A person, and what the person says: samples at `RATE`, each of shape (n,), without pauses."""

    name: str
    utterances: tuple[Samples, ...]


def real_voices() -> tuple[Voice, ...]:
    """Return the people of the recordings who can be told apart. Raises Missing."""
    read = samples(TWO_LANGUAGES, RATE)[: round(_READS_ENGLISH_S * RATE)]
    whole = {"kennedy": samples(SPEECH, RATE), "reader": read}
    cut = {name: tuple(utterances(content)) for name, content in whole.items()}
    return tuple(Voice(name, found) for name, found in (cut | _of_the_sample()).items())


def espeak_voices(names: Sequence[str]) -> tuple[Voice, ...]:
    """Return English voices of espeak-ng, by the names of its variants. Raises Missing."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise Missing("espeak-ng is not installed")
    return tuple(
        Voice(name, tuple(_spoken(program, name, sentence) for sentence in _SENTENCES))
        for name in names
    )


def utterances(content: Samples) -> Iterator[Samples]:
    """Yield what is said between pauses, if it takes one second to eight; content is (n,)."""
    frames = content[: len(content) // _FRAME * _FRAME].reshape(-1, _FRAME)
    levels = 10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
    loud = np.flatnonzero(levels > np.percentile(levels, _LOUD) - _QUIET_DB)
    breaks = np.flatnonzero(np.diff(loud) > _LEAST_PAUSE) + 1
    for run in np.split(loud, breaks):
        said = content[run[0] * _FRAME : (run[-1] + 1) * _FRAME]
        if _LEAST_S * RATE <= len(said) <= _MOST_S * RATE:
            yield said


def _of_the_sample() -> dict[str, tuple[Samples, ...]]:
    """Cut what one speaker of the sample says while the other is silent."""
    content = samples(TWO_SPEAKERS, RATE)
    turns = read_rttm(recording(TWO_SPEAKERS).with_suffix(".rttm").read_text())
    found: dict[str, tuple[Samples, ...]] = {}
    for start, end, speaker in _alone(turns):
        if end - start >= _LEAST_S:
            said = content[round(start * RATE) : round(end * RATE)]
            found[speaker] = (*found.get(speaker, ()), said)
    return found


def _alone(turns: Sequence[Turn]) -> Iterator[Turn]:
    """Yield the stretches in which exactly one speaker speaks."""
    cuts = sorted({cut for turn in turns for cut in (turn.start, turn.end)})
    for start, end in pairwise(cuts):
        speaking = [turn.speaker for turn in turns if turn.start <= start and end <= turn.end]
        if len(speaking) == 1:
            yield Turn(start, end, speaking[0])


def _spoken(program: str, variant: str, sentence: str) -> Samples:
    done = subprocess.run(
        [program, "-v", f"en-us+{variant}", "-s", "165", "--stdout", sentence],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    content, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    heard: Samples = soxr.resample(content, rate, RATE)
    loud = np.flatnonzero(np.abs(heard) > np.abs(heard).max() / 50)
    return heard[loud[0] : loud[-1] + 1]
