"""Compute what the embedding networks take: bands of the spectrum, every 10 ms.

`kaldi`: WeSpeaker's features (github.com/wenet-e2e/wespeaker, bin/infer_onnx.py): Kaldi's log mel
filter bank of Hamming windows; each speaker's mean is subtracted later. `resemblyzer`: its
mel spectrogram (github.com/resemble-ai/Resemblyzer, audio.py), which is librosa's, not logarithmic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.diarizer.spec import RATE, Frames, Numbers, Signal, SpeakersSpec

STEP: Final = 160
WINDOW: Final = 400
_BLOCK: Final = 3000  # frames whose spectra are computed at once
_FULL_SCALE: Final = 2**15
_LOWEST_HZ: Final = 20.0
_PREEMPHASIS: Final = np.float32(0.97)
_LEAST: Final = np.finfo(np.float32).eps


@dataclass(frozen=True, eq=False)
class Heard:
    """The features of a window; `power` is the mean square of each frame's samples.

    Frame `i` is centred on the sample `i * STEP + offset`.
    """

    frames: Frames
    power: Numbers
    offset: int

    def at(self) -> npt.NDArray[np.int64]:
        """Return the sample in the middle of each frame."""
        return np.arange(len(self.frames)) * STEP + self.offset


def features_of(signal: Signal, spec: SpeakersSpec) -> Heard:
    """Return the features of a window's sound, at least one frame."""
    offset = WINDOW // 2 if spec.features == "kaldi" else 0
    padded = np.pad(signal, (WINDOW // 2 - offset, max(WINDOW, WINDOW // 2 - offset)))
    count = max(1, 1 + (len(signal) - 2 * offset) // STEP)
    frames = np.empty((count, spec.bands), np.float32)
    power = np.empty(count, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
    for at in range(0, count, _BLOCK):
        block = windows[at : min(at + _BLOCK, count)]
        part = slice(at, at + len(block))
        power[part] = np.square(block).mean(axis=1)
        frames[part] = _kaldi(block, spec) if spec.features == "kaldi" else _mel(block, spec)
    return Heard(frames, power, offset)


def _kaldi(block: Frames, spec: SpeakersSpec) -> Frames:
    scaled = block * np.float32(_FULL_SCALE)
    level = scaled - scaled.mean(axis=1, keepdims=True)
    before = np.concatenate([level[:, :1], level[:, :-1]], axis=1)
    shaped = (level - _PREEMPHASIS * before) * np.hamming(WINDOW).astype(np.float32)
    spectra = np.abs(np.fft.rfft(shaped, 512)) ** 2
    bands: Frames = np.log(np.maximum(spectra @ _kaldi_bands(spec.bands), _LEAST)).astype(
        np.float32
    )
    return bands


def _mel(block: Frames, spec: SpeakersSpec) -> Frames:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    spectra = np.abs(np.fft.rfft(block * hann.astype(np.float32))) ** 2
    bands: Frames = (spectra @ _slaney_bands(spec.bands)).astype(np.float32)
    return bands


@cache
def _kaldi_bands(bands: int) -> npt.NDArray[np.float64]:
    """Return triangles that are equally wide on HTK's mel scale, in mel; Nyquist has no weight."""
    bins = 512 // 2
    mel = 1127 * np.log1p(np.arange(bins + 1) * RATE / 512 / 700)
    lowest, highest = (1127 * float(np.log1p(hz / 700)) for hz in (_LOWEST_HZ, RATE / 2))
    edges = np.linspace(lowest, highest, bands + 2)
    weights = _triangles(mel, edges)
    weights[bins] = 0
    return weights


@cache
def _slaney_bands(bands: int) -> npt.NDArray[np.float64]:
    """Return triangles of equal area, equally wide on Slaney's mel scale, in Hz."""
    hz = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    edges = _slaney_hz(np.linspace(0, _slaney_mel(RATE / 2), bands + 2))
    return _triangles(hz, edges) * 2 / (edges[2:] - edges[:-2])


def _triangles(
    places: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return for each place its weight in each band; a band reaches over three edges."""
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (places[:, None] - left) / (middle - left)
    falling = (right - places[:, None]) / (right - middle)
    weights: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return weights


# Linear to 1 kHz, then logarithmic (Slaney's Auditory Toolbox, 1998).
_LINEAR_HZ: Final = 200 / 3
_TURN_HZ: Final = 1000.0
_RATIO: Final = np.log(6.4) / 27


def _slaney_mel(hz: float) -> float:
    return float(_TURN_HZ / _LINEAR_HZ + np.log(hz / _TURN_HZ) / _RATIO)


def _slaney_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    turn = _TURN_HZ / _LINEAR_HZ
    hz: npt.NDArray[np.float64] = np.where(
        mel < turn, mel * _LINEAR_HZ, _TURN_HZ * np.exp(_RATIO * (mel - turn))
    )
    return hz
