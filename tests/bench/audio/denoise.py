"""The denoiser next to DeepFilterNet's own library: how equal, and how much processor time."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from containers.denoiser.channel import Channel
from containers.denoiser.network import open_networks
from containers.denoiser.spec import DeepFilterSpec, Signal
from pipeline.artifacts import LocalStore, Location
from pipeline.model_context import catalogue_of, weights_of
from pipeline.workbench import TaskContext
from tests import libdf
from tests.bench.audio import peers
from tests.bench.audio.recordings import SPEECH, samples
from tests.bench.figures import Figures
from tests.libdf import MODEL, RATE

_ROUNDS: Final = 5
_BLOCK_S: Final = 2
_MOST_CPU: Final = 0.35  # of the library's
_LEAST_PARITY_DB: Final = 100


def main() -> None:
    noisy = _noisy()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpacked = peers.libdeepfilter(folder)
        context = libdf.staged(folder, unpacked.networks, LocalStore(folder / "store"))
        _compare(unpacked, context, noisy)


def _compare(unpacked: libdf.Unpacked, context: TaskContext, noisy: Signal) -> None:
    """Take turns with the library; the best of the rounds counts, and loading for neither."""
    seconds = len(noisy) / RATE
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        reference = libdf.oracle(unpacked, noisy)
        theirs.append(reference.cpu_s / seconds)
        found, cpu_s = _denoised(context, noisy)
        ours.append(cpu_s / seconds)
    parity = libdf.decibels(reference.signal, found - reference.signal)
    figures = Figures("Denoiser", peer="libdeepfilter")
    figures.at_least("parity, dB", parity, _LEAST_PARITY_DB, form=".0f")
    figures.add("CPU-seconds a second of audio", f"{min(ours):.4f}", f"{min(theirs):.4f}")
    figures.at_most("CPU ÷ the library's", min(ours) / min(theirs), _MOST_CPU, form=".2f")
    figures.show()


def _noisy() -> Signal:
    clean = samples(SPEECH, RATE)
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
