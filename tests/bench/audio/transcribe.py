"""Whisper beside faster-whisper: processor time with word times, texts, packages, times of words.

Both run the same kept whisper-base in 8 bits, greedily, with one thread, each in a process of its
own; faster-whisper in an environment of its own, made once in `.venv-peer-audio`. Recordings are
those of MATTELINE_RECORDINGS, and espeak-ng's voice, whose own times of words are known.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from rich.table import Table

from pipeline.cli.report import console
from pipeline.declared.catalogue import load_catalogue
from pipeline.session.choice import cache_folder
from tests.conftest import ROOT

MOST_CPU: Final = 0.9  # of faster-whisper's
MOST_IMPORT_S: Final = 0.4
MOST_MB: Final = 330
RATE: Final = 16_000
PEER: Final = ROOT / ".venv-peer-audio"
NAMES: Final = ("jfk.flac", "multilingual.mp3", "sample.wav")
SPOKEN: Final = (
    "The quick brown fox jumps over the lazy dog. A journey of a thousand miles begins with a "
    "single step. She sells sea shells by the sea shore, and the shells she sells are surely sea "
    "shells. Every good student should know the answer before the lesson ends."
)
OUR_PACKAGES: Final = ("ctranslate2", "tokenizers", "onnxruntime", "numpy", "soundfile", "PyYAML")
OURS: Final = """
import json, sys, time
import numpy as np
from pathlib import Path
started = time.process_time()
from containers.transcriber.listening import Listener, Wish
from containers.transcriber.sound import Sound
from containers.transcriber.whisper import open_whisper
import ctranslate2, tokenizers
imported = time.process_time() - started
from pipeline.contracts.transcript import Span
from pipeline.hardware import peak_mb
model = open_whisper(Path(sys.argv[1]), threads=1)
found = []
for path in sys.argv[2:]:
    samples = np.load(path)
    spans = [Span(start=a, end=b) for a, b in json.loads(Path(path + ".speech").read_text())]
    started = time.process_time()
    made = Listener(model, Sound(samples, 0.0), Wish()).transcribe(spans)
    took = time.process_time() - started
    words = [[w.text, w.start, w.end] for s in made.segments for w in s.words]
    found.append({"cpu": took, "words": words, "text": " ".join(s.text for s in made.segments)})
print(json.dumps({"import": imported, "peak_mb": peak_mb(), "found": found}))
"""
THEIRS: Final = """
import json, sys, time
import numpy as np
started = time.process_time()
from faster_whisper import WhisperModel
imported = time.process_time() - started
model = WhisperModel(sys.argv[1], compute_type="int8", cpu_threads=1)
found = []
for path in sys.argv[2:]:
    samples = np.load(path)
    started = time.process_time()
    segments, _ = model.transcribe(samples, beam_size=1, word_timestamps=True, vad_filter=True)
    segments = list(segments)
    took = time.process_time() - started
    words = [[w.word, w.start, w.end] for s in segments for w in s.words]
    found.append({"cpu": took, "words": words, "text": "".join(s.text for s in segments)})
