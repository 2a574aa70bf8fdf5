"""A copy of the repository's declarations, to add to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.contracts.declared import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The declarations of the repository, in a folder that a test may add to."""
    for folder in ("containers", "state_machines"):
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    contracts = Path("pipeline", "contracts")
    shutil.copytree(ROOT / contracts, tmp_path / contracts)
    return tmp_path
