"""The real hook sends the real containers their golden events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.declared.containers import load_containers
from pipeline.local.deployment import NAMES
from tests.conftest import ROOT
from tests.release.conftest import releasing
from tests.release.driver import Releases
from tests.release.release_aws import Deployment

VERSIONS = {row.name: row.version for row in load_containers(ROOT)}
REMOVER = NAMES.function("background-remover")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    with releasing(tmp_path_factory.mktemp("machines")) as (releases, _):
        releases.release_something_before()
        yield releases


def verdict_of(releases: Releases, container: str, function: str) -> dict[str, Any]:
    digest = f"sha256:{releases.stack(container).requests[-1]['Parameters'][0]['ParameterValue']}"
    return releases.read_file(container, digest, f"smoke/{function}.json")


@pytest.mark.parametrize(
    "container", [each.name for each in load_containers(ROOT) if not each.function_per_model]
)
def test_a_good_version_passes_with_its_golden_event(good: Releases, container: str) -> None:
    version = VERSIONS[container]
    good.push(container, version)

    execution = good.release(container, version)

    assert execution.status == "SUCCEEDED", execution.reason
    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"], verdict["said"]) == (True, True, "")


def test_each_model_is_smoke_tested_unless_its_weights_are_not_staged(
    good: Releases,
) -> None:
    """Weights of the starter are staged, weights of u2net are not."""
    container, version = "background-remover", VERSIONS["background-remover"]
    good.stage("starter")
    good.stack(container).functions = [f"{REMOVER}-starter", f"{REMOVER}-u2net"]
    good.push(container, version)

    execution = good.release(container, version)

    assert execution.status == "SUCCEEDED", execution.reason
    starter = verdict_of(good, container, f"{REMOVER}-starter")
    assert (starter["passed"], starter["tried"], starter["said"]) == (True, True, "")
    u2net = verdict_of(good, container, f"{REMOVER}-u2net")
    assert (u2net["passed"], u2net["tried"]) == (True, False)
    assert u2net["said"] == "started, and not tried: this model's weights are not staged yet"


def test_a_rollback_is_not_smoke_tested(good: Releases) -> None:
    """The running function would fail the test: it is not version 0.0.9."""
    container, old = "edge-refiner", good.push("edge-refiner", "0.0.9")
    good.remember(container, "0.0.9", old)

    execution = good.release(container, "0.0.9", action="rollback")

    assert execution.status == "SUCCEEDED", execution.reason
    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"]) == (True, False)
    assert verdict["said"] == "not tried: it was live before"


def test_a_change_of_settings_after_a_rollback_is_smoke_tested(good: Releases) -> None:
    """The stack keeps `all-at-once`, but the new settings were never live."""
    container, old = "media-inspector", good.push("media-inspector", "0.0.9")
    good.remember(container, "0.0.9", old)
    good.release(container, "0.0.9", action="rollback")
    assert good.stack(container).parameters["TrafficShift"] == "all-at-once"
    good.aws.deployments["d-settings"] = Deployment(NAMES.function(container), version="2")

    good.aws.smoke_test("d-settings")

    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"]) == (False, True)
    assert "not media-inspector 0.0.9" in verdict["said"]


def test_codedeploy_gets_a_report_if_the_smoke_test_breaks(good: Releases) -> None:
    container, version = "edge-refiner", "9.9.9"
    good.push(container, version)
    good.stack(container).functions = [NAMES.function("nobody-knows-this")]

    execution = good.release(container, version)

    assert (execution.status, execution.error) == ("FAILED", "RolledBack")
    assert "a lifecycle validation function failed" in execution.reason
