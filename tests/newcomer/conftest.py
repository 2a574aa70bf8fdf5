"""A copy of the repository with one product more, and the local cloud that runs from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import Shelf
from tests.newcomer.growth import copy_repository, grow
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grown copy; a test that changes it makes a copy of its own."""
    tree = copy_repository(tmp_path_factory.mktemp("grown"))
    grow(tree)
    return tree


@pytest.fixture(scope="module")
def terminal(
    grown: Path, shelf: Shelf, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """`matteline up` of the copy, next to files to upload."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "cat.jpg").write_bytes(png(square()))
    (folder / "note.memo").write_text("A cat and an elephant drink lemonade.")
    (folder / "bad.memo").write_bytes(b"\xff\xfe")
    environment = users_environment(shelf, folder / "cache")
    with beside_up(grown, folder, environment) as terminal:
        yield terminal
