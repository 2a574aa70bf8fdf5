"""A stack takes its first and next release and records the live version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.declared.containers import load_containers
from tests.conftest import ROOT
from tests.wiring.assembly import Template
from tests.wiring.deployment import RELEASE, deploy, release
from tests.wiring.ministack import MiniStack

pytestmark = pytest.mark.wiring
REFINER = "matteline-dev-edge-refiner"
CONTAINERS = tuple(f"matteline-dev-{each.name}" for each in load_containers(ROOT))
NEXT = {"ImageDigestHex": "e" * 64, "ReleaseVersion": "1.3.0"}


def live(cloud: MiniStack) -> dict[str, Any]:
    """Return the live configuration of the edge refiner."""
    found: dict[str, Any] = cloud.client("lambda").get_function_configuration(
        FunctionName=REFINER, Qualifier="live"
    )
    return found


def test_no_container_function_exists_before_its_first_release(
    stacks: dict[str, Template], elsewhere: MiniStack
) -> None:
    deploy(stacks, elsewhere)

    there = elsewhere.client("lambda").list_functions()["Functions"]
    names = {each["FunctionName"] for each in there}
    assert {name for name in names if name.startswith(CONTAINERS)} == set()
    assert "matteline-dev-release-gate" in names  # it checks the first release


def test_a_release_points_live_to_a_new_version(
    stacks: dict[str, Template], elsewhere: MiniStack
) -> None:
    deploy(stacks, elsewhere)
    release(stacks, elsewhere)
    before = live(elsewhere)

    release(stacks, elsewhere, NEXT)

    after = live(elsewhere)
    variables = after["Environment"]["Variables"]
    assert (before["Version"], after["Version"]) == ("1", "2")
    assert before["Environment"]["Variables"]["MATTELINE_RELEASE"] == RELEASE["ReleaseVersion"]
    assert variables["MATTELINE_IMAGE_DIGEST"] == f"sha256:{NEXT['ImageDigestHex']}"


def test_the_live_version_is_recorded(stacks: dict[str, Template], elsewhere: MiniStack) -> None:
    deploy(stacks, elsewhere)
    release(stacks, elsewhere, NEXT)

    name = "/matteline-dev/released/edge-refiner"
    record = elsewhere.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert json.loads(record) == {"version": "1.3.0", "digest": f"sha256:{NEXT['ImageDigestHex']}"}
