"""Apply what the networks answer: a gain for each band, and a filter over time for each low bin."""

from __future__ import annotations

import numpy as np

from containers.denoiser.features import band_widths
from containers.denoiser.spec import Bands, DeepFilterSpec, Spectrum


class DeepFilter:
    """Filters spectra that arrive in pieces, with the last ones carried over.

    The answer for a frame comes `lookahead` frames after it, because the filter reads later frames.
    """

    def __init__(self, spec: DeepFilterSpec) -> None:
        self._widths = band_widths(spec)
        self._order, self._bins = spec.order, spec.filter_bins
        self._gained = spec.order - 1 - spec.lookahead  # the place of the frame that is answered
        self._before = np.zeros((spec.order - 1, spec.bins), np.complex64)

    def push(self, spectra: Spectrum, gains: Bands, coefficients: Spectrum) -> Spectrum:
        """Return the filtered frames.

        `coefficients` are (frames, filter bins, order), for the oldest of the frames first.
        """
        frames = np.concatenate([self._before, spectra])
        count = len(spectra)
        self._before = frames[count:]
        answered = frames[self._gained : self._gained + count]
        filtered: Spectrum = answered * np.repeat(gains, self._widths, axis=1)
        low = filtered[:, : self._bins]
        low[:] = 0
        for place in range(self._order):
            low += frames[place : place + count, : self._bins] * coefficients[:, :, place]
        return filtered
