"""Desks to work at, and the counts at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore
from tests.hostile.desk import Desk
from tests.models import Shelf

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.hostile)


@pytest.fixture(scope="module")
def desk(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The handlers on a folder."""
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk(LocalStore(folder / "store"), shelf, folder / "scratch")
    with pytest.MonkeyPatch.context() as patch:
        desk.sit_down(patch)
        yield desk


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Cases, and how they ended: by name, by crash, by hang."""
    reports = [
        report
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
        if "tests/hostile" in report.nodeid
    ]
    ends = Counter(
        value for report in reports for name, value in report.user_properties if name == "end"
    )
    if not ends:
        return
    failed = [report for report in reports if report.failed]
    hangs = sum("Timeout" in str(report.longrepr) for report in failed)
    terminalreporter.section("hostile and odd input")
    terminalreporter.line(f"{ends.total():6} cases")
    for name, count in sorted(ends.items(), key=lambda row: -row[1]):
        terminalreporter.line(f"{count:6} {name}")
    terminalreporter.line(f"{len(failed) - hangs:6} crashes, wrong pictures or wrong names")
    terminalreporter.line(f"{hangs:6} hangs")
