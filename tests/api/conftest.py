"""A running `matteline up`, its users, and the counts at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from pipeline.api_keys import OPERATOR_SCOPE
from tests.api.counts import COUNTS
from tests.conftest import ROOT
from tests.embedding_models import stock_embedder
from tests.execution.api import User
from tests.face_models import stock_faces
from tests.models import Shelf
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment

HERE: Final = Path(__file__).parent
# The models that a deployment takes by default: those of the tests have their names.
DETECTOR: Final = "face-api-ssd"
EMBEDDER: Final = "face-api-resnet34"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.api)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in COUNTS:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def environment(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("cache")
    environment = users_environment(shelf, folder)
    faces = folder / "faces.toml"
    faces.write_text(stock_faces(shelf.folder, DETECTOR) + stock_embedder(shelf.folder, EMBEDDER))
    environment["MATTELINE_CATALOGUE"] += f"{os.pathsep}{faces}"
    return environment


@pytest.fixture(scope="session")
def up(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A `matteline up` that every test of the tier shares: each asks as users of its own."""
    with beside_up(ROOT, tmp_path_factory.mktemp("terminal"), environment) as terminal:
        yield terminal


@pytest.fixture(scope="session")
def address(up: Terminal) -> str:
    """The address of the API."""
    return f"{up.endpoint}/api"


@pytest.fixture
def user(address: str, request: pytest.FixtureRequest) -> User:
    """A user that no other test has."""
    return User(address, request.node.nodeid)


@pytest.fixture
def operator(address: str, request: pytest.FixtureRequest) -> User:
    """An operator that no other test has."""
    return User(address, f"operator of {request.node.nodeid}", OPERATOR_SCOPE)
