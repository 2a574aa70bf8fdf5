"""A running `matteline up`, its users, and the counts at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.api.counts import COUNTS
from tests.conftest import ROOT
from tests.execution.api import User
from tests.models import Shelf
from tests.pipeline.cli.terminal import Terminal, beside_up, users_environment

HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.api)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in COUNTS:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def environment(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return users_environment(shelf, tmp_path_factory.mktemp("cache"))


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
