"""Compute a window's log-mel spectrogram, as YAMNet takes it.

Follows `features.py` of Google's YAMNet (github.com/tensorflow/models, research/audioset/yamnet).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from containers.audio_tagger.spec import LogMelSpec, Signal

Bands = npt.NDArray[np.float32]  # (frames, bands)


class LogMel:
    """Computes spectrograms of windows, with the filters of one row."""

    def __init__(self, spec: LogMelSpec) -> None:
        self._spec = spec
        turns = 2 * np.pi * np.arange(spec.frame) / spec.frame
        self._taper = (0.5 - 0.5 * np.cos(turns)).astype(np.float32)  # a periodic Hann window
        self._filters = mel_filters(spec)

    def of(self, window: Signal) -> Bands:
        """Return the spectrogram of a window, (frames, bands)."""
        spec = self._spec
        frames = np.lib.stride_tricks.sliding_window_view(window, spec.frame)[:: spec.step]
        sizes = np.abs(np.fft.rfft(frames * self._taper, spec.fft, axis=1)).astype(np.float32)
        bands: Bands = np.log(sizes @ self._filters + np.float32(spec.log_offset))
        return bands


def mel_filters(spec: LogMelSpec) -> Bands:
    """Return the weight of each bin in each band, (bins, bands): triangles, equal in height.

    Bands are equally wide on the mel scale of HTK. The bin of 0 Hz is in none of them.
    """
    bins = _mel(np.linspace(0, spec.rate / 2, spec.fft // 2 + 1))[:, None]
    edges = np.linspace(_mel(spec.lowest_hz), _mel(spec.highest_hz), spec.bands + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    weights = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0
    return weights.astype(np.float32)


def _mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    mel: npt.NDArray[np.float64] = 1127 * np.log1p(np.asarray(hertz, np.float64) / 700)
    return mel
