"""Run a buildspec as CodeBuild does: phases in one shell, then exported variables.

`install` and `pre_build` end the build when they fail; `post_build` still runs after a failed
`build` unless that has `on-failure: ABORT`. Lines that would hide a failure are rejected before
anything runs: `export X=$(...)` ignores a failed command, and `set -e` ends the shared shell.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema
import yaml

PHASES: Final = ("install", "pre_build", "build", "post_build")
_SCHEMA: Final = Path(__file__).with_name("buildspec.schema.json")
_SWALLOWED: Final = re.compile(r"(^|[;&|]\s*)(export|local|declare)\s+\w+=\"?\$\(")
_FATAL: Final = re.compile(r"^\s*set\s+-\w*e|^\s*exit\b", re.MULTILINE)


class InvalidBuildspec(Exception):
    """CodeBuild would reject the buildspec, or would miss a failure in it."""


@dataclass(frozen=True)
class Build:
    """A finished build: `phases` maps each phase that ran to its success."""

    phases: Mapping[str, bool]
    exported: Mapping[str, str]
    log: str

    @property
    def succeeded(self) -> bool:
        return all(self.phases.values())


def read_buildspec(text: str) -> dict[str, Any]:
    """Parse and check a buildspec. Raises InvalidBuildspec."""
    buildspec: dict[str, Any] = yaml.safe_load(text)
    try:
        jsonschema.validate(buildspec, json.loads(_SCHEMA.read_text()))
    except jsonschema.ValidationError as error:
        raise InvalidBuildspec(f"{error.json_path}: {error.message}") from error
    for phase, command in commands(buildspec):
        if _SWALLOWED.search(command):
            raise InvalidBuildspec(f"{phase}: {command!r} would hide a failure")
        if _FATAL.search(command):
            raise InvalidBuildspec(f"{phase}: {command!r} would end the shared shell")
    return buildspec


def commands(buildspec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every (phase, command), in order."""
    for phase in PHASES:
        for command in buildspec["phases"].get(phase, {}).get("commands", []):
            yield phase, command


def run_build(
    buildspec: Mapping[str, Any], *, source: Path, environment: Mapping[str, str], results: Path
) -> Build:
    """Run every phase in `source`, in one bash; `results` is an empty folder."""
    script = "\n".join(_script(buildspec, results))
    finished = subprocess.run(
        ["bash", "-c", script],
        cwd=source, env=dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    phases = dict(line.split() for line in (results / "phases").read_text().splitlines())
    exported = {
        name: (results / name).read_text() if (results / name).exists() else ""
        for name in buildspec.get("env", {}).get("exported-variables", [])
    }
    return Build(
        phases={name: verdict == "SUCCEEDED" for name, verdict in phases.items()},
        exported=exported,
        log=finished.stdout + finished.stderr,
    )


def _script(buildspec: Mapping[str, Any], results: Path) -> Iterator[str]:
    """Yield a bash script whose commands share one shell, so that variables survive."""
    yield "export CODEBUILD_BUILD_SUCCEEDING=1; __goes_on=1"
    for phase in PHASES:
        declared = buildspec["phases"].get(phase)
        if declared is None:
            continue
        aborts = phase != "build" or declared.get("on-failure") == "ABORT"
        yield 'if [ "$__goes_on" = 1 ]; then __phase=SUCCEEDED'
        for command in declared["commands"]:
            yield f"if [ $__phase = SUCCEEDED ]; then {{\n{command}\n}} || __phase=FAILED; fi"
        yield f'echo "{phase} $__phase" >> {results}/phases'
        yield f"if [ $__phase = FAILED ]; then CODEBUILD_BUILD_SUCCEEDING=0; {_end(aborts)}; fi"
        yield "fi"
    for name in buildspec.get("env", {}).get("exported-variables", []):
        yield f'printf %s "${{{name}-}}" > {results}/{name}'


def _end(aborts: bool) -> str:  # noqa: FBT001 - of a phase that failed
    return "__goes_on=0" if aborts else ":"
