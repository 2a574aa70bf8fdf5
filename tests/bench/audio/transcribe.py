"""Whisper next to faster-whisper: processor time, texts, times of words, packages.

Both run the same kept whisper-base in 8 bits, greedily, on two threads, each in a process of its
own, in turns. Both find speech with a Silero network first, and time every word. The recordings
are real ones, and espeak-ng's voice, whose own times of words are known.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr

from pipeline.audio.samples import Samples
from pipeline.cli.report import console
from tests.bench.audio import peers
from tests.bench.audio.recordings import (
    SPEECH,
    TWO_LANGUAGES,
    TWO_SPEAKERS,
    kept_weights,
    samples,
)
from tests.bench.figures import Figures, Missing
from tests.conftest import ROOT

_ROUNDS: Final = int(os.environ.get("ROUNDS") or 3)
_THREADS: Final = "2"
_MOST_CPU: Final = 0.9  # of faster-whisper's
_MOST_MB: Final = 330
_MOST_APART_MS: Final = 80
_RATE: Final = 16_000
_KENNEDY: Final = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for "
    "your country"
)
# The MIT licence, then a translation of it.
_LICENCE: Final = (
    "permission is hereby granted free of charge to any person obtaining a copy of this software "
    "and associated documentation files to deal in the software without restriction including "
    "without limitation the rights to use copy modify merge publish distribute sublicense and or "
    "sell copies of the software and to permit persons to whom the software is furnished to do so "
    "subject to the following conditions the above copyright notice and this permission notice "
    "shall be included in all copies or substantial portions of the software "
    "jedem der diese software und die dazugehörigen dokumentationsdateien erhält wird hiermit "
    "unentgeltlich die genehmigung erteilt mit der software uneingeschränkt zu verfahren dies "
    "umfasst insbesondere das recht die software zu verwenden zu vervielfältigen zu modifizieren "
    "zusammenzufügen zu veröffentlichen zu verbreiten unterzulizenzieren und oder kopien der "
    "software zu verkaufen und diese rechte unter folgenden bedingungen anderen zu übertragen"
)
_SAID: Final = {SPEECH: _KENNEDY.split(), TWO_LANGUAGES: _LICENCE.split()}
_MOST_IN_ONE_PLACE: Final = 2  # words lost or invented: a small model hears one word as two
_SPOKEN: Final = (
    "The quick brown fox jumps over the lazy dog. A journey of a thousand miles begins with a "
    "single step. She sells sea shells by the sea shore, and the shells she sells are surely sea "
    "shells. Every good student should know the answer before the lesson ends."
)
# What the image installs for the model; AWS's packages are in every image.
_PACKAGES: Final = ("ctranslate2", "tokenizers", "onnxruntime", "numpy", "soundfile", "PyYAML")
_OURS: Final = ("-m", "tests.bench.audio.hearing")
_THEIRS: Final = (
    "-c",
    """
