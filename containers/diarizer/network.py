"""Load the two networks of a row once per process, and run them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from containers.diarizer.spec import Numbers
from pipeline.errors import WeightsMismatch
from pipeline.weights.onnx_session import named_allocation_failures, open_session, runtime_of
from pipeline.weights.processor import Processor, processor_of
from pipeline.weights.staged import Memory, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    name: str
    one_run: threading.Lock = field(default_factory=threading.Lock)

    def run(self, values: Numbers) -> Numbers:
        """Return the first output. Raises OutOfMemory, or WeightsMismatch for NaN or infinity."""
        source, target = self.session.get_inputs()[0].name, self.session.get_outputs()[0].name
        with self.one_run, named_allocation_failures():
            answer: Numbers
            (answer,) = self.session.run([target], {source: values})
        if not np.isfinite(answer).all():
            raise WeightsMismatch(f"{self.name} returned NaN or infinity for a recording")
        return answer


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return runtime_of(ort)


def processor() -> Processor:
    """Return what runs networks here."""
    import onnxruntime as ort

    return processor_of(ort)


@lru_cache(maxsize=2)
def open_network(weights: Path, *, optimised: bool, memory: Memory, threads: int) -> Network:
    """Load an ONNX file, once per process. Raises OutOfMemory if it does not fit."""
    import onnxruntime as ort

    session = open_session(ort, weights, memory=memory, threads=threads, optimised=optimised)
    return Network(session, weights.name)
