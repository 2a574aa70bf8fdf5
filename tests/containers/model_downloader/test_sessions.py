"""A network keeps its memory between runs only where that was measured to be worth it."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import NoReturn

import onnx
import pytest

from containers.model_downloader.optimisation.offline import optimise_offline
from containers.model_downloader.sessions import choosing
from containers.model_downloader.sessions.choosing import Place, Runs, choose_session, chosen
from pipeline.declared.containers import load_containers
from pipeline.weights.staged import RunFigures, SessionSettings
from tests.bench.standins.u2net import SMALL_DOWN, SMALL_UP, u2net
from tests.conftest import ROOT

SIDE = 64
SHAPE = (1, 3, SIDE, SIDE)
PLACE = Place(memory_mb=2048, threads=1, limit_mb=4096)
UNMEASURED = SessionSettings(memory="returned", threads=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sessions")
    onnx.save(u2net(SMALL_DOWN, SMALL_UP, side=SIDE), folder / "net.onnx")
    optimise_offline(folder / "net.onnx", folder / "net.exact.onnx")
    return folder / "net.exact.onnx"


def runs(returned: list[float], kept: list[float], *, peak_mb: float = 300) -> Runs:
    return {
        "returned": [RunFigures(cpu_ms=each, peak_mb=200) for each in returned],
        "kept": [RunFigures(cpu_ms=each, peak_mb=peak_mb) for each in kept],
    }


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (runs([300, 310, 305], [220, 215, 230]), "kept"),
        (runs([300, 310, 305], [285, 290, 285]), "kept"),
        (runs([300, 310, 305], [287, 297, 293]), "returned"),
        (runs([300, 310, 305], [220, 900, 230]), "returned"),
        (runs([900, 310, 305], [310, 312, 306]), "returned"),
        (runs([300], [220]), "returned"),
        (runs([300, 310, 305], [220, 215, 230], peak_mb=1024), "returned"),
        (runs([300, 310, 305], [220, 215, 230], peak_mb=1023), "kept"),
    ],
    ids=[
        "a quarter", "five percent", "four percent", "a disturbed run", "a disturbed rival",
        "too few rounds", "half of the memory", "less than half",
    ],
)  # fmt: skip
def test_memory_is_kept_if_every_round_gains_and_half_of_the_function_stays_free(
    measured: Runs, expected: str
) -> None:
    assert chosen(measured, memory_mb=2048) == expected


def test_both_choices_are_measured_with_the_functions_threads(network: Path) -> None:
    place = Place(memory_mb=2048, threads=2, limit_mb=4096)

    session = choose_session(network, SHAPE, place, run_ms=20, seconds=math.inf)

    assert session.threads == 2
    assert set(session.runs) == {"returned", "kept"}
    for run in session.runs.values():
        assert run.cpu_ms > 0
        assert run.peak_mb > 30


def test_rounds_end_with_the_first_that_does_not_gain(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[object] = []

    def same(_process: object) -> RunFigures:
        answered.append(_process)
        return RunFigures(cpu_ms=100, peak_mb=100)

    monkeypatch.setattr(choosing, "_run", same)
    session = choose_session(network, SHAPE, PLACE, run_ms=20, seconds=math.inf)

    assert session.memory == "returned"
    assert len(answered) == 6


def test_memory_that_is_worth_keeping_is_kept(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = iter([900, 900, 300, 600, 300, 200, 300, 200, 310, 210])
    monkeypatch.setattr(
        choosing, "_run", lambda _process: RunFigures(cpu_ms=next(costs), peak_mb=500)
    )

    session = choose_session(network, SHAPE, PLACE, run_ms=20, seconds=math.inf)

    assert session == SessionSettings(
        memory="kept", threads=1, runs={
            "returned": RunFigures(cpu_ms=300, peak_mb=500),
            "kept": RunFigures(cpu_ms=200, peak_mb=500),
        },
    )  # fmt: skip


def test_a_long_run_is_not_repeated_and_its_memory_is_returned(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(subprocess, "Popen", refused)

    found = choose_session(network, SHAPE, PLACE, run_ms=5_001, seconds=math.inf)

    assert found == UNMEASURED


@pytest.mark.parametrize(
    ("limit_mb", "seconds"), [(16, math.inf), (4096, 0.0)], ids=["no memory", "no time"]
)
def test_memory_is_returned_where_a_measurement_fails(
    network: Path, limit_mb: int, seconds: float
) -> None:
    place = Place(memory_mb=2048, threads=1, limit_mb=limit_mb)

    assert choose_session(network, SHAPE, place, run_ms=20, seconds=seconds) == UNMEASURED


def test_measurements_have_the_allocator_of_the_functions_they_are_for() -> None:
    # Networks that listen are not measured: each is opened in one way.
    containers = {each.name: each.environment for each in load_containers(ROOT)}
    measuring, measured_for = containers["model-downloader"], containers["background-remover"]

    assert measured_for["GLIBC_TUNABLES"] == measuring["GLIBC_TUNABLES"]
