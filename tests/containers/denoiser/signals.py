"""Signals that the tests draw."""

from __future__ import annotations

import numpy as np

from pipeline.audio.samples import Samples


def noise(seconds: float, *, rate: int = 48_000, channels: int = 1, seed: int = 1) -> Samples:
    """Draw noise below a quarter of the rate, so that no filter at another rate removes any."""
    dice = np.random.default_rng(seed)
    count = round(seconds * rate)
    spectrum = np.fft.rfft(dice.standard_normal((count, channels)), axis=0)
    spectrum[round(len(spectrum) * min(1, 2000 / rate * 2) * 0.9) :] = 0
    signal = np.fft.irfft(spectrum, count, axis=0)
    drawn: Samples = (0.3 * signal / np.abs(signal).max()).astype(np.float32)
    return drawn


def lag(late: Samples, early: Samples) -> int:
    """Return by how many samples the first is later, from the peak of their correlation."""
    count = len(late) + len(early)
    product = np.fft.rfft(late.ravel(), count) * np.conj(np.fft.rfft(early.ravel(), count))
    place = int(np.argmax(np.fft.irfft(product, count)))
    return place if place < len(late) else place - count
