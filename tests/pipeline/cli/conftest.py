"""Run the command line as a user does: in its own process, with its own cache."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment

Matteline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return users_environment(shelf, tmp_path_factory.mktemp("cache"))


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
    with beside_up(ROOT, folder, environment) as terminal:
        yield terminal
