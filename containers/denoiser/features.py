"""What the networks hear of a spectrum: the level of each band, and the lowest bins, normalised.

Both are what DeepFilterNet's `libDF` computes (github.com/Rikorose/DeepFilterNet, lib.rs).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.denoiser.spec import Bands, DeepFilterSpec, Spectrum

_FIRST_LEVELS: Final = (-60.0, -90.0)  # dB, of the lowest and the highest band
_FIRST_SIZES: Final = (1e-3, 1e-4)
_LEVEL_RANGE: Final = 40.0  # dB
_TINY: Final = np.float32(1e-10)

# Glasberg and Moore, "Derivation of auditory filter shapes from notched-noise data", 1990.
_ERB_WIDTH: Final = 24.7  # Hz, of the lowest auditory filter
_ERB_SLOPE: Final = 9.265


def band_widths(spec: DeepFilterSpec) -> list[int]:
    """Return how many bins each band has: bands are equally wide to the ear (ERB)."""
    scale = _ERB_WIDTH * _ERB_SLOPE
    highest = _ERB_SLOPE * np.log1p(spec.rate / 2 / scale)
    edges = scale * np.expm1(np.arange(1, spec.bands + 1) * highest / spec.bands / _ERB_SLOPE)
    widths, before, borrowed = [], 0, 0
    for edge in np.round(edges * spec.window / spec.rate).astype(int):
        width = int(edge) - before - borrowed
        borrowed = max(0, spec.least_bins - width)
        widths.append(max(spec.least_bins, width))
        before = int(edge)
    widths[-1] += spec.bins - sum(widths)
    return widths


class RunningMean:
    """The mean of each column over all frames so far, of which older ones count less."""

    def __init__(self, decay: float, first: tuple[float, float], columns: int) -> None:
        self._decay = decay
        self._mean = np.linspace(*first, columns, dtype=np.float32)

    def push(self, values: Bands) -> Bands:
        """Return the mean at each of these frames, with that frame."""
        count = len(values)
        ages = np.subtract.outer(np.arange(count), np.arange(count))
        weights = np.where(ages >= 0, (1 - self._decay) * self._decay ** np.maximum(ages, 0), 0)
        kept = self._decay ** np.arange(1, count + 1)[:, None] * self._mean
        means: Bands = (weights @ values + kept).astype(np.float32)
        self._mean = means[-1]
        return means


class Features:
    """The features of a signal whose spectra arrive in pieces."""

    def __init__(self, spec: DeepFilterSpec) -> None:
        self._widths = np.array(band_widths(spec))
        self._starts = np.concatenate([[0], np.cumsum(self._widths)[:-1]])
        self._filter_bins = spec.filter_bins
        self._levels = RunningMean(spec.decay, _FIRST_LEVELS, spec.bands)
        self._sizes = RunningMean(spec.decay, _FIRST_SIZES, spec.filter_bins)

    def push(self, spectra: Spectrum) -> tuple[Bands, Spectrum]:
        """Return the bands' levels and the lowest bins of each frame, normalised."""
        power = spectra.real**2 + spectra.imag**2
        means = np.add.reduceat(power, self._starts, axis=1) / self._widths.astype(np.float32)
        levels: Bands = 10 * np.log10(means + _TINY)
        low = spectra[:, : self._filter_bins]
        sizes: Bands = np.sqrt(self._sizes.push(np.abs(low)))
        normalised = (low / sizes).astype(np.complex64, copy=False)
        return (levels - self._levels.push(levels)) / np.float32(_LEVEL_RANGE), normalised
