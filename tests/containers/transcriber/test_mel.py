"""The features that Whisper hears."""

from __future__ import annotations

import numpy as np
import pytest

from containers.transcriber.mel import FRAMES, RATE, log_mel, mel_filters


@pytest.mark.parametrize("bins", [80, 128])
def test_a_tone_is_loudest_in_the_filter_around_its_frequency(bins: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE).astype(np.float32)

    features = log_mel(tone, bins)

    loudest = int(features[:, 100].argmax())
    centre = float((mel_filters(bins)[loudest] * np.linspace(0, 8000, 201)).sum())
    assert features.shape == (bins, FRAMES)
    assert features.dtype == np.float32
    assert centre / mel_filters(bins)[loudest].sum() == pytest.approx(1000, abs=60)


def test_filters_are_those_of_slaneys_scale() -> None:
    """Values of librosa.filters.mel(sr=16000, n_fft=400, n_mels=80), which OpenAI ships."""
    filters = mel_filters(80)

    assert filters[0, 1] == pytest.approx(0.02486259, abs=1e-6)
    assert filters[1, 1] == pytest.approx(0.00199082, abs=1e-6)
    assert filters[79, 199] == pytest.approx(0.00044876, abs=1e-6)


def test_what_is_after_the_sound_is_silence_eight_decades_below_the_loudest() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)

    features = log_mel(noise, 80)

    assert np.ptp(features) == pytest.approx(2.0)
    assert np.all(features[:, 110:] == features.min())


def test_silence_is_finite() -> None:
    assert np.isfinite(log_mel(np.zeros(0, np.float32), 80)).all()
