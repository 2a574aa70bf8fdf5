"""An approximate index is used only where it finds nearly what an exact one finds."""

from __future__ import annotations

import numpy as np
import pytest

from containers.vector_index.comparing.recall import LEAST_RECALL, Approximate, Refused, Tuned, tune
from containers.vector_index.stored.rows import Codes, Mask
from tests.containers.vector_index.faces import ALIKE, people

ROWS = 10_000
ALIVE: Mask = np.ones(ROWS, bool)


@pytest.fixture(scope="module")
def faces() -> Codes:
    return people(ROWS // 10, 10, 32).astype(np.float16)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_an_index_of_alike_vectors_is_tuned(kind: Approximate, faces: Codes) -> None:
    tuned = tune(kind, faces, ALIVE, same_above=0.6, threads=2)

    assert isinstance(tuned, Tuned)
    assert LEAST_RECALL <= tuned.recall <= 1
    assert tuned.effort >= 8


def test_few_vectors_are_compared_exactly(faces: Codes) -> None:
    refused = tune("ivf", faces[:-1], ALIVE[:-1], same_above=0.6, threads=1)

    assert refused == Refused(None, "9,999 vectors are compared as quickly without it")


def test_an_index_without_pairs_that_are_alike_is_refused() -> None:
    alone = people(ROWS, 1, 64).astype(np.float16)

    refused = tune("ivf", alone, ALIVE, same_above=0.9, threads=2)

    assert isinstance(refused, Refused)
    assert refused.recall is None
    assert "0 pairs" in refused.why


def test_an_index_that_finds_too_little_is_refused() -> None:
    """Rows without any order: their nearest are in any list."""
    anywhere = people(ROWS, 1, 64).astype(np.float16)

    refused = tune("ivf", anywhere, ALIVE, same_above=0.1, threads=2)

    assert isinstance(refused, Refused)
    assert refused.recall is not None
    assert refused.recall < LEAST_RECALL
    assert "98% are required" in refused.why


def test_dead_rows_count_for_nothing(faces: Codes) -> None:
    """One of each person lives: nobody is like anybody."""
    alive = np.arange(ROWS) % 10 == 0

    refused = tune("ivf", faces, alive, same_above=ALIKE - 0.035, threads=2)

    assert isinstance(refused, Refused)
    assert "too few" in refused.why
