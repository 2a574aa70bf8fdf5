"""How probable speech is in each step of a recording, by a network with a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.samples import Samples
from pipeline.contracts.audio_windows import SPEECH_RATE

if TYPE_CHECKING:
    import onnxruntime as ort

STEP: Final = 512  # samples that one probability is about
STEP_S: Final = STEP / SPEECH_RATE

_CONTEXT: Final = 64  # samples before them that the network also sees
_STATE: Final = (2, 1, 128)
_RATE: Final = np.array(SPEECH_RATE, np.int64)


class Voice:
    """One recording, heard from its start to its end. The state is carried over all of it."""

    def __init__(self, network: ort.InferenceSession) -> None:
        self._network = network
        self._outputs = [output.name for output in network.get_outputs()]
        self._state = np.zeros(_STATE, np.float32)
        self._heard = np.zeros((1, _CONTEXT + STEP), np.float32)

    def probability(self, step: Samples) -> float:
        """Return the probability (0…1) of speech in the next `STEP` samples, of shape (`STEP`,)."""
        self._heard[0, :_CONTEXT] = self._heard[0, -_CONTEXT:]
        self._heard[0, _CONTEXT:] = step
        inputs = {"input": self._heard, "state": self._state, "sr": _RATE}
        answer, self._state = self._network.run(self._outputs, inputs)
        return float(answer[0, 0])
