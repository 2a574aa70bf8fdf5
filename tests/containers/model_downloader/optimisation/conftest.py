"""What the tests of the optimiser share."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
import pytest

from containers.model_downloader.optimiser import Optimiser, Outcome
from pipeline.artifacts import LocalStore
from tests.bench.standins.u2net import SMALL_DOWN, SMALL_UP, u2net
from tests.containers.model_downloader.optimisation.desk import ROW, Try, place


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """U-2-Net's graph on 32² pixels, with all of u2netp's weights."""
    (tmp_path / "staging").mkdir()
    path = tmp_path / "staging" / "net.onnx"
    onnx.save(u2net(SMALL_DOWN, SMALL_UP, side=32), path)
    return path


@pytest.fixture
def attempt(store: LocalStore) -> Try:
    def run(
        path: Path, *, side: int = 32, memory_mb: int = 4096, seconds: float = math.inf
    ) -> Outcome:
        row = ROW.model_copy(update={"table": {**ROW.table, "input_size": side}})
        return Optimiser(store, memory_mb, lambda: seconds).optimise(path, path.name, row, place)

    return run
