"""Load a tagger's network once per process, and run it on one window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from containers.audio_tagger.labels import SILENCE, names_of
from containers.audio_tagger.log_mel import LogMel
from containers.audio_tagger.spec import LogMelSpec, Probabilities, Signal, TaggerSpec
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch
from pipeline.weights.local_weights import LocalFile
from pipeline.weights.onnx_session import named_allocation_failures, set_up
from pipeline.weights.staged import Memory

if TYPE_CHECKING:
    import onnxruntime as ort

Input = npt.NDArray[np.float32]

# A window that is nowhere louder is silent. One and a half steps of 16 bits: rounding stays below.
_SILENT: Final = 1.5 / 2**15
_ROUNDING: Final = 1e-3  # how far rounding may take a probability out of 0…1


@dataclass(frozen=True, eq=False)
class Tagger:
    """A row's network; `take` turns a window into its input."""

    name: str
    spec: TaggerSpec
    session: ort.InferenceSession
    take: Callable[[Signal], Input]

    def listen(self, window: Signal) -> Probabilities:
        """Return the probability of each label in a window.

        In a silent window, every label but the one for silence gets 0. Raises
        OutOfMemory, or WeightsMismatch if the answer is not one score for each label.
        """
        answer = self._answer(self.take(window))
        if answer.shape != (1, self.spec.labels):
            shape = "×".join(map(str, answer.shape))
            raise WeightsMismatch(
                f"{self.name} returns {shape} scores; its row declares 1×{self.spec.labels}"
            )
        if not np.isfinite(answer).all():
            raise WeightsMismatch(f"{self.name} returned NaN or infinity for a window of sound")
        found = _probabilities(answer[0])
        if np.abs(window).max() < _SILENT:
            silence = names_of(self.spec.vocabulary).index(SILENCE)
            found[np.arange(len(found)) != silence] = 0
        return found

    def _answer(self, taken: Input) -> npt.NDArray[Any]:
        name, output = self.session.get_inputs()[0].name, self.session.get_outputs()[0].name
        with named_allocation_failures():
            answer: npt.NDArray[Any] = self.session.run([output], {name: taken})[0]
        return answer


def open_tagger(row: ModelRow, file: LocalFile, *, threads: int) -> Tagger:
    """Load the row's network, once per process. Raises OutOfMemory if it does not fit."""
    session = _session(file.path, file.memory, optimised=file.optimised, threads=threads)
    if row.engine.name == "log-mel":
        mel = row.spec(LogMelSpec)
        bands = LogMel(mel)
        return Tagger(row.name, mel, session, lambda window: bands.of(window)[None, None])
    batch = row.engine.name == "clip"
    return Tagger(
        row.name,
        row.spec(TaggerSpec),
        session,
        lambda window: window[None] if batch else window,
    )


def _probabilities(scores: npt.NDArray[Any]) -> Probabilities:
    """Return scores as probabilities.

    Some publishers end the network with a sigmoid, others do not, and the file does not say. The
    scores of hundreds of labels are never all within 0…1 unless they are probabilities already.
    """
    values = scores.astype(np.float32)
    if values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING:
        values = (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32)  # a sigmoid
    bounded: Probabilities = np.clip(values, 0, 1)
    return bounded


@lru_cache(maxsize=1)
def _session(
    weights: Path, memory: Memory, *, optimised: bool, threads: int
) -> ort.InferenceSession:
    import onnxruntime as ort

    options = ort.SessionOptions()
    set_up(options, memory=memory, threads=threads, optimised=optimised)
    with named_allocation_failures():
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
