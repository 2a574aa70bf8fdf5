"""The runner behaves like CodeBuild, and the shipped buildspecs hide no failure."""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.conftest import ROOT
from tests.release.codebuild import Build, InvalidBuildspec, commands, read_buildspec, run_build

BUILDSPECS: Final = sorted((ROOT / "buildspec").glob("*.yml"))
CONTAINER: Final = (ROOT / "buildspec" / "container.yml").read_text()
COMMANDS: Final = len(list(commands(yaml.safe_load(CONTAINER))))


def buildspec(**phases: list[str] | dict[str, Any]) -> dict[str, Any]:
    named = {
        name: phase if isinstance(phase, dict) else {"commands": phase}
        for name, phase in phases.items()
    }
    return {"version": 0.2, "env": {"exported-variables": ["SEEN"]}, "phases": named}


def run(spec: dict[str, Any], folder: Path) -> Build:
    read_buildspec(yaml.safe_dump(spec))
    results = folder / "results"
    results.mkdir()
    return run_build(spec, source=folder, environment=os.environ, results=results)


def test_one_shell_runs_every_phase(tmp_path: Path) -> None:
    build = run(buildspec(install=["export SEEN=1"], build=["SEEN=$((SEEN + 1))"]), tmp_path)

    assert (build.phases, build.exported) == ({"install": True, "build": True}, {"SEEN": "2"})


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_a_failed_preparation_ends_the_build(tmp_path: Path, phase: str) -> None:
    spec = buildspec(**{phase: ["false", "SEEN=1"], "build": ["SEEN=2"], "post_build": ["SEEN=3"]})

    build = run(spec, tmp_path)

    assert (build.phases, build.exported) == ({phase: False}, {"SEEN": ""})


def test_post_build_runs_after_a_failed_build_and_can_see_it(tmp_path: Path) -> None:
    build = run(
        buildspec(build=["false"], post_build=['SEEN="$CODEBUILD_BUILD_SUCCEEDING"']), tmp_path
    )

    assert (build.phases, build.exported) == ({"build": False, "post_build": True}, {"SEEN": "0"})
    assert not build.succeeded


def test_post_build_does_not_run_after_an_aborted_build(tmp_path: Path) -> None:
    aborts = {"commands": ["false"], "on-failure": "ABORT"}

    assert run(buildspec(build=aborts, post_build=["true"]), tmp_path).phases == {"build": False}


@pytest.mark.parametrize("path", BUILDSPECS, ids=lambda path: path.name)
def test_every_shipped_buildspec_is_valid(path: Path) -> None:
    assert read_buildspec(path.read_text())["phases"]


@pytest.mark.parametrize("position", range(COMMANDS))
def test_the_build_fails_when_any_of_its_lines_fails(tmp_path: Path, position: int) -> None:
    spec = _with_idle_commands(read_buildspec(CONTAINER))
    failing = deepcopy(spec)
    phase, index = _places(spec)[position]
    failing["phases"][phase]["commands"][index] = "false"

    assert run(spec, tmp_path).succeeded
    (tmp_path / "again").mkdir()
    assert not run(failing, tmp_path / "again").succeeded


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        pytest.param(buildspec(build=['export TAG="$(false)"']), "hide a failure", id="export"),
        pytest.param(buildspec(build=["local a=1; declare X=$(false)"]), "hide", id="declare"),
        pytest.param(buildspec(build=["set -e"]), "end the shared shell", id="set-e"),
        pytest.param(buildspec(build=["if true; then\n  exit 1\nfi"]), "end the", id="exit"),
        pytest.param(buildspec(biuld=["true"]), r"\$\.phases", id="misspelt-phase"),
        pytest.param(buildspec(build={"commands": ["true"], "on-failure": "STOP"}),
                     "on-failure", id="on-failure"),
        pytest.param(buildspec(build=[]), "commands", id="nothing-to-do"),
        pytest.param(buildspec(build=["true"]) | {"artefacts": {}}, "artefacts", id="unknown-key"),
        pytest.param(buildspec(build=["true"]) | {"version": 0.1}, "version", id="version"),
    ],
)  # fmt: skip
def test_an_invalid_buildspec_or_a_line_that_hides_a_failure_is_rejected(
    spec: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidBuildspec, match=complaint):
        read_buildspec(yaml.safe_dump(spec))


def _with_idle_commands(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the same phases and lines, each of which succeeds."""
    idle = deepcopy(spec)
    for phase in idle["phases"].values():
        phase["commands"] = ["true" for _ in phase["commands"]]
    return idle


def _places(spec: dict[str, Any]) -> list[tuple[str, int]]:
    return [
        (phase, index)
        for phase, declared in spec["phases"].items()
        for index in range(len(declared["commands"]))
    ]
