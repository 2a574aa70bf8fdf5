"""Load an ONNX network once per process, and run it for one photo at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline import hardware
from pipeline.weights.onnx_session import named_allocation_failures, open_session, runtime_of
from pipeline.weights.processor import Processor, processor_of
from pipeline.weights.staged import Memory, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort

Tensor = npt.NDArray[np.float32]

_MOST_FILES: Final = 3  # a function serves one model of at most two files, one of them also cut


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded file. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    one_run: threading.Lock = field(default_factory=threading.Lock)

    @property
    def first_input(self) -> str:
        name: str = self.session.get_inputs()[0].name
        return name

    def run(self, inputs: Mapping[str, Tensor], *, outputs: int = 1) -> list[Tensor]:
        """Return the first `outputs` outputs. Raises OutOfMemory if memory is insufficient."""
        names = [output.name for output in self.session.get_outputs()[:outputs]]
        with self.one_run, named_allocation_failures():
            answers: list[Tensor] = self.session.run(names, dict(inputs))
            return answers


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return runtime_of(ort)


def processor() -> Processor:
    """Return what runs networks here."""
    import onnxruntime as ort

    return processor_of(ort)


@lru_cache(maxsize=_MOST_FILES)
def open_network(
    weights: Path,
    *,
    optimised: bool = False,
    memory: Memory = "returned",
    threads: int | None = None,
) -> Network:
    """Load an ONNX file, once per process. Raises OutOfMemory if it does not fit.

    An optimised file is loaded unchanged; its weights are mapped from the file beside it. `memory`
    is what its staged weights record says.
    """
    import onnxruntime as ort

    threads = threads or hardware.cores()
    return Network(open_session(ort, weights, memory=memory, threads=threads, optimised=optimised))
