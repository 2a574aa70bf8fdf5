"""Load a CTC network once per process, and run it on one piece of sound at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from containers.transcriber.ctc import LogProbabilities, log_softmax
from containers.transcriber.mel import Samples
from pipeline.weights.onnx_session import named_allocation_failures, open_session, runtime_of
from pipeline.weights.processor import Processor, processor_of
from pipeline.weights.staged import Memory, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort


@dataclass(frozen=True, eq=False)
class CtcNetwork:
    """A loaded network. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    one_run: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, samples: Samples) -> LogProbabilities:
        """Return the log probabilities of each character, steps×characters. Raises OutOfMemory."""
        level = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        name = self.session.get_inputs()[0].name
        with self.one_run, named_allocation_failures():
            (logits,) = self.session.run(None, {name: level[None].astype(np.float32)})
        return log_softmax(logits[0])


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return runtime_of(ort)


def processor() -> Processor:
    """Return what runs networks here."""
    import onnxruntime as ort

    return processor_of(ort)


@lru_cache(maxsize=1)
def open_network(weights: Path, *, optimised: bool, memory: Memory, threads: int) -> CtcNetwork:
    """Load an ONNX file, once per process. Raises OutOfMemory if it does not fit."""
    import onnxruntime as ort

    session = open_session(ort, weights, memory=memory, threads=threads, optimised=optimised)
    return CtcNetwork(session)
