"""The denoise table: parity with DeepFilterNet's own library, its processor time, flat memory.

Needs MATTELINE_LIBDF and MATTELINE_RECORDINGS: tests/libdf.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from shutil import copyfile
from typing import Final

import numpy as np
from rich.table import Table

from containers.denoiser.channel import Channel
from containers.denoiser.denoising import denoise
from containers.denoiser.network import open_networks
from containers.denoiser.spec import DeepFilterSpec, Signal
from pipeline import hardware
from pipeline.artifacts import LocalStore, Location
from pipeline.audio.flac import FlacWriter, decode_flac
from pipeline.audio.resampling import resampled
from pipeline.audio.samples import mono
from pipeline.cli.report import console
from pipeline.contracts.transcript import AudioPlan, Denoise
from pipeline.model_context import catalogue_of, weights_of
from pipeline.weights.local_weights import checksums
from pipeline.workbench import TaskContext
from tests import libdf
from tests.conftest import ROOT
from tests.libdf import MODEL, RATE

_ROUNDS: Final = 5
_BLOCK_S: Final = 2
_MINUTES: Final = (5, 120)
_MOST_CPU: Final = 0.35  # of the library's
_LEAST_PARITY_DB: Final = 100
_MOST_GROWTH: Final = 1.1


class _Store(LocalStore):
    """A store that copies files, as S3 streams them: their size is not in the memory."""

    def download(self, location: Location, path: Path) -> None:
        copyfile(self._path(location), path)


def main() -> None:
    if why := libdf.missing():
        console().print(f"denoise: skipped; {why}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpacked = libdf.unpack(folder)
        context = libdf.staged(folder, unpacked.networks, _Store(folder / "store"))
        table = Table("denoise", "measured", "aim")
        for row in _beside_the_library(unpacked, context):
            table.add_row(*row)
        for row in _memory(folder):
            table.add_row(*row)
        console().print(table)


def _beside_the_library(
    unpacked: libdf.Unpacked, context: TaskContext
) -> list[tuple[str, str, str]]:
    """Take turns with the library. Loading counts for neither."""
    noisy = _noisy()
    seconds = len(noisy) / RATE
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        reference = libdf.oracle(unpacked, noisy)
        theirs.append(reference.cpu_s / seconds)
        found, cpu_s = _denoised(context, noisy)
        ours.append(cpu_s / seconds)
    parity = libdf.decibels(reference.signal, found - reference.signal)
    ratio = min(ours) / min(theirs)
    return [
        ("parity with libdeepfilter, dB", f"{parity:.1f}", f"≥ {_LEAST_PARITY_DB}"),
        ("libdeepfilter, CPU-s for a second", f"{min(theirs):.4f}", ""),
        ("ours", f"{min(ours):.4f}", ""),
        ("ratio", f"{ratio:.2f}", f"≤ {_MOST_CPU}"),
    ]


def _noisy() -> Signal:
    content = (Path(os.environ[libdf.RECORDINGS]) / "jfk.flac").read_bytes()
    samples, rate = decode_flac(content)
    clean = resampled(mono(samples), from_rate=rate, to_rate=RATE)[:, 0]
    drawn = np.random.default_rng(1).standard_normal(len(clean)).astype(np.float32)
    noisy: Signal = clean + np.float32(0.02) * drawn
    return noisy


def _denoised(context: TaskContext, noisy: Signal) -> tuple[Signal, float]:
    row = catalogue_of(context.bench).row(MODEL)
    streams = weights_of(context.bench).streams(Location("models", row.weights_key), row)
    channel = Channel(open_networks(streams), row.spec(DeepFilterSpec))
    blocks = [*range(0, len(noisy), _BLOCK_S * RATE), len(noisy)]
    started = time.process_time()
    parts = [channel.push(noisy[start:end]) for start, end in pairwise(blocks)]
    parts.append(channel.finish())
    return np.concatenate(parts), time.process_time() - started


def _memory(folder: Path) -> list[tuple[str, str, str]]:
    """Denoise a short and a long recording, in a process each."""
    peaks, rows = [], []
    for minutes in _MINUTES:
        command = [sys.executable, "-m", "tests.bench.audio.denoise", str(folder), str(minutes)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        peak, cpu_s = map(float, done.stdout.split())
        peaks.append(peak)
        rows.append((f"peak of {minutes} minutes, MB", f"{peak:.0f}", ""))
        rows.append((f"CPU-s of {minutes} minutes", f"{cpu_s:.1f}", ""))
    growth = peaks[-1] / peaks[0]
    return [*rows, ("growth of the peak", f"{growth:.2f}", f"≤ {_MOST_GROWTH}")]


def _one_job(folder: Path, minutes: int) -> None:
    """Denoise a recording of so many minutes; print the peak memory and the processor time."""
    store = _Store(folder / "store")
    context = libdf.staged(folder, folder / "networks", store)
    noisy, place = _noisy(), Location("work", f"{minutes}/recorded.flac")
    path = folder / "recorded.flac"
    with path.open("wb") as out, FlacWriter(out, rate=RATE, channels=1) as flac:
        left = minutes * 60 * RATE
        while left > 0:
            flac.write(noisy[:left, None])
            left -= len(noisy)
    target = store._path(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256, size = checksums(path)["sha256"], path.stat().st_size
    path.rename(target)
    plan = AudioPlan(duration_s=minutes * 60, windows=()).model_dump_json().encode()
    job = Denoise.model_validate(
        {
            "schema": 1, "job_id": "1", "execution": "e", "model": MODEL,
            "models_bucket": "models",
            "weights_key": catalogue_of(context.bench).row(MODEL).weights_key,
            "recorded": {"uri": place.uri, "sha256": sha256, "bytes": size},
            "attenuation_db": 100, "format": "flac",
            "plan": store.write(Location("work", "plan.json"), plan, media_type=""),
            "rewrite_windows": False, "work_bucket": "work", "work_prefix": str(minutes),
            "output_stem": "talk",
        }
    )  # fmt: skip
    started = time.process_time()
    denoise(job, context)
    sys.stdout.write(f"{hardware.peak_mb()} {time.process_time() - started}")


if __name__ == "__main__":
    if sys.argv[1:]:
        _one_job(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
