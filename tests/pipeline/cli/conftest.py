"""Run the command line as a user does: in its own process, with its own cache."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal

Matteline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    return kept | {
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        "MATTELINE_WEIGHTS_MIRROR": shelf.mirror,
        "MATTELINE_CATALOGUE": str(shelf.catalogue),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(scope="session")
def matteline(environment: dict[str, str]) -> Matteline:
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=ROOT,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    return run


@pytest.fixture(scope="module")
def terminal(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "cat.jpg").write_bytes(png(square()))
    log = folder / "up.log"
    environment = environment | {"XDG_CACHE_HOME": str(folder / "cache")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "up", "--port", "0", "--model", "brightness"],
            cwd=ROOT, env=environment, stdout=out, stderr=out, text=True,
        )  # fmt: skip
    terminal = Terminal(process, log, folder, environment)
    terminal.wait_for("Ctrl-C stops everything.")
    yield terminal
    if process.poll() is None:
        process.kill()
        process.wait()
