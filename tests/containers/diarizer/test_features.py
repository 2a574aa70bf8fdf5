"""What the networks hear equals what they were trained on, as other libraries compute it."""

from __future__ import annotations

import numpy as np
import pytest

from containers.diarizer.features import STEP, features_of
from containers.diarizer.spec import RATE, Signal
from tests.containers.diarizer.rows import spec

TIME = np.arange(3200) / RATE
CHIRP: Signal = (0.3 * np.sin(2 * np.pi * (300 * TIME + 4000 * TIME**2))).astype(np.float32)


def test_kaldis_filter_bank() -> None:
    """The values are kaldi-native-fbank 1.22's: Hamming windows, no dither, 80 bands."""
    heard = features_of(CHIRP, spec(features="kaldi", bands=80))

    assert heard.frames.shape == (18, 80)
    expected = [11.427, 14.309, 15.16, 13.375, 12.732]
    assert heard.frames[7, ::16] == pytest.approx(expected, abs=2e-3)
    assert heard.frames[7].argmax() == 26
    assert heard.frames[7].max() == pytest.approx(25.515, abs=2e-3)


def test_resemblyzers_spectrogram() -> None:
    """The values are librosa 0.11's `melspectrogram` with 40 bands, 400 samples, every 160."""
    heard = features_of(CHIRP, spec(features="resemblyzer", bands=40))

    assert heard.frames.shape == (21, 40)
    expected = [0.19307, 0.01145, 0.00053, 5e-05, 1e-05]
    assert heard.frames[0, ::8] == pytest.approx(expected, abs=1e-5)
    assert heard.frames[7].argmax() == 11
    assert heard.frames[7].max() == pytest.approx(10.6985, rel=1e-4)


@pytest.mark.parametrize("features", ["kaldi", "resemblyzer"])
def test_frames_of_a_long_window_equal_those_of_a_piece_of_it(features: str) -> None:
    bands = 80 if features == "kaldi" else 40
    sound = np.random.default_rng(3).standard_normal(40 * RATE).astype(np.float32) * 0.1

    whole = features_of(sound, spec(features=features, bands=bands))
    piece = features_of(sound[35 * RATE :], spec(features=features, bands=bands))

    first = 35 * RATE // STEP
    assert whole.frames[first + 5 : first + 400] == pytest.approx(piece.frames[5:400], rel=1e-3)


@pytest.mark.parametrize("samples", [1, 100, 399, 400, 401])
@pytest.mark.parametrize("features", ["kaldi", "resemblyzer"])
def test_the_shortest_window_has_features(samples: int, features: str) -> None:
    heard = features_of(np.zeros(samples, np.float32), spec(features=features))

    assert len(heard.frames) == len(heard.power) == len(heard.at()) >= 1
    assert np.isfinite(heard.frames).all()


def test_power_is_the_mean_square() -> None:
    sound = np.full(RATE, 0.5, np.float32)

    assert features_of(sound, spec(features="kaldi")).power[5:50] == pytest.approx(0.25)
