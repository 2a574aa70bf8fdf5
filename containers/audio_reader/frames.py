"""FFmpeg's frames as float samples, all of one rate and one number of channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from av import AudioFrame

from pipeline.audio.limits import require_channels, require_rate
from pipeline.audio.resampling import Resampler
from pipeline.audio.samples import Samples, mono

_UNSIGNED_MIDDLE: Final = 128
_TYPES: Final = {
    "u8": np.uint8, "s16": np.int16, "s32": np.int32, "flt": np.float32, "dbl": np.float64,
}  # fmt: skip


class Shape(NamedTuple):
    """Samples a second, and channels."""

    rate: int
    channels: int

    @classmethod
    def of(cls, frame: AudioFrame) -> Shape:
        """Return a frame's own. Raises UnsupportedMedia if it is outside the limits."""
        shape = cls(frame.sample_rate, frame.layout.nb_channels)
        require_rate(shape.rate)
        require_channels(shape.channels)
        return shape


class Decoded(NamedTuple):
    """Samples, (n, channels), and how many of them were no numbers and are silence now."""

    samples: Samples
    replaced: int


def decoded(frame: AudioFrame) -> Decoded:
    """Return the samples of a frame, full scale from -1 to 1; what is louder is cut."""
    array = _raw(frame)
    if array.dtype.kind != "f":
        return Decoded(_as_floats(array), 0)
    good = np.isfinite(array)
    replaced = array.size - int(np.count_nonzero(good))
    finite = np.where(good, array, 0) if replaced else array
    return Decoded(np.clip(finite, -1, 1).astype(np.float32), replaced)


def _raw(frame: AudioFrame) -> npt.NDArray[Any]:
    """Return the numbers of a frame, (n, channels).

    PyAV's `to_ndarray` takes what lies behind the last plane of a frame of 8 or more for another
    one, and reads where no memory is (PyAV 18.1).
    """
    kind, channels = _TYPES[frame.format.packed.name], frame.layout.nb_channels
    if not frame.format.is_planar:
        whole = np.frombuffer(bytes(frame.planes[0]), kind, count=frame.samples * channels)
        return whole.reshape(-1, channels)
    planes = (bytes(plane) for plane in frame.planes[:channels])
    return np.stack([np.frombuffer(plane, kind, count=frame.samples) for plane in planes], axis=1)


def _as_floats(array: npt.NDArray[np.generic]) -> Samples:
    integers = array.astype(np.float64)
    if array.dtype == np.uint8:
        integers -= _UNSIGNED_MIDDLE
    full = 2 ** (8 * array.dtype.itemsize - 1)
    return np.asarray(integers / full, np.float32)


class Uniform:
    """Brings samples of any shape to `shape`.

    A file that was joined from others may change its rate or its channels in the middle. What then
    has other channels becomes the mean of its channels, in every channel.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.changed = False
        self._now = shape
        self._resampler: Resampler | None = None

    def push(self, samples: Samples, shape: Shape) -> Iterator[Samples]:
        """Yield what is ready after these samples."""
        if shape != self._now:
            yield from self.finish()
            self.changed = True
            self._now = shape
            if shape != self.shape:
                self._resampler = Resampler(
                    from_rate=shape.rate, to_rate=self.shape.rate, channels=self.shape.channels
                )
        yield self._resampled(samples)

    def finish(self) -> Iterator[Samples]:
        """Yield the rest."""
        if self._resampler is not None:
            yield self._resampler.finish()
        self._resampler = None

    def _resampled(self, samples: Samples) -> Samples:
        if self._resampler is None:
            return samples
        if samples.shape[1] != self.shape.channels:
            samples = np.repeat(mono(samples), self.shape.channels, axis=1)
        return self._resampler.push(samples)
