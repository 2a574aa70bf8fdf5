"""Waivers of the reviewed file reach the gate's verdict through the zip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.functions.release_gate.waivers import FILE
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function
from pipeline.releases.function_code import lay_out
from tests.conftest import ROOT
from tests.release.conftest import pass_smoke_tests, releasing
from tests.release.driver import Releases

CONTAINER = "edge-refiner"
WAIVERS = """
[[waivers]]
cve = "CVE-2026-1"
container = "edge-refiner"
until = 2999-12-31
reason = "never called"
who = "Ada"

[[waivers]]
cve = "CVE-2026-2"
container = "edge-refiner"
until = 2020-01-01
reason = "never called"
who = "Ada"

[[waivers]]
cve = "CVE-2026-3"
container = "media-inspector"
until = 2999-12-31
reason = "never called"
who = "Ada"
"""


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    """A cloud whose gate runs from its own zip, with waivers in it."""
    package = lay_out(ROOT, ROOT, tmp_path_factory.mktemp("zip"))
    (package / FILE).write_text(WAIVERS)

    def packed(function: Function) -> Function:
        return _packed(function, package)

    with releasing(tmp_path_factory.mktemp("machines"), adjust=packed) as (releases, aws):
        aws.smoke_test = pass_smoke_tests(aws)
        yield releases


def _packed(function: Function, package: Path) -> Function:
    if function.name != NAMES.operation("release-gate"):
        return function
    started_in = {"PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}
    return replace(function, environment={**function.environment, **started_in})


def find(releases: Releases, version: str, *cves: str) -> str:
    digest = releases.push(CONTAINER, version)
    found = [{"name": cve, "severity": "CRITICAL"} for cve in cves]
    releases.aws.scan(digest).findings = found
    return digest


def test_a_waived_finding_does_not_stop_a_release_and_is_in_the_verdict(
    releases: Releases,
) -> None:
    digest = find(releases, "1.0.0", "CVE-2026-1")

    execution = releases.release(CONTAINER, "1.0.0")

    assert execution.status == "SUCCEEDED", execution.reason
    verdict = releases.read_file(CONTAINER, digest, "verdict.json")
    assert verdict["waived"] == ["CVE-2026-1 until 2999-12-31: never called (Ada)"]


def test_an_expired_waiver_does_not_count_and_is_named(releases: Releases) -> None:
    find(releases, "1.1.0", "CVE-2026-1", "CVE-2026-2")

    execution = releases.release(CONTAINER, "1.1.0")

    assert execution.error == "RejectedByGate"
    assert "1 critical findings, 0 allowed: CVE-2026-2; the waiver of CVE-2026-2 by Ada" in (
        execution.reason
    )


def test_a_waiver_of_another_container_does_not_count(releases: Releases) -> None:
    find(releases, "1.2.0", "CVE-2026-3")

    execution = releases.release(CONTAINER, "1.2.0")

    assert execution.error == "RejectedByGate"
    assert "1 critical findings, 0 allowed: CVE-2026-3; see" in execution.reason
