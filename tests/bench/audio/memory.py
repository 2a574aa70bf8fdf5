"""Peak memory of the audio reader and the denoiser: two hours of audio next to five minutes.

A recording of each length repeats what is in the folder of recordings, as 48 kHz mono FLAC. Each
task has a process of its own; the denoiser takes what the reader wrote, windows included.
MINUTES=10 measures another length than two hours.
"""

from __future__ import annotations

import os
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from pipeline.artifacts import Location
from pipeline.audio.flac import FlacWriter
from pipeline.contracts.transcript import Denoise, ReadAudio, SourceRecording
from pipeline.declared.catalogue import load_catalogue
from pipeline.weights.local_weights import checksums
from tests.bench.audio.recordings import (
    SPEECH,
    TWO_LANGUAGES,
    TWO_SPEAKERS,
    kept_weights,
    samples,
)
from tests.bench.figures import Figures
from tests.bench.one_task import StreamingStore
from tests.bench.tasks import in_process, stage

_SHORT: Final = 5  # minutes
_LONG: Final = int(os.environ.get("MINUTES") or 120)
_MOST_GROWTH: Final = 1.1
_RATE: Final = 48_000
_VOICE: Final = "silero-vad"
_DENOISER: Final = "deepfilternet3"


def main() -> None:
    for model in (_VOICE, _DENOISER):
        kept_weights(model)
    figures = Figures("Memory, each task in a process of its own")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = StreamingStore(folder / "store")
        stage(store, folder, (_VOICE, _DENOISER))
        measured = {minutes: _measured(store, folder, minutes) for minutes in (_SHORT, _LONG)}
    for task in ("reader", "denoiser"):
        for minutes, told in measured.items():
            text = f"{told[task]['peak_mb']:.0f}"
            figures.add(f"{task}, {minutes} minutes: peak, MB", text)
            per_second = told[task]["cpu_s"] / (minutes * 60)
            figures.add("  CPU-seconds a second of audio", f"{per_second:.4f}")
        short, long = (told[task]["peak_mb"] for told in measured.values())
        figures.at_most(f"{task}: growth of the peak", long / short, _MOST_GROWTH, form=".2f")
    figures.show()


def _measured(store: StreamingStore, folder: Path, minutes: int) -> dict[str, Any]:
    place = Location("ingest", f"{minutes}.flac")
    path = folder / "made.flac"
    _write(path, minutes)
    target = store._path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256 = checksums(path)["sha256"]
    path.rename(target)
    stat, catalogue = store.stat(place), load_catalogue(Path(__file__).parents[3])
    whose = {
        "schema_version": 1, "job_id": "1", "execution": "e", "models_bucket": "models",
        "work_bucket": "work", "work_prefix": str(minutes),
    }  # fmt: skip
    source = SourceRecording(
        bucket=place.bucket, key=place.key, version_id=None, etag=stat.etag, sha256=sha256,
        bytes=stat.bytes, media_type="audio/flac", format="flac",
    )  # fmt: skip
    reading = ReadAudio(
        **whose, source=source, model=_VOICE, weights_key=catalogue.row(_VOICE).weights_key,
        keep_recorded=True, keep_sound=False,
    )  # fmt: skip
    read = in_process("audio_reader", reading, folder)
    target.unlink()
    denoising = Denoise(
        **whose, model=_DENOISER, weights_key=catalogue.row(_DENOISER).weights_key,
        recorded=read["result"]["recorded"], attenuation_db=100, format="flac",
        plan=read["result"]["plan"], rewrite_windows=True, output_stem="talk",
    )  # fmt: skip
    return {"reader": read, "denoiser": in_process("denoiser", denoising, folder)}


def _write(path: Path, minutes: int) -> None:
    """Write a recording of so many minutes, piece by piece."""
    pieces = [samples(name, _RATE) for name in (SPEECH, TWO_LANGUAGES, TWO_SPEAKERS)]
    left = minutes * 60 * _RATE
    with path.open("wb") as out, FlacWriter(out, rate=_RATE, channels=1) as flac:
        for piece in cycle(pieces):
            flac.write(piece[:left, None])
            left -= len(piece)
            if left <= 0:
                return
