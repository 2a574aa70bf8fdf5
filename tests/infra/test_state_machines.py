"""State machines arrive whole: readable in the template, every placeholder filled, valid ASL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import ROOT
from infra.asl import placeholders
from tests.infra.conftest import Templates

_VALIDATOR: Final = ROOT / "infra" / "node_modules" / ".bin" / "asl-validator"
_FILES: Final = sorted((ROOT / "state_machines").glob("*.asl.json"))
_PIPELINE: Final = "matteline-dev-pipeline"


def problems(path: Path) -> str:
    """What asl-validator says; empty for a valid state machine."""
    assert _VALIDATOR.exists(), "asl-validator is missing: npm ci --prefix infra"
    done = subprocess.run(
        [str(_VALIDATOR), "--json-path", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def machines(templates: Templates) -> list[dict[str, Any]]:
    resources = templates[_PIPELINE]["Resources"].values()
    return [
        each["Properties"]
        for each in resources
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    ]


def unfilled(machine: dict[str, Any]) -> set[str]:
    """Placeholders that are not substituted, and substitutions for no placeholder."""
    used = placeholders(machine["DefinitionString"])
    return set(used ^ machine["DefinitionSubstitutions"].keys())


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_every_state_machine_is_valid(path: Path) -> None:
    assert problems(path) == ""


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (('"Next": "Claim"', '"Next": "Clam"'), "MISSING_TRANSITION_TARGET"),
        (('"Type": "Choice"', '"Type": "Choise"'), "SCHEMA_VALIDATION_FAILED"),
        (('"InputPath": "$.plan.fallback"', '"InputPath": "$.plan[.fallback"'), "asl_path"),
    ],
)
def test_a_slip_in_a_state_machine_is_found(
    slip: tuple[str, str], said: str, tmp_path: Path
) -> None:
    text = (ROOT / "state_machines" / "cutout.asl.json").read_text()
    assert slip[0] in text
    path = tmp_path / "slip.asl.json"
    path.write_text(text.replace(*slip))

    assert said in problems(path)


def test_every_definition_is_in_the_template_as_it_is_in_its_file(templates: Templates) -> None:
    deployed = sorted(machine["DefinitionString"] for machine in machines(templates))

    assert deployed == sorted(path.read_text(encoding="utf-8") for path in _FILES)
    assert not [machine for machine in machines(templates) if "DefinitionS3Location" in machine]


def test_exactly_the_placeholders_of_a_definition_are_filled(templates: Templates) -> None:
    assert [unfilled(machine) for machine in machines(templates)] == [set()] * len(_FILES)


def test_a_placeholder_that_nobody_fills_is_found() -> None:
    definition = json.dumps({"Comment": "${JobsTable} and ${WorkBucket}"})
    machine = {"DefinitionString": definition, "DefinitionSubstitutions": {"JobsTable": "jobs"}}

    assert unfilled(machine) == {"WorkBucket"}
