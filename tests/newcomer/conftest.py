"""A copy of the repository with one product more, and the local cloud that runs from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.newcomer.growth import copy_repository, grow
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal

pytest_plugins = ["tests.pipeline.cli.environment"]


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, grown: a test that changes it makes a copy of its own."""
    tree = copy_repository(tmp_path_factory.mktemp("grown"))
    grow(tree)
    return tree


@pytest.fixture(scope="module")
def terminal(
    grown: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """`matteline up` of the copy, and files to upload next to it."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "cat.jpg").write_bytes(png(square()))
    (folder / "note.memo").write_text("A cat and an elephant drink lemonade.")
    (folder / "bad.memo").write_bytes(b"\xff\xfe")
    log = folder / "up.log"
    environment = environment | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(grown),
    }
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "up", "--port", "0", "--model", "brightness"],
            cwd=grown, env=environment, stdout=out, stderr=out, text=True,
        )  # fmt: skip
    terminal = Terminal(process, log, folder, environment)
    terminal.wait_for("Ctrl-C stops everything.")
    yield terminal
    if process.poll() is None:
        process.kill()
        process.wait()
