"""Every rejection leaves the live version as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.operations.executions import Execution
from pipeline.releases.errors import RejectedByGate, RejectedScan
from tests.release.conftest import CONTAINERS
from tests.release.driver import Releases
from tests.release.evidence import as_json, evidence_of

CONTAINER = "edge-refiner"


@pytest.fixture(autouse=True)
def nothing_changed(releases: Releases) -> Iterator[None]:
    """Check after each test that the stack had no update and the same version is live."""
    stack = releases.stack(CONTAINER)
    before = (len(stack.requests), stack.parameters, releases.row(CONTAINER).get("live"))

    yield

    assert (len(stack.requests), stack.parameters, releases.row(CONTAINER).get("live")) == before


def reject(releases: Releases, version: str, **how: str) -> Execution:
    """Run a release that must fail, and check that the rejection is recorded and announced."""
    execution = releases.release(CONTAINER, version, **how)
    assert execution.status == "FAILED"
    (announcement,) = releases.announced(execution)
    assert (announcement["kind"], announcement["error"]) == (
        "Container Not Released",
        execution.error,
    )
    assert announcement["reason"] == execution.cause
    assert (announcement["container"], announcement["version"]) == (CONTAINER, version)
    row = releases.row(CONTAINER)
    assert (row["status"], row["error"], row["held_until"]) == ("FAILED", execution.error, "0")
    assert row["reason"] == execution.cause
    assert releases.row(f"{CONTAINER}@{version}") == {}
    return execution


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("3.0.0", "FAILED"),
        ("3.0.1", "UNSUPPORTED_IMAGE"),
        ("3.0.2", "LIMIT_EXCEEDED"),
        ("3.0.3", "A_NEW_WORD"),
    ],
)
def test_a_scan_that_failed_or_has_an_unknown_status_rejects_the_release(
    releases: Releases, version: str, status: str
) -> None:
    releases.aws.scan(releases.push(CONTAINER, version)).statuses = [status]

    execution = reject(releases, version)

    assert execution.error == "RejectedScan"
    assert f"is {status}" in execution.reason
    assert RejectedScan.hint in execution.reason


def test_a_scan_that_does_not_finish_in_time_rejects_the_release(releases: Releases) -> None:
    releases.aws.scan(releases.push(CONTAINER, "3.1.0")).statuses = ["PENDING"]

    execution = reject(releases, "3.1.0")

    assert execution.error == "RejectedScan"
    assert "is PENDING after 60 checks" in execution.reason


def test_a_critical_finding_rejects_the_release_by_name(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "3.2.0")
    releases.aws.scan(digest).findings = [{"name": "CVE-2026-7", "severity": "CRITICAL"}]

    execution = reject(releases, "3.2.0")

    assert execution.error == "RejectedByGate"
    assert "1 critical findings, 0 allowed: CVE-2026-7" in execution.reason
    assert RejectedByGate.hint in execution.reason


def test_all_problems_are_reported_at_once(releases: Releases) -> None:
    digest = releases.push_image(CONTAINER, "3.3.0")
    good = evidence_of(CONTAINER, "3.3.0", digest)
    broken = as_json({"container": CONTAINER, "version": "3.3.0", "passed": False, "reason": "dim"})
    releases.put_evidence(CONTAINER, digest, replace(good, sbom=None, selftest=broken))
    releases.aws.scan(digest).enhanced = [
        {"severity": "HIGH", "title": "secret in a layer", "status": "ACTIVE"}
    ]
    releases.aws.signatures[digest] = ["FAILED"]

    execution = reject(releases, "3.3.0")

    assert execution.error == "RejectedByGate"
    for problem in (
        "1 high findings, 0 allowed: secret in a layer",
        "its signing status is FAILED",
        "sbom.cdx.json is missing",
        "the self-test failed: dim",
        "selftest.json does not have the checksum in provenance.json",
    ):
        assert problem in execution.reason


def test_the_verdict_is_stored_with_the_evidence(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "3.4.0")
    releases.aws.signatures[digest] = []

    execution = reject(releases, "3.4.0")

    verdict = releases.read_file(CONTAINER, digest, "verdict.json")
    assert verdict["passed"] is False
    assert verdict["problems"] == ["it is unsigned: ECR has no signing rule for it"]
    assert (verdict["execution"], verdict["digest"]) == (execution.arn, digest)
    assert verdict["document"] in execution.reason


@pytest.mark.parametrize(
    ("statuses", "problem"),
    [
        (["FAILED"], "its signing status is FAILED"),
        (["IN_PROGRESS"], "its signing status is IN_PROGRESS"),
        (["COMPLETE", "FAILED"], "its signing status is COMPLETE, FAILED"),
    ],
)
def test_an_unsigned_image_is_rejected(
    releases: Releases, statuses: list[str], problem: str
) -> None:
    version = f"3.5.{len(problem)}"
    releases.aws.signatures[releases.push(CONTAINER, version)] = statuses

    execution = reject(releases, version)

    assert (execution.error, problem in execution.reason) == ("RejectedByGate", True)


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("sbom", "sbom.cdx.json is missing"),
        ("selftest", "selftest.json is missing"),
        ("statement", "provenance.json is missing"),
    ],
)
def test_an_image_without_all_its_evidence_is_rejected(
    releases: Releases, missing: str, problem: str
) -> None:
    version = f"3.6.{len(missing)}"
    digest = releases.push_image(CONTAINER, version)
    evidence = evidence_of(CONTAINER, version, digest)
    releases.put_evidence(CONTAINER, digest, replace(evidence, **{missing: None}))

    execution = reject(releases, version)

    assert (execution.error, problem in execution.reason) == ("RejectedByGate", True)


def test_provenance_of_another_image_is_rejected(releases: Releases) -> None:
    digest = releases.push_image(CONTAINER, "3.7.0")
    other = evidence_of(CONTAINER, "3.7.0", f"sha256:{'0' * 64}").statement
    evidence = evidence_of(CONTAINER, "3.7.0", digest)
    releases.put_evidence(CONTAINER, digest, replace(evidence, statement=other))

    assert f"is not about {digest}" in reject(releases, "3.7.0").reason


def test_provenance_with_another_signature_is_rejected(releases: Releases) -> None:
    digest = releases.push(CONTAINER, "3.8.0")
    envelope = releases.read_file(CONTAINER, digest, "provenance.json")
    other = releases.push(CONTAINER, "3.8.1")
    signatures = releases.read_file(CONTAINER, other, "provenance.json")["signatures"]
    forged = as_json(envelope | {"signatures": signatures})
    releases.put_file(CONTAINER, digest, "provenance.json", forged)

    assert "is not signed by alias/matteline-local-provenance" in reject(releases, "3.8.0").reason


def test_a_version_that_is_not_in_the_registry_is_rejected(releases: Releases) -> None:
    execution = reject(releases, "3.9.0")

    assert execution.error == "RejectedVersion"
    assert "no image of edge-refiner tagged 3.9.0" in execution.reason


def test_a_rollback_to_a_version_that_was_never_live_is_rejected(releases: Releases) -> None:
    releases.push(CONTAINER, "3.10.0")

    execution = reject(releases, "3.10.0", action="rollback")

    assert execution.error == "RejectedRollback"
    assert "edge-refiner 3.10.0 was never live" in execution.reason


def test_a_rollback_to_a_version_whose_image_changed_is_rejected(
    releases: Releases,
) -> None:
    digest = releases.push(CONTAINER, "3.10.1")
    releases.remember(CONTAINER, "3.10.1", f"sha256:{'0' * 64}")

    execution = releases.release(CONTAINER, "3.10.1", action="rollback")

    assert (execution.status, execution.error) == ("FAILED", "RejectedRollback")
    assert f"was never live as {digest}" in execution.reason


@pytest.mark.parametrize(
    "says",
    [
        "No updates are to be performed.",
        "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.",
    ],
)
def test_an_update_that_cloudformation_does_not_start_is_rejected(
    releases: Releases, says: str
) -> None:
    version = f"3.11.{len(says)}"
    releases.push(CONTAINER, version)
    stack = releases.stack(CONTAINER)
    stack.refuses = says

    execution = reject(releases, version)
    stack.refuses = None

    assert execution.error == "RejectedUpdate"
    assert says in execution.reason


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({}, "'action' is missing; 'container' is missing; 'version' is missing"),
        ("edge-refiner", "the input is a str, not an object"),
        (None, "the input is a NoneType, not an object"),
        ({"container": CONTAINER, "version": "1.0", "action": "deploy"}, "is not like 1.3.0"),
        ({"container": CONTAINER, "version": "latest", "action": "deploy"}, "is not like 1.3.0"),
        ({"container": CONTAINER, "version": 1, "action": "deploy"}, "is not like 1.3.0"),
        (
            {"container": CONTAINER, "version": "1.0.0", "action": "destroy"},
            "neither deploy nor rollback",
        ),
        (
            {"container": "edge-refinr", "version": "1.0.0", "action": "deploy"},
            f"unknown container 'edge-refinr'; choose one of {', '.join(sorted(CONTAINERS))}",
        ),
        (
            {"container": CONTAINER, "version": "1.0.0", "action": "deploy", "force": True},
            "unknown field 'force'",
        ),
    ],
)
def test_an_invalid_request_is_rejected_with_every_problem(
    releases: Releases, typed: Any, problem: str
) -> None:
    execution = releases.run(typed)

    assert (execution.status, execution.error) == ("FAILED", "RejectedRequest")
    assert problem in execution.reason
    (announcement,) = releases.announced(execution)
    assert (announcement["error"], announcement["reason"]) == ("RejectedRequest", execution.cause)
    assert json.dumps(typed) in json.dumps(execution.input)
