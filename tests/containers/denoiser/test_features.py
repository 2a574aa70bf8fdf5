"""Features are those of the published network's own code, frame by frame."""

from __future__ import annotations

import itertools

import numpy as np

from containers.denoiser.features import Features, RunningMean, band_widths
from containers.denoiser.spectrum import Analysis
from tests.containers.denoiser.conftest import SPEC
from tests.containers.denoiser.signals import noise

# What libDF's `erb_fb` gives for 48 kHz, 960, 32 bands of at least 2 bins.
WIDTHS = [2] * 13 + [5, 5, 7, 7, 8, 10, 12, 13, 15, 18, 20, 24, 28, 31, 37, 42, 50, 56, 67]


def test_bands_are_as_wide_as_the_published_networks() -> None:
    assert band_widths(SPEC) == WIDTHS
    assert sum(WIDTHS) == SPEC.bins


def test_a_running_mean_moves_with_every_frame() -> None:
    values = np.random.default_rng(3).standard_normal((230, 4)).astype(np.float32)
    running = RunningMean(0.99, (-60, -90), 4)

    means = np.concatenate([running.push(values[:7]), running.push(values[7:])])

    mean = np.linspace(-60, -90, 4)
    for value, found in zip(values, means, strict=True):
        mean = 0.01 * value + 0.99 * mean
        np.testing.assert_allclose(found, mean, rtol=1e-5)


def test_features_follow_libdfs_formulas() -> None:
    spectra = Analysis(SPEC).push(noise(0.3)[:, 0])
    levels, low = Features(SPEC).push(spectra)

    mean, size = np.linspace(-60, -90, 32), np.linspace(1e-3, 1e-4, 96)
    edges = np.concatenate([[0], np.cumsum(WIDTHS)])
    for frame, (level, bins) in enumerate(zip(levels, low, strict=True)):
        power = np.abs(spectra[frame]) ** 2
        bands = [power[a:b].mean() for a, b in itertools.pairwise(edges)]
        decibels = 10 * np.log10(np.array(bands) + 1e-10)
        mean = 0.01 * decibels + 0.99 * mean
        np.testing.assert_allclose(level, (decibels - mean) / 40, atol=1e-4)
        size = 0.01 * np.abs(spectra[frame, :96]) + 0.99 * size
        np.testing.assert_allclose(bins, spectra[frame, :96] / np.sqrt(size), atol=1e-4)
