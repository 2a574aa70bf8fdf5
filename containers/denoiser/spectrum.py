"""Turn a signal into spectra and back, frame by frame, with the overlaps carried over.

The window is Vorbis' (Xiph.Org, "Vorbis I specification", section 4.3.1): with half of it
overlapping, analysis and synthesis together return the signal, `window - hop` samples late.
"""

from __future__ import annotations

import numpy as np

from containers.denoiser.spec import DeepFilterSpec, Signal, Spectrum


def vorbis_window(length: int) -> Signal:
    places = np.pi * (np.arange(length) + 0.5) / length
    window: Signal = np.sin(np.pi / 2 * np.sin(places) ** 2).astype(np.float32)
    return window


class Analysis:
    """Spectra of a signal that arrives in pieces."""

    def __init__(self, spec: DeepFilterSpec) -> None:
        self._hop = spec.hop
        # The spectrum of a sine of full scale does not depend on the window's length.
        self._window = vorbis_window(spec.window) / np.float32(spec.window)
        self._before = np.zeros(spec.window - spec.hop, np.float32)

    def push(self, samples: Signal) -> Spectrum:
        """Return one spectrum for each hop of the samples, a whole number of hops."""
        signal = np.concatenate([self._before, samples])
        self._before = signal[len(samples) :]
        frames = np.lib.stride_tricks.sliding_window_view(signal, len(self._window))[:: self._hop]
        return np.fft.rfft(frames * self._window, axis=1).astype(np.complex64, copy=False)


class Synthesis:
    """The signal of spectra that arrive in pieces."""

    def __init__(self, spec: DeepFilterSpec) -> None:
        self._hop = spec.hop
        self._window = vorbis_window(spec.window) * np.float32(spec.window)
        self._before = np.zeros(spec.window - spec.hop, np.float32)

    def push(self, spectra: Spectrum) -> Signal:
        """Return one hop of samples for each spectrum."""
        frames = np.fft.irfft(spectra, len(self._window), axis=1) * self._window
        signal = np.concatenate(
            [self._before, np.zeros(len(frames) * self._hop, np.float32)], dtype=np.float32
        )
        for start in range(0, len(self._window), self._hop):
            part = frames[:, start : start + self._hop]
            signal[start : start + part.size] += part.ravel()
        done = len(frames) * self._hop
        self._before = signal[done:]
        return signal[:done]
