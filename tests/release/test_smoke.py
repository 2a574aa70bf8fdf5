"""The real hook, the real containers: what a new version is asked, and what it has to answer."""

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


@pytest.mark.parametrize("container", ["media-inspector", "model-downloader", "edge-refiner"])
def test_a_good_version_answers_its_golden_event(good: Releases, container: str) -> None:
    version = VERSIONS[container]
    good.push(container, version)

    execution = good.release(container, version)

    assert execution.status == "SUCCEEDED", execution.reason
    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"], verdict["said"]) == (True, True, "")


def test_every_model_has_a_smoke_test_of_its_own_and_says_what_was_not_tried(
    good: Releases,
) -> None:
    """The starter's weights were staged by the downloader's smoke test; nobody staged u2net's."""
    container, version = "background-remover", VERSIONS["background-remover"]
    good.stage_starter()
    good.stack(container).functions = [f"{REMOVER}-starter", f"{REMOVER}-u2net"]
    good.push(container, version)

    execution = good.release(container, version)

    assert execution.status == "SUCCEEDED", execution.reason
    starter = verdict_of(good, container, f"{REMOVER}-starter")
    assert (starter["passed"], starter["tried"], starter["said"]) == (True, True, "")
    u2net = verdict_of(good, container, f"{REMOVER}-u2net")
    assert (u2net["passed"], u2net["tried"]) == (True, False)
    assert u2net["said"] == "started, and not tried: nobody has staged this model's weights yet"


def test_a_way_back_is_not_held_up_by_questions_that_an_older_version_may_not_know(
    good: Releases,
) -> None:
    """The function that runs here would say that it is no 0.0.9."""
    container, old = "edge-refiner", good.push("edge-refiner", "0.0.9")
    good.remember(container, "0.0.9", old)

    execution = good.release(container, "0.0.9", action="rollback")

    assert execution.status == "SUCCEEDED", execution.reason
    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"]) == (True, False)
    assert verdict["said"] == "not tried: it was live before"


def test_a_change_of_settings_after_a_way_back_is_tried_however_hurried_it_comes(
    good: Releases,
) -> None:
    """The stack keeps `all-at-once`, and nobody has been live with these settings before."""
    container, old = "media-inspector", good.push("media-inspector", "0.0.9")
    good.remember(container, "0.0.9", old)
    good.release(container, "0.0.9", action="rollback")
    assert good.stack(container).parameters["TrafficShift"] == "all-at-once"
    good.aws.deployments["d-settings"] = Deployment(NAMES.function(container), version="2")

    good.aws.smoke_test("d-settings")

    verdict = verdict_of(good, container, NAMES.function(container))
    assert (verdict["passed"], verdict["tried"]) == (False, True)
    assert "not media-inspector 0.0.9" in verdict["said"]


def test_a_smoke_test_that_breaks_is_told_codedeploy_at_once(good: Releases) -> None:
    container, version = "edge-refiner", "9.9.9"
    good.push(container, version)
    good.stack(container).functions = [NAMES.function("nobody-knows-this")]

    execution = good.release(container, version)

    assert (execution.status, execution.error) == ("FAILED", "RolledBack")
    assert "a lifecycle validation function failed" in execution.reason
