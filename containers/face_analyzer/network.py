"""Load the networks of a row when they are first needed, once per process, and run them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.face_analyzer.spec import Numbers
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch
from pipeline.weights.local_weights import LocalFile, combined_sha256
from pipeline.weights.onnx_session import named_allocation_failures, set_up
from pipeline.weights.staged import Runtime

if TYPE_CHECKING:
    import onnxruntime as ort

_MOST_FILES: Final = 4  # of a row; a function serves one


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network. It runs once at a time: a second run would double its memory."""

    session: ort.InferenceSession
    name: str
    one_run: threading.Lock = field(default_factory=threading.Lock)

    def run(self, pixels: Numbers, *shapes: tuple[int, ...]) -> tuple[Numbers, ...]:
        """Return all outputs; `shapes` are theirs for each picture of `pixels`.

        Raises OutOfMemory, or WeightsMismatch for other shapes, NaN or infinity.
        """
        source = self.session.get_inputs()[0].name
        with self.one_run, named_allocation_failures():
            answers = tuple(self.session.run(None, {source: pixels}))
        found, wanted = [each.shape for each in answers], [(len(pixels), *each) for each in shapes]
        if found != wanted:
            raise WeightsMismatch(f"{self.name} returned {_told(found)}, not {_told(wanted)}")
        if not all(np.isfinite(answer).all() for answer in answers):
            raise WeightsMismatch(f"{self.name} returned NaN or infinity for a photo")
        return answers


@dataclass(frozen=True)
class Networks:
    """The networks of a row, by role; `sha256` is one checksum of all files.

    A network that nobody asks for is not loaded.
    """

    files: Mapping[str, LocalFile]
    threads: int

    @classmethod
    def of(cls, row: ModelRow, files: tuple[LocalFile, ...], *, threads: int) -> Networks:
        roles = (role.role for role in row.engine.files)
        return cls(dict(zip(roles, files, strict=True)), threads)

    @property
    def sha256(self) -> str:
        return combined_sha256(file.sha256 for file in self.files.values())

    def open(self, role: str) -> Network:
        """Load a network. Raises OutOfMemory if it does not fit."""
        file = self.files[role]
        return _open(file.path, optimised=file.optimised, threads=self.threads)


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join("×".join(map(str, shape)) for shape in shapes)


def runtime() -> Runtime | None:
    """Return the runtime an optimised network must be made for; None if the CPU is unknown."""
    import onnxruntime as ort

    return Runtime.here(onnxruntime=ort.__version__)


@lru_cache(maxsize=_MOST_FILES)
def _open(weights: Path, *, optimised: bool, threads: int) -> Network:
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Also where staging has measured that an arena is faster: it would double what a photo takes.
    set_up(options, memory="returned", threads=threads, optimised=optimised)
    with named_allocation_failures():
        session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return Network(session, weights.name)
