"""Declare a row's table of its network, and the kinds of arrays in this container."""

from __future__ import annotations

from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, model_validator

CONTAINER: Final = "audio-tagger"

Signal = npt.NDArray[np.float32]  # one channel, (samples,)
Probabilities = npt.NDArray[np.float32]  # (labels,), 0…1
Engine = Literal["clip", "signal", "log-mel"]
Vocabulary = Literal["audioset", "yamnet"]


class TaggerSpec(BaseModel):
    """The table of a row: windows of `window` samples at `rate`, one every `hop`.

    The network's output has one score for each of `labels` labels of a vocabulary. `speech` and
    `music` are the indices of two of them. A label's span begins in a window with at least
    the probability `onset`, and ends before one below `offset`; spans at most `gap_s` apart are
    joined, and those shorter than `least_s` are left out.
    """

    model_config = ConfigDict(frozen=True)

    rate: int
    window: int
    hop: int
    vocabulary: Vocabulary
    labels: int
    speech: int
    music: int
    onset: float
    offset: float
    gap_s: float
    least_s: float

    @model_validator(mode="after")
    def _misses_no_sound(self) -> Self:
        if self.hop > self.window:
            raise ValueError("hop must be at most window: longer hops skip sound")
        if self.offset > self.onset:
            raise ValueError("offset must be at most onset: a span ends at a lower probability")
        if max(self.speech, self.music) >= self.labels:
            raise ValueError("speech and music must be indices of labels")
        return self


class LogMelSpec(TaggerSpec):
    """The table of a row whose network takes a log-mel spectrogram of the window.

    `frames` frames of `frame` samples, one every `step`, each padded to `fft` samples; `bands`
    bands from `lowest_hz` to `highest_hz`. `log_offset` is added before the logarithm.
    """

    frames: int
    frame: int
    step: int
    fft: int
    bands: int
    lowest_hz: float
    highest_hz: float
    log_offset: float

    @model_validator(mode="after")
    def _frames_fill_the_window(self) -> Self:
        if (self.frames - 1) * self.step + self.frame != self.window:
            raise ValueError("the frames are longer or shorter than the window")
        return self