import json, sys, time
import numpy as np
from faster_whisper import WhisperModel
threads, whisper, *paths = sys.argv[1:]
model = WhisperModel(whisper, compute_type="int8", cpu_threads=int(threads))
found = []
for path in paths:
    samples = np.load(path)
    started = time.process_time()
    segments, _ = model.transcribe(samples, beam_size=1, word_timestamps=True, vad_filter=True)
    segments = list(segments)
    took = time.process_time() - started
    words = [[w.word, w.start, w.end] for s in segments for w in s.words]
    found.append({"cpu_s": took, "words": words, "text": "".join(s.text for s in segments)})
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"peak_mb": peak, "found": found}))
""",
)


@dataclass(frozen=True)
class Clip:
    """Sound at 16 kHz; `words` are those said, with their starts in seconds if they are known."""

    name: str
    samples: Samples
    words: Sequence[tuple[str, float]] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / _RATE


def main() -> None:
    whisper, silero = kept_weights("whisper-base"), kept_weights("silero-vad")
    network = silero / "silero_vad.onnx"
    clips = [Clip(name, samples(name, _RATE)) for name in (SPEECH, TWO_LANGUAGES, TWO_SPEAKERS)]
    peer = peers.faster_whisper()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            clips.append(_espeak(folder))
        except Missing as why:
            console().print(f"transcribe: no times of words: {why}")
        paths = [_written(folder, clip) for clip in clips]
        for _ in range(_ROUNDS):
            ours.append(_process(Path(sys.executable), _OURS, [whisper, network, *paths]))
            theirs.append(_process(peer, _THEIRS, [whisper, *paths]))
    _time(clips, ours, theirs)
    _texts(clips, ours[-1], theirs[-1])
    _packages()


def _time(
    clips: Sequence[Clip], ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]
) -> None:
    figures = Figures(
        f"Whisper base, CPU-seconds a second of audio, best of {_ROUNDS}", peer="faster-whisper"
    )
    totals = np.zeros(2)
    for index, clip in enumerate(clips):
        took = [min(run["found"][index]["cpu_s"] for run in runs) for runs in (ours, theirs)]
        totals += took
        figures.add(clip.name, *(f"{each / clip.seconds:.3f}" for each in took))
    figures.at_most("all, ÷ faster-whisper's", totals[0] / totals[1], _MOST_CPU, form=".2f")
    figures.add("peak memory, MB", *(f"{runs[-1]['peak_mb']:.0f}" for runs in (ours, theirs)))
    figures.show()


def _texts(clips: Sequence[Clip], ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    figures = Figures("Words", peer="faster-whisper")
    timed = []
    for clip, mine, other in zip(clips, ours["found"], theirs["found"], strict=True):
        figures.add(f"{clip.name}: words", str(len(mine["words"])), str(len(other["words"])))
        said = _SAID.get(clip.name) or [_plain(word) for word, _ in clip.words]
        if said:
            _add_errors(figures, clip, *(word_errors(said, _heard(run)) for run in (mine, other)))
        if clip.name == TWO_LANGUAGES:
            for at, name in enumerate(("lost", "invented")):
                most, their = (in_one_place(said, _heard(run))[at] for run in (mine, other))
                figures.at_most(
                    f"  most {name} in one place", most, _MOST_IN_ONE_PLACE,
                    form=".0f", peer=str(their),
                )  # fmt: skip
        if clip.words:
            apart, their_apart = (_apart_ms(clip, run) for run in (mine, other))
            figures.at_most(
                "  starts differ from the voice's, median, ms", apart, _MOST_APART_MS,
                form=".0f", peer=f"{their_apart:.0f}",
            )  # fmt: skip
        figures.add("  share of the speech that segments cover", f"{mine['coverage']:.2f}")
        timed.append(_share_timed(clip, mine))
    figures.at_least("words with a time, %", 100 * min(timed), 100, form=".0f")
    figures.show()
    for run, name in ((ours, "Matteline"), (theirs, "faster-whisper")):
        text = run["found"][[clip.name for clip in clips].index(TWO_LANGUAGES)]["text"]
        console().print(f"{TWO_LANGUAGES}, {name}: {text.strip()}")


def _add_errors(figures: Figures, clip: Clip, ours: int, theirs: int) -> None:
    if clip.name == SPEECH:
        figures.at_most("  words that are wrong", ours, 0, form=".0f", peer=str(theirs))
    else:
        figures.add("  words that are wrong", str(ours), str(theirs))


def _packages() -> None:
    figures = Figures("Packages, MB", peer="faster-whisper")
    theirs = f"{peers.faster_whisper_mb():.0f}"
    figures.at_most("transcriber", _installed_mb(), _MOST_MB, form=".0f", peer=theirs)
    figures.show()


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Return the least number of words to insert, delete or replace: Levenshtein's distance."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        before, row = row, [number]
        for at, other in enumerate(heard, start=1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (word != other)))
    return row[-1]


def in_one_place(said: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """Return the most words lost, and the most invented, between two words that both texts have."""
    lost = invented = 0
    for _, a, b, c, d in SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
        lost, invented = max(lost, (b - a) - (d - c)), max(invented, (d - c) - (b - a))
    return lost, invented


def _heard(found: dict[str, Any]) -> list[str]:
    return re.findall(r"\w+", found["text"].lower())


def _share_timed(clip: Clip, found: dict[str, Any]) -> float:
    """Return the share of the text's words that have a time inside the recording."""
    spelt = len(found["text"].split())
    timed = sum(
        len(text.split()) for text, start, end in found["words"] if 0 <= start < end <= clip.seconds
    )
    return timed / spelt if spelt else 1.0


