"""Draw sounds to compare two networks on: the same in every run, none of them silent."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from containers.model_downloader.optimisation.pictures import Tensor

Wave = npt.NDArray[np.float64]

_SYLLABLE_S: Final = 0.2
_VOWELS: Final = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
_FORMANT_HZ: Final = 90.0  # half of a formant's width
_PITCH_HZ: Final = (100.0, 180.0)  # at the start and at the end
_LEAST_VARIANCE: Final = 1e-7


def sounds(samples: int, rate: int) -> list[Tensor]:
    """Draw 1×samples sounds: vowels, hisses, a chirp, vowels in noise, and one between silences.

    Each has a mean of 0 and a variance of 1. The chirp is shorter: networks that listen take sounds
    of any length.
    """
    spoken, hissed = _vowels(samples, rate), _hisses(samples, rate)
    noisy = spoken / spoken.std() + hissed / hissed.std() / 2
    alone = np.where(_in_the_middle(samples), spoken, 0)
    drawn = [spoken, hissed, _chirp(samples * 2 // 3, rate), noisy, alone]
    return [_level(each) for each in drawn]


def _level(sound: Wave) -> Tensor:
    level = (sound - sound.mean()) / np.sqrt(sound.var() + _LEAST_VARIANCE)
    leveled: Tensor = level[None].astype(np.float32)
    return leveled


def _in_the_middle(samples: int) -> npt.NDArray[np.bool_]:
    place = np.arange(samples) / samples
    return (place > 0.4) & (place < 0.6)


def _vowels(samples: int, rate: int) -> Wave:
    """Add the harmonics of a rising pitch, loud near the formants of one vowel after the other."""
    time = np.arange(samples) / rate
    pitch = np.linspace(*_PITCH_HZ, samples)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formants = np.array(_VOWELS)[(time / _SYLLABLE_S).astype(int) % len(_VOWELS)].T
    sound: Wave = np.zeros(samples)
    for harmonic in range(1, int(rate / 2 / _PITCH_HZ[1])):
        away = (harmonic * pitch - formants) / _FORMANT_HZ
        sound += (1 / (1 + away**2)).sum(axis=0) * np.sin(harmonic * phase) / harmonic
    return sound * _syllables(time)


def _hisses(samples: int, rate: int) -> Wave:
    """Draw noise that comes and goes between the vowels."""
    noise = np.random.default_rng(7).standard_normal(samples)
    return noise * _syllables(np.arange(samples) / rate + _SYLLABLE_S / 2)


def _chirp(samples: int, rate: int) -> Wave:
    """Draw a tone that rises from 60 Hz to nearly half the rate."""
    pitch = np.geomspace(60, 0.45 * rate, samples)
    return np.sin(2 * np.pi * np.cumsum(pitch) / rate)


def _syllables(time: Wave) -> Wave:
    return np.sin(np.pi * time / _SYLLABLE_S) ** 2
