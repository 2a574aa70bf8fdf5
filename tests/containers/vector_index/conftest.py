"""A desk with a collection `staff`, next to a folder as its store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from containers.vector_index.stored import places
from pipeline.artifacts import LocalStore
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import Desk, clock_ahead


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    store = LocalStore(tmp_path / "store")
    settings = Settings(scratch=tmp_path / "scratch")
    return Desk(store, TaskContext(Workbench(root=ROOT, settings=settings, store=store)))


@pytest.fixture
def staff(desk: Desk) -> Desk:
    desk.create("staff")
    return desk


@pytest.fixture
def later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clocks of tasks and of the desk."""
    ahead = timedelta()

    def later(more: timedelta) -> None:
        nonlocal ahead
        ahead += more
        desk.clock += more
        monkeypatch.setattr(places, "time", clock_ahead(ahead))

    return later
