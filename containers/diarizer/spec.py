"""Declare a row's table of its two networks, and the kinds of arrays in this container."""

from __future__ import annotations

from itertools import combinations
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

CONTAINER: Final = "diarizer"
RATE: Final = 16_000

Signal = npt.NDArray[np.float32]  # one channel at `RATE`, -1…1, (samples,)
Active = npt.NDArray[np.bool_]  # (frames, speakers)
Frames = npt.NDArray[np.float32]  # (frames, bands)
Vectors = npt.NDArray[np.float32]  # (pieces, size): one voice each, of length 1
Numbers = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


class SpeakersSpec(BaseModel):
    """The table of a row.

    The segmentation network takes chunks of `duration_s` seconds, and knows `speakers` speakers in
    each. It has `classes` outputs for each frame: one for each speaker (`multilabel`,
    probabilities), or one for each set of speakers, the smaller sets first (`powerset`, log
    probabilities). A frame covers `frame_length` samples; frames start `frame_step` samples apart.
    A speaker whose probability is at least `onset` is active.

    The embedding network takes `features` of `bands` bands, and makes a vector of each voice every
    `voice_hop_s` seconds. Two voices of a part are one speaker below the cosine distance (0…2)
    `join_below`; speakers of two parts are one person below `link_below`.
    """

    model_config = ConfigDict(frozen=True)

    output: Literal["powerset", "multilabel"]
    classes: int
    speakers: int
    duration_s: int
    frame_step: int
    frame_length: int
    onset: float
    features: Literal["kaldi", "resemblyzer"]
    bands: int
    voice_hop_s: float
    join_below: float
    link_below: float

    @property
    def chunk(self) -> int:
        return self.duration_s * RATE

    def frame_at(self, sample: float) -> int:
        """Return the frame whose middle is nearest to a sample."""
        return round((sample - self.frame_length / 2) / self.frame_step)

    def seconds_at(self, frame: float) -> float:
        """Return when the middle of a frame is."""
        return (frame * self.frame_step + self.frame_length / 2) / RATE

    @property
    def frame_s(self) -> float:
        return self.frame_step / RATE

    def sets(self) -> npt.NDArray[np.float32]:
        """Return 1 for each speaker in each class of a powerset, else 0, classes × speakers."""
        chosen = [
            {*one} for size in range(self.speakers + 1)
            for one in combinations(range(self.speakers), size)
        ][: self.classes]  # fmt: skip
        return np.array([[s in one for s in range(self.speakers)] for one in chosen], np.float32)