def _apart_ms(clip: Clip, found: dict[str, Any]) -> float:
    """Return the median difference of the starts of the words that both texts have."""
    said = [_plain(word) for word, _ in clip.words]
    heard = [_plain(text) for text, _, _ in found["words"]]
    blocks = SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks()
    apart: list[float] = [
        abs(clip.words[block.a + at][1] - found["words"][block.b + at][1])
        for block in blocks
        for at in range(block.size)
    ]
    return 1000 * statistics.median(apart)


def _plain(text: str) -> str:
    return re.sub(r"\W", "", text).lower()


def _written(folder: Path, clip: Clip) -> Path:
    path = folder / f"{clip.name}.npy"
    np.save(path, clip.samples)
    return path


def _process(python: Path, program: Sequence[str], arguments: Sequence[Path]) -> dict[str, Any]:
    command = [str(python), *program, _THREADS, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": _THREADS}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _installed_mb() -> float:
    files = (
        Path(str(file.locate()))
        for name in _PACKAGES
        for file in distribution(name).files or ()
        if "tests" not in file.parts and file.suffix != ".pyc"
    )
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def _espeak(folder: Path) -> Clip:
    """Return espeak-ng's voice, and its own times of words. Raises Missing."""
    library = ctypes.util.find_library("espeak-ng")
    if library is None:
        raise Missing("espeak-ng is not installed")
    done = subprocess.run(
        [sys.executable, "-c", _ESPEAK, library, str(folder / "voice.npy"), _SPOKEN],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    spoken = json.loads(done.stdout)
    voice = np.load(folder / "voice.npy").astype(np.float32) / 2**15
    words = [(_SPOKEN[at : at + length], start / 1000) for at, length, start in spoken["words"]]
    resampled: Samples = soxr.resample(voice, spoken["rate"], _RATE).astype(np.float32)
    return Clip("espeak-ng", resampled, words)


# Its own process: the library keeps the callback and global state. Events: 1 is a word, 0 the end.
_ESPEAK: Final = """
import ctypes, json, sys
import numpy as np
class Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique", ctypes.c_uint), ("position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio", ctypes.c_int), ("sample", ctypes.c_int),
                ("user", ctypes.c_void_p), ("id", ctypes.c_char * 8)]
Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                            ctypes.POINTER(Event))
sound, words = [], []
def take(wave, count, events):
    if wave and count > 0:
        sound.append(np.ctypeslib.as_array(wave, (count,)).copy())
    index = 0
    while events[index].type != 0:
        if events[index].type == 1:
            words.append((events[index].position - 1, events[index].length, events[index].audio))
        index += 1
    return 0
library = ctypes.CDLL(sys.argv[1])
rate = library.espeak_Initialize(2, 0, None, 0)
callback = Callback(take)
library.espeak_SetSynthCallback(callback)
library.espeak_SetVoiceByName(b"en-us")
library.espeak_SetParameter(1, 140, 0)
text = sys.argv[3].encode()
library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
library.espeak_Synchronize()
np.save(sys.argv[2], np.concatenate(sound))
print(json.dumps({"rate": rate, "words": words}))
"""
