"""Load a CTC network once per process, and run it on one piece of sound at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.transcriber.ctc import LogProbabilities, log_softmax
from containers.transcriber.mel import Samples
from pipeline.errors import OutOfMemory
from pipeline.weights.onnx_session import set_up
from pipeline.weights.staged import Memory, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort

_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


@dataclass(frozen=True, eq=False)
class CtcNetwork:
    """A loaded network. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    one_run: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, samples: Samples) -> LogProbabilities:
        """Return the log probabilities of each character, steps×characters. Raises OutOfMemory."""
        level = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        name = self.session.get_inputs()[0].name
        with self.one_run, _named_allocation_failures():
            (logits,) = self.session.run(None, {name: level[None].astype(np.float32)})
        return log_softmax(logits[0])


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return Runtime.here(onnxruntime=ort.__version__)


@lru_cache(maxsize=1)
def open_network(weights: Path, *, optimised: bool, memory: Memory, threads: int) -> CtcNetwork:
    """Load an ONNX file, once per process. Raises OutOfMemory if it does not fit."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    set_up(options, memory=memory, threads=threads, optimised=optimised)
    with _named_allocation_failures():
        session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return CtcNetwork(session)


@contextmanager
def _named_allocation_failures() -> Iterator[None]:
    """Raise OutOfMemory for failed allocations, which onnxruntime reports only in its text."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        if any(sign in text for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"onnxruntime: {error}") from error
        raise
