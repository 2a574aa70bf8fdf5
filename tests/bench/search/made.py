"""Collections of synthetic faces in a folder, and queries: new photos of some of their people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.vector_index.backends.merging import FULL
from pipeline.artifacts import LocalStore
from tests.containers.vector_index.faces import people
from tests.containers.vector_index.shelf import Shelf

Vectors = npt.NDArray[np.float32]

DIMENSION: Final = 512
EACH: Final = 10  # photos of a person
_NEW: Final = 11  # of which the last is a query, and not enrolled


def faces(count: int, *, seed: int = 1) -> tuple[Vectors, Vectors]:
    """Return vectors (count × 512), ten of each person in a row, and one query for each person."""
    whole = people(count // EACH, _NEW, DIMENSION, seed=seed).reshape(-1, _NEW, DIMENSION)
    return whole[:, :EACH].reshape(-1, DIMENSION), whole[:, EACH]


def parts(count: int) -> Iterator[tuple[int, Vectors, Vectors]]:
    """Yield the faces of a large collection segment by segment, with the first person's number."""
    most = FULL // EACH * EACH
    for number, start in enumerate(range(0, count, most)):
        stored, queries = faces(min(most, count - start), seed=number)
        yield start // EACH, stored, queries


def shelf(folder: Path, count: int, *, memory_mb: int = 10_240) -> tuple[Shelf, Vectors]:
    """Return a collection with so many vectors, each in full segments, and queries."""
    made = Shelf(LocalStore(folder / "store"), folder / "scratch", DIMENSION, memory_mb=memory_mb)
    made.create()
    asked = []
    for first, stored, queries in parts(count):
        who = [str(first + row // EACH) for row in range(len(stored))]
        made.enroll(stored, people=who)
        asked.append(queries)
    return made, np.concatenate(asked)
