"""Denoise one channel at the networks' rate, in pieces of any length, with all state carried."""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.denoiser.features import Features
from containers.denoiser.filtering import DeepFilter
from containers.denoiser.network import Listening, Networks
from containers.denoiser.spec import DeepFilterSpec, Signal
from containers.denoiser.spectrum import Analysis, Synthesis

# In one run. From 70 on, a second of sound takes twice the processor time.
_MOST_FRAMES: Final = 50


class Channel:
    """One channel's denoiser: what it returns is as long as what it took, and not late."""

    def __init__(self, networks: Networks, spec: DeepFilterSpec) -> None:
        self._spec = spec
        self._analysis = Analysis(spec)
        self._features = Features(spec)
        self._listening = Listening(networks)
        self._filter = DeepFilter(spec)
        self._synthesis = Synthesis(spec)
        self._waiting = np.zeros(0, np.float32)  # less than a frame
        self._taken = 0
        self._early = spec.delay  # samples that come out before the first one
        self._snr_sum, self._frames = 0.0, -spec.lookahead

    def push(self, samples: Signal) -> Signal:
        """Return what is ready after these samples. NaN and infinity count as silence."""
        self._taken += len(samples)
        finite = np.nan_to_num(samples, nan=0, posinf=0, neginf=0)
        self._waiting = np.concatenate([self._waiting, finite], dtype=np.float32)
        return self._frames_of_waiting()

    def finish(self) -> Signal:
        """Return the rest."""
        rest = -self._taken % self._spec.hop
        late = np.zeros(self._spec.delay + rest, np.float32)
        self._waiting = np.concatenate([self._waiting, late])
        done = self._frames_of_waiting()
        return done[: len(done) - rest]

    @property
    def local_snr_db(self) -> float:
        """The mean over frames of speech to noise, as the network estimates it."""
        return self._snr_sum / max(1, self._frames)

    def _frames_of_waiting(self) -> Signal:
        whole = len(self._waiting) // self._spec.hop * self._spec.hop
        step = _MOST_FRAMES * self._spec.hop
        done = [
            self._denoised(self._waiting[at : min(at + step, whole)])
            for at in range(0, whole, step)
        ]
        self._waiting = self._waiting[whole:]
        joined = np.concatenate([np.zeros(0, np.float32), *done])
        skipped = min(self._early, len(joined))
        self._early -= skipped
        return joined[skipped:]

    def _denoised(self, samples: Signal) -> Signal:
        spectra = self._analysis.push(samples)
        heard = self._listening.push(*self._features.push(spectra))
        self._note(heard.local_snr)
        filtered = self._filter.push(spectra, heard.gains, heard.coefficients)
        return self._synthesis.push(filtered)

    def _note(self, local_snr: Signal) -> None:
        """Add the frames' estimates; the first ones are of the time before the recording."""
        counted = local_snr[max(0, -self._frames) :]
        self._snr_sum += float(counted.sum(dtype=np.float64))
        self._frames += len(local_snr)
