"""No check breaks the doctor, which reports all of them in order."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from click.testing import CliRunner

from pipeline.cli import doctor as command
from pipeline.operations.doctor.checking import Check, Finding, actions_of, run_checks
from pipeline.operations.stage.deployment import Deployment
from tests.conftest import ROOT
from tests.pipeline.operations.doctor.stages import (
    BLUEPRINT,
    CHECKS,
    NAMES,
    look,
)

ASKING: Final = [name for name, check in CHECKS.items() if check.actions]


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_what_may_not_be_seen_is_unknown(stage: Deployment, name: str, *, named: bool) -> None:
    words = "User: me is not authorized to perform: some:Action on resource: x" if named else "no"

    def deny(**_: Any) -> None:
        told: Any = {"Error": {"Code": "AccessDeniedException", "Message": words}}
        raise ClientError(told, "Some")

    stage.site.session.events.register("before-call", deny)
    subject = replace(stage, blueprint=BLUEPRINT.with_batch("cpu"))

    found = look(name, subject)

    assert found.verdict == "unknown"
    assert ("some:Action" if named else CHECKS[name].actions[0]) in found.do


@pytest.mark.parametrize("name", ASKING)
def test_a_service_that_does_not_answer_breaks_nothing(stage: Deployment, name: str) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://nowhere")

    stage.site.session.events.register("before-call", fail)

    found = look(name, replace(stage, blueprint=BLUEPRINT.with_batch("cpu")))

    assert found.verdict in {"unknown", "fail"}


def test_findings_are_in_the_order_of_their_checks() -> None:
    checks = [Check(name, CHECKS["region"].look) for name in "abc"]
    site = SimpleNamespace(names=NAMES)
    subject = cast("Deployment", SimpleNamespace(site=site))

    assert [found.check for found in run_checks(checks, subject)] == ["a", "b", "c"]


def test_the_policy_in_the_documents_allows_what_the_checks_need() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    section = text.partition("\n### What the doctor may do\n")[2]
    block = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert block
    (statement,) = json.loads(block[1])["Statement"]

    assert statement["Action"] == actions_of(CHECKS.values())


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        pytest.param(["ok", "warn", "unknown"], 0, id="nothing-fails"),
        pytest.param(["ok", "fail"], 1, id="one-fails"),
    ],
)
def test_the_exit_code_and_the_json(
    monkeypatch: pytest.MonkeyPatch, verdicts: list[Any], code: int
) -> None:
    findings = [Finding(f"check {at}", each, "found [x]", "do") for at, each in enumerate(verdicts)]
    monkeypatch.setattr(command, "_of_machine", lambda: findings)

    table = CliRunner().invoke(command.doctor, [])
    written = CliRunner().invoke(command.doctor, ["--json"])

    assert (table.exit_code, written.exit_code) == (code, code)
    assert "found [x]" in table.output
    assert [each["verdict"] for each in json.loads(written.output)] == verdicts
