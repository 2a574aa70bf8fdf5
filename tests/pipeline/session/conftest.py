"""Provide a package index of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages import OFFLINE


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only index, by pip's own settings."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, text in (OFFLINE | {"PIP_FIND_LINKS": str(folder)}).items():
        monkeypatch.setenv(name, text)
    return folder
