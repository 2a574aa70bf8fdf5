"""What every tier shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.__main__ import isolate
from tests.models import Shelf, stock

isolate(os.environ)

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The tests' own models, with a catalogue to layer over the shipped one."""
    return stock(tmp_path_factory.mktemp("shelf"))
