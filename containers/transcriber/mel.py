"""Log-mel features: what Whisper sees of 30 seconds of sound.

The same numbers as OpenAI's reference, without its table of filters: Slaney's mel scale, filters of
equal area, a periodic Hann window of 25 ms every 10 ms.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.contracts.audio_windows import SPEECH_RATE

Samples = npt.NDArray[np.float32]

RATE: Final = SPEECH_RATE
SLICE_S: Final = 30  # the encoder's input is always as long
HOP: Final = 160  # samples: 10 ms
FRAMES: Final = SLICE_S * RATE // HOP

_FFT: Final = 400  # samples: 25 ms
_FLOOR: Final = 1e-10
_RANGE: Final = 8.0  # decades below the loudest value; the rest is cut off


def log_mel(samples: Samples, bins: int) -> Samples:
    """Return the features of at most 30 s of 16 kHz sound, bins×3000; the rest is silence."""
    padded = np.zeros(SLICE_S * RATE + _FFT, np.float32)
    half = _FFT // 2
    padded[half : half + len(samples)] = samples
    padded[:half] = padded[half + 1 : _FFT + 1][::-1]  # mirrored, as the reference does
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][:FRAMES]
    used = min(FRAMES, len(samples) // HOP + 3)  # frames after these are silent
    power = np.zeros((FRAMES, half + 1), np.float32)
    spectrum = np.fft.rfft(windows[:used] * _hann())
    power[:used] = spectrum.real**2 + spectrum.imag**2
    mel = np.log10(np.maximum(mel_filters(bins) @ power.T, _FLOOR))
    mel = np.maximum(mel, mel.max() - _RANGE)
    features: Samples = ((mel + 4) / 4).astype(np.float32)
    return features


@lru_cache
def mel_filters(bins: int) -> Samples:
    """Return triangular filters from 0 to 8 kHz, bins×201."""
    frequencies = np.linspace(0, RATE / 2, _FFT // 2 + 1)
    corners = _hertz(np.linspace(0, _mel(RATE / 2), bins + 2))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (frequencies - low) / (centre - low)
    falling = (high - frequencies) / (high - centre)
    area = 2 / (high - low)
    filters: Samples = (np.maximum(0, np.minimum(rising, falling)) * area).astype(np.float32)
    return filters


@lru_cache
def _hann() -> Samples:
    window: Samples = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    return window


_LINEAR_HZ: Final = 200 / 3  # a mel below 1 kHz
_BREAK_MEL: Final = 15.0  # 1 kHz; the scale is logarithmic above
_STEP: Final = np.log(6.4) / 27


def _mel(hertz: float) -> float:
    """Return a frequency of at least 1 kHz on Slaney's scale."""
    return float(_BREAK_MEL + np.log(hertz / 1000) / _STEP)


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = 1000 * np.exp(_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
