"""One storm for the whole suite, and at its end the counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from pipeline.operations.auditing import Audit
from pipeline.operations.verdicts import DOUBLED, LOST
from tests.faults.plan import cases
from tests.faults.storm import Storm, storm_over
from tests.models import Shelf, brightness, catalogue_row, stock

_ACCOUNTS = pytest.StashKey[tuple[Audit, int]]()


@pytest.fixture(scope="session")
def storm(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Storm]:
    shelf = _with_unstaged_models(stock(tmp_path_factory.mktemp("shelf")))
    with storm_over(shelf, tmp_path_factory.mktemp("machines")) as storm:
        yield storm
        storm.wait_for_calm()
        faults = sum(storm.injector.fired.values())
        request.config.stash[_ACCOUNTS] = (storm.take_stock(), faults)


def _with_unstaged_models(shelf: Shelf) -> Shelf:
    """A model of its own for every photo whose weights are to be staged on its behalf."""
    content = brightness().SerializeToString(deterministic=True)
    digest = hashlib.sha256(content).hexdigest()
    rows = [shelf.catalogue.read_text()]
    for case in cases():
        if case.scenario == "unstaged":
            (shelf.folder / f"{case.model}.onnx").write_bytes(content)
            rows.append(catalogue_row(case.model, digest))
    shelf.catalogue.write_text("\n".join(rows))
    return shelf


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if _ACCOUNTS not in config.stash:
        return
    told, faults = config.stash[_ACCOUNTS]
    errors = ", ".join(f"{name} ×{times}" for name, times in sorted(told.errors.items()))
    terminalreporter.section("accounts")
    terminalreporter.line(f"uploads accepted {len(told.verdicts)}")
    for product, counted in told.states.items():
        states = ", ".join(f"{times} {state}" for state, times in sorted(counted.items()))
        terminalreporter.line(f"- {product}: {states}")
    terminalreporter.line(f"calls broken {faults}")
    terminalreporter.line(f"named errors {len(told.errors)}: {errors}")
    terminalreporter.line(f"lost {told.count(LOST)}, doubled {told.count(DOUBLED)}")
