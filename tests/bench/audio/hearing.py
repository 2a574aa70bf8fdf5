"""Transcribe recordings in this process, as reader and transcriber do; print words and time.

`python -m tests.bench.audio.hearing THREADS WHISPER SILERO SAMPLES...`: a folder of weights, a
network, and arrays of samples at 16 kHz, of shape (n,). Loading does not count.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from containers.audio_reader.network import open_network
from containers.audio_reader.speech import Thresholds
from containers.audio_reader.voice import Voice
from containers.audio_reader.windows import Windower
from containers.transcriber.listening import DecodingOptions, Listener
from containers.transcriber.sound import Sound
from containers.transcriber.whisper import Whisper, open_whisper
from pipeline.audio.samples import Samples
from pipeline.declared.catalogue import load_catalogue
from pipeline.hardware import peak_mb


def main(threads: str, whisper: str, silero: str, *paths: str) -> None:
    thresholds = load_catalogue(Path(__file__).parents[3]).row("silero-vad").spec(Thresholds)
    model, network = open_whisper(Path(whisper), threads=int(threads)), open_network(Path(silero))
    found = [
        _heard(model, Windower(Voice(network).probability, thresholds), np.load(path))
        for path in paths
    ]
    sys.stdout.write(json.dumps({"peak_mb": peak_mb(), "found": found}))


def _heard(model: Whisper, windower: Windower, samples: Samples) -> dict[str, Any]:
    started = time.process_time()
    made = []
    for piece in [*windower.push(samples[:, None]), *windower.finish()]:
        sound = Sound(piece.samples[:, 0].astype(np.float32) / np.float32(2**15), piece.start)
        made.append(Listener(model, sound, DecodingOptions()).transcribe(piece.speech))
    cpu_s = time.process_time() - started
    segments = [segment for each in made for segment in each.segments]
    return {
        "cpu_s": cpu_s,
        "words": [[word.text, word.start, word.end] for s in segments for word in s.words],
        "text": " ".join(segment.text.strip() for segment in segments),
        "coverage": min((each.coverage for each in made), default=0.0),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
