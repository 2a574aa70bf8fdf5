"""Load the networks of a row once per process, and run them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.face_embedder.spec import Tensor
from pipeline.errors import WeightsMismatch
from pipeline.weights.onnx_session import named_allocation_failures, set_up
from pipeline.weights.staged import Memory, Runtime

if TYPE_CHECKING:
    import onnxruntime as ort

_MOST_FILES: Final = 4  # of a row: a function serves one


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    name: str
    one_run: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, pixels: Tensor) -> list[Tensor]:
        """Return all outputs. Raises OutOfMemory, or WeightsMismatch for NaN or infinity."""
        source = self.session.get_inputs()[0]
        with self.one_run, named_allocation_failures():
            answers: list[Tensor] = self.session.run(None, {source.name: pixels})
        if not all(np.isfinite(answer).all() for answer in answers):
            raise WeightsMismatch(f"{self.name} returned NaN or infinity for a photo")
        return answers

    def require_shapes(self, answers: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> None:
        """Raise WeightsMismatch unless the outputs have these shapes."""
        found = [answer.shape for answer in answers]
        if found != list(shapes):
            raise WeightsMismatch(f"{self.name} returned {_told(found)}, not {_told(shapes)}")

    @property
    def batch(self) -> int | None:
        """How many pictures a run takes; None for any number."""
        (size, *_) = self.session.get_inputs()[0].shape
        return size if isinstance(size, int) else None


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join("×".join(map(str, shape)) for shape in shapes)


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return Runtime.here(onnxruntime=ort.__version__)


@lru_cache(maxsize=_MOST_FILES)
def open_network(weights: Path, *, optimised: bool, memory: Memory, threads: int) -> Network:
    """Load an ONNX file, once per process. Raises OutOfMemory if it does not fit.

    Memory is not planned: a plan is kept for each size of a photo that was seen.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    set_up(options, memory=memory, threads=threads, optimised=optimised)
    options.enable_mem_pattern = False
    with named_allocation_failures():
        session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return Network(session, weights.name)
