"""A desk with a collection `staff`, next to a folder as its store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    store = LocalStore(tmp_path / "store")
    settings = Settings(scratch=tmp_path / "scratch")
    return Desk(store, TaskContext(Workbench(root=ROOT, settings=settings, store=store)))


@pytest.fixture
def staff(desk: Desk) -> Desk:
    desk.create("staff")
    return desk
