"""Writers at once lose nothing, and bring nobody back who was forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore
from tests.containers.vector_index.races import race


@pytest.mark.parametrize("number", range(4))
def test_eight_writers_and_a_forgetter_lose_nothing_and_resurrect_nobody(
    number: int, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "store")

    outcome = race(store, tmp_path, number, compacts=number % 2 == 1)

    assert outcome.alive == outcome.wanted
    assert outcome.counted == len(outcome.wanted)
