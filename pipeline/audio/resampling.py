"""Change the rate of a recording, block by block."""

from __future__ import annotations

import numpy as np
import soxr

from pipeline.audio.limits import require_channels, require_rate
from pipeline.audio.samples import Samples


class Resampler:
    """Resamples one recording. Each channel is filtered on its own, and nothing is delayed.

    All that `push` and `finish` return, one after the other, is as if the recording had been
    resampled whole: sample i of it is at the time i / `to_rate`. Raises UnsupportedMedia for a
    rate or a number of channels outside the limits, before soxr allocates anything.
    """

    def __init__(self, *, from_rate: int, to_rate: int, channels: int) -> None:
        require_rate(from_rate)
        require_rate(to_rate)
        require_channels(channels)
        self._nothing = np.zeros((0, channels), np.float32)
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32")
        )

    def push(self, samples: Samples) -> Samples:
        """Return what is ready after these samples, (n, channels); it may be nothing."""
        return self._resampled(samples, last=False)

    def finish(self) -> Samples:
        """Return the rest."""
        return self._resampled(self._nothing, last=True)

    def _resampled(self, samples: Samples, *, last: bool) -> Samples:
        if self._stream is None:
            return samples
        chunk: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return chunk


def resampled(samples: Samples, *, from_rate: int, to_rate: int) -> Samples:
    """Return a whole recording at another rate, (n, channels)."""
    stream = Resampler(from_rate=from_rate, to_rate=to_rate, channels=samples.shape[1])
    return np.concatenate([stream.push(samples), stream.finish()])
