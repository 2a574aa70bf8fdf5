"""The AWS Solutions rules find only reviewed exceptions in every stack."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from pydantic import BaseModel, ConfigDict, StringConstraints

from infra.app import ROOT, make_app
from pipeline.declared.products import load_products

_REVIEWED: Final = "nag.toml"


class Finding(NamedTuple):
    rule: str
    path: str


class Accepted(BaseModel):
    """A glob of findings, a glob of construct paths, and the reason in a sentence.

    `{product}` in a path stands for the name of each product's state machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: str
    path: str
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z].{40,}\.$")]

    def covers(self, finding: Finding) -> bool:
        return fnmatchcase(finding.rule, self.finding) and fnmatchcase(finding.path, self.path)


def findings(app: cdk.App) -> list[Finding]:
    stacks = [each for each in app.node.children if isinstance(each, cdk.Stack)]
    return [
        Finding(violation.rule_name, str(resource.construct_path))
        for stack in stacks
        for violation in AwsSolutionsChecks(app).validate_scope(stack).violations
        for resource in violation.violating_resources
    ]


def unreviewed(found: Iterable[Finding], accepted: Iterable[Accepted]) -> list[Finding]:
    entries = tuple(accepted)
    return [each for each in found if not any(entry.covers(each) for entry in entries)]


def unused(found: Iterable[Finding], accepted: Iterable[Accepted]) -> list[Accepted]:
    those = tuple(found)
    return [entry for entry in accepted if not any(entry.covers(each) for each in those)]


def reviewed(root: Path, name: str = _REVIEWED) -> list[Accepted]:
    """Return the exceptions, expanded for the products declared below `root`."""
    read = tomllib.loads((ROOT / "infra" / name).read_text(encoding="utf-8"))
    return [
        Accepted.model_validate({**entry, "path": path})
        for entry in read["accepted"]
        for path in sorted(
            {entry["path"].replace("{product}", each.machine) for each in load_products(root)}
        )
    ]


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    return findings(make_app())


@pytest.fixture(scope="module")
def accepted() -> list[Accepted]:
    return reviewed(ROOT)


def test_every_finding_was_reviewed(found: list[Finding], accepted: list[Accepted]) -> None:
    assert unreviewed(found, accepted) == []


def test_every_exception_is_still_needed(found: list[Finding], accepted: list[Accepted]) -> None:
    assert unused(found, accepted) == []


def test_a_new_product_needs_no_new_exception(grown_tree: Path) -> None:
    of_machines = [
        each for each in findings(make_app(root=grown_tree)) if "-pipeline/" in each.path
    ]

    assert any("/memo/" in each.path for each in of_machines)
    assert unreviewed(of_machines, reviewed(grown_tree)) == []


def test_a_faulty_stack_has_findings() -> None:
    app = cdk.App(analytics_reporting=False)
    s3.Bucket(cdk.Stack(app, "slip"), "Open")

    rules = {finding.rule for finding in findings(app)}

    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= rules


def test_an_unused_exception_is_found() -> None:
    entry = Accepted(finding="AwsSolutions-S1", path="*", reason="A" + "b" * 50 + ".")

    assert unused([Finding("AwsSolutions-S10", "slip/Open")], [entry]) == [entry]
    assert unreviewed([Finding("AwsSolutions-S1", "slip/Open")], [entry]) == []