print(json.dumps({"import": imported, "found": found}))
"""


def main() -> None:
    weights = _weights()
    with tempfile.TemporaryDirectory() as scratch:
        spoken, expected = _espeak(Path(scratch))
        clips = [*_recordings(), *([("espeak-ng", spoken)] if expected else [])]
        paths = [_written(Path(scratch), name, samples) for name, samples in clips]
        ours = _run(Path(sys.executable), OURS, weights, paths)
        theirs = _run(_peer(), THEIRS, weights, paths)
    table = Table("recording", "CPU-s/s", "faster-whisper", "ratio", "words", "faster-whisper")
    for (name, samples), mine, other in zip(clips, ours["found"], theirs["found"], strict=True):
        seconds = len(samples) / RATE
        table.add_row(
            name, f"{mine['cpu'] / seconds:.3f}", f"{other['cpu'] / seconds:.3f}",
            f"{mine['cpu'] / other['cpu']:.2f}", str(len(mine["words"])), str(len(other["words"])),
        )  # fmt: skip
    console().print(table)
    together = sum(one["cpu"] for one in ours["found"]) / sum(o["cpu"] for o in theirs["found"])
    console().print(f"All recordings: {together:.2f} of faster-whisper's CPU (aim {MOST_CPU})")
    console().print(
        f"Import {ours['import']:.2f} CPU-s (aim {MOST_IMPORT_S}), faster-whisper "
        f"{theirs['import']:.2f}; peak {ours['peak_mb']:.0f} MB"
    )
    console().print(f"Packages {_installed_mb():.0f} MB (aim {MOST_MB}), {_peer_mb():.0f} MB")
    if expected:
        for name, run in (("transcriber", ours), ("faster-whisper", theirs)):
            _report_times(name, run["found"][-1], expected)


def _report_times(name: str, found: dict[str, Any], expected: Sequence[tuple[str, float]]) -> None:
    """Compare the starts of words with those of the voice, in order, where the texts agree."""
    heard = [(_plain(text), start) for text, start, _ in found["words"]]
    pairs, at = [], 0
    for word, start in expected:
        places = [i for i in range(at, min(at + 4, len(heard))) if heard[i][0] == _plain(word)]
        if places:
            pairs.append(abs(heard[places[0]][1] - start))
            at = places[0] + 1
    errors = len(expected) - len(pairs)
    console().print(
        f"espeak-ng, {name}: starts differ by {statistics.median(pairs) * 1000:.0f} ms in the "
        f"median, {max(pairs) * 1000:.0f} ms at most; words that differ: {errors}"
    )


def _weights() -> Path:
    row = load_catalogue(ROOT).row("whisper-base")
    folder = cache_folder() / row.weights_prefix
    if not (folder / row.files[0].name).is_file():
        sys.exit(f"there is no {row.name} in {folder}; `make weights` fetches it")
    return folder


def _recordings() -> list[tuple[str, Any]]:
    folder = os.environ.get("MATTELINE_RECORDINGS")
    if folder is None:
        console().print("MATTELINE_RECORDINGS names no folder: only espeak-ng's voice is used")
        return []
    found = []
    for name in NAMES:
        samples, rate = soundfile.read(Path(folder) / name, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
        found.append((name, mono))
    return found


def _written(folder: Path, name: str, samples: Any) -> Path:
    path = folder / f"{name}.npy"
    np.save(path, samples)
    Path(f"{path}.speech").write_text(json.dumps(_speech(samples)))
    return path


def _speech(samples: Any) -> list[tuple[float, float]]:
    """Find speech by its level: enough for clean recordings, and no time of the measurement."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    level = np.convolve(np.sqrt((frames**2).mean(axis=1)), np.ones(5) / 5, mode="same")
    loud = level > max(0.08 * np.percentile(level, 95), 1e-4)
    spans: list[list[float]] = []
    for index in np.nonzero(loud)[0]:
        start = index * 0.02
        if spans and start - spans[-1][1] < 0.25:
            spans[-1][1] = start + 0.02
        else:
            spans.append([start, start + 0.02])
    end = len(samples) / RATE
    return [(max(0.0, a - 0.05), min(end, b + 0.05)) for a, b in spans if b - a >= 0.1]


def _run(python: Path, code: str, weights: Path, paths: Sequence[Path]) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", code, weights, *paths], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _peer() -> Path:
    python = PEER / "bin" / "python"
    if not python.is_file():
        console().print(f"Installing faster-whisper in {PEER.name}, once")
        venv.create(PEER, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "faster-whisper==1.2.1"], check=True)
    return python


def _installed_mb() -> float:
    files = (
        Path(str(file.locate()))
        for name in OUR_PACKAGES
        for file in distribution(name).files or ()
        if "tests" not in file.parts and file.suffix not in {".pyi", ".pyc"}
    )
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def _peer_mb() -> float:
    skipped = {"pip", "setuptools", "_distutils_hack", "pkg_resources", "tests", "__pycache__"}
    files = next(PEER.glob("lib/python*/site-packages")).rglob("*")
    kept = (path for path in files if path.is_file() and not skipped & set(path.parts))
    return sum(path.stat().st_size for path in kept) / 1e6


def _plain(text: str) -> str:
    return re.sub(r"\W", "", text).lower()


def _espeak(folder: Path) -> tuple[Any, list[tuple[str, float]]]:
    """Return espeak-ng's voice at 16 kHz and its words with their starts; none if it is missing."""
    library = ctypes.util.find_library("espeak-ng")
    if library is None:
        console().print("espeak-ng is not installed: times of words are not measured")
        return np.zeros(0, np.float32), []
    done = subprocess.run(
        [sys.executable, "-c", ESPEAK, library, str(folder / "voice.npy"), SPOKEN],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    spoken = json.loads(done.stdout)
    samples = np.load(folder / "voice.npy").astype(np.float32) / 2**15
    words = [(SPOKEN[at : at + length], start / 1000) for at, length, start in spoken["words"]]
    return soxr.resample(samples, spoken["rate"], RATE).astype(np.float32), words


# Its own process: the library keeps the callback and global state. Events: 1 is a word, 0 the end.
ESPEAK: Final = """
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


if __name__ == "__main__":
    started = time.monotonic()
    main()
    console().print(f"{time.monotonic() - started:.0f} s")
