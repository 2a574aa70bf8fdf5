"""A shelf keeps values on disk, and the changes made to them while in use."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.local.moto import shelf as shelf_module
from pipeline.local.moto.shelf import Shelf
from tests.conftest import ROOT
from tests.disk import full_disk

MANY = 200
FILL_AND_DIE = """
import os
from pathlib import Path
from pipeline.local.moto.shelf import Shelf

shelf = Shelf()
for number in range(200):
    shelf[number] = os.urandom(4_000)
print(*[file.readlink() for file in Path("/proc/self/fd").iterdir() if file.is_symlink()])
os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def nothing_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values leave memory as soon as there are enough others."""
    monkeypatch.setattr(shelf_module, "IN_USE_S", 0)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def fill(shelf: Shelf, prefix: str = "") -> None:
    for number in range(MANY):
        shelf[f"{prefix}{number}"] = os.urandom(4_000)


def test_a_shelf_is_a_mapping(shelf: Shelf) -> None:
    fill(shelf)
    shelf["0"] = "new"
    del shelf["1"]

    assert len(shelf) == len(set(shelf)) == len(dict(shelf.items())) == MANY - 1
    assert shelf["0"] == shelf.get("0") == shelf.pop("0") == "new"
    assert shelf.get("0") is None
    for delete in (shelf.pop, shelf.__delitem__):
        with pytest.raises(KeyError):
            delete("1")


def test_a_change_to_a_value_in_use_reaches_the_disk(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "IN_USE_S", math.inf)
    shelf["first"] = {}
    held = shelf["first"]
    fill(shelf, "before")

    held["changed"] = True

    monkeypatch.setattr(shelf_module, "IN_USE_S", 0)
    fill(shelf, "after")
    assert shelf["first"] is not held
    assert shelf["first"] == {"changed": True}


def test_a_full_disk_rejects_new_values_and_loses_no_old_one(shelf: Shelf) -> None:
    stored = {}
    for number in range(MANY):
        content = os.urandom(4_000)
        with full_disk(most=500_000), contextlib.suppress(sqlite3.OperationalError):
            shelf[f"{number}"] = content
            stored[f"{number}"] = content

    assert 0 < len(stored) < MANY
    assert dict(shelf.items()) == stored


def test_a_killed_process_leaves_no_file(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", FILL_AND_DIE],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert killed.returncode == -9
    assert str(tmp_path) in killed.stdout  # the values were on disk
    assert list(tmp_path.iterdir()) == []
