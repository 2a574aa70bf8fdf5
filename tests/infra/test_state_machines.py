"""Deployed state machines are valid ASL, unchanged, with every placeholder filled."""

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
    """Return asl-validator's report; empty for a valid state machine."""
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
    """Return placeholders without a substitution, and substitutions without a placeholder."""
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
        (
            ('"InputPath": "$.plan.mask.fallback"', '"InputPath": "$.plan[.mask.fallback"'),
            "asl_path",
        ),
    ],
)
def test_a_faulty_state_machine_is_reported(
    slip: tuple[str, str], said: str, tmp_path: Path
) -> None:
    text = (ROOT / "state_machines" / "cutout.asl.json").read_text()
    assert slip[0] in text
    path = tmp_path / "slip.asl.json"
    path.write_text(text.replace(*slip))

    assert said in problems(path)


def test_every_definition_is_deployed_unchanged(templates: Templates) -> None:
    deployed = sorted(machine["DefinitionString"] for machine in machines(templates))

    assert deployed == sorted(path.read_text(encoding="utf-8") for path in _FILES)
    assert not [machine for machine in machines(templates) if "DefinitionS3Location" in machine]


def test_every_placeholder_is_filled_and_no_other(templates: Templates) -> None:
    assert [unfilled(machine) for machine in machines(templates)] == [set()] * len(_FILES)


def test_a_placeholder_without_a_substitution_is_found() -> None:
    definition = json.dumps({"Comment": "${JobsTable} and ${WorkBucket}"})
    machine = {"DefinitionString": definition, "DefinitionSubstitutions": {"JobsTable": "jobs"}}

    assert unfilled(machine) == {"WorkBucket"}
