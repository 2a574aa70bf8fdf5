"""Denoise a whole recording block by block: any number of channels, any rate, the same length."""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.denoiser.channel import Channel
from containers.denoiser.network import Networks
from containers.denoiser.spec import DeepFilterSpec
from pipeline.audio.resampling import Resampler
from pipeline.audio.samples import Samples

ALL_NOISE_DB: Final = 100  # libDF: from here on, nothing of the recording is mixed back


class Denoiser:
    """Denoises all channels, each with a state of its own, at the networks' rate.

    `attenuation_db` is the most that noise is lowered by: below 100, so much of the recording
    remains in the result.
    """

    def __init__(
        self,
        networks: Networks,
        spec: DeepFilterSpec,
        *,
        rate: int,
        channels: int,
        attenuation_db: float,
    ) -> None:
        self._resampler = Resampler(from_rate=rate, to_rate=spec.rate, channels=channels)
        self._channels = [Channel(networks, spec) for _ in range(channels)]
        self._kept = 0.0 if attenuation_db >= ALL_NOISE_DB else 10 ** (-attenuation_db / 20)
        self._recorded = np.zeros((0, channels), np.float32)  # whose denoised samples will follow

    def push(self, block: Samples) -> Samples:
        """Return what is ready after these samples, (n, channels) at the networks' rate."""
        return self._denoised(self._resampler.push(block))

    def finish(self) -> Samples:
        """Return the rest."""
        last = self._denoised(self._resampler.finish())
        rest = np.stack([channel.finish() for channel in self._channels], axis=1)
        return np.concatenate([last, self._mixed(rest)])

    @property
    def local_snr_db(self) -> float:
        """The mean over frames and channels of speech to noise, as the network estimates it."""
        return float(np.mean([channel.local_snr_db for channel in self._channels]))

    def _denoised(self, samples: Samples) -> Samples:
        if self._kept:
            finite = np.nan_to_num(samples, nan=0, posinf=0, neginf=0)
            self._recorded = np.concatenate([self._recorded, finite])
        each = zip(self._channels, samples.T, strict=True)
        return self._mixed(np.stack([channel.push(signal) for channel, signal in each], axis=1))

    def _mixed(self, denoised: Samples) -> Samples:
        if not self._kept:
            return denoised
        recorded, self._recorded = np.split(self._recorded, [len(denoised)])
        mixed: Samples = denoised + np.float32(self._kept) * (recorded - denoised)
        return mixed


class Resampled:
    """A signal at another rate, of exactly `frames` samples a channel.

    Rounding at two rates may leave a sample too many or too few: the last is cut, or is silence.
    """

    def __init__(self, *, from_rate: int, to_rate: int, channels: int, frames: int) -> None:
        self._resampler = Resampler(from_rate=from_rate, to_rate=to_rate, channels=channels)
        self._missing = frames

    def push(self, samples: Samples) -> Samples:
        """Return what is ready after these samples."""
        return self._counted(self._resampler.push(samples))

    def finish(self) -> Samples:
        """Return the rest."""
        rest = self._counted(self._resampler.finish())
        return np.pad(rest, ((0, self._missing), (0, 0)))

    def _counted(self, samples: Samples) -> Samples:
        counted = samples[: self._missing]
        self._missing -= len(counted)
        return counted
