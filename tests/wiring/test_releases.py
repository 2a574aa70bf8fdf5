"""A stack takes its first release and the next one, and remembers what is live."""

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
    """The edge refiner as its callers meet it."""
    found: dict[str, Any] = cloud.client("lambda").get_function_configuration(
        FunctionName=REFINER, Qualifier="live"
    )
    return found


def test_nothing_runs_before_the_first_release(
    stacks: dict[str, Template], elsewhere: MiniStack
) -> None:
    deploy(stacks, elsewhere)

    there = elsewhere.client("lambda").list_functions()["Functions"]
    names = {each["FunctionName"] for each in there}
    assert {name for name in names if name.startswith(CONTAINERS)} == set()
    assert "matteline-dev-release-gate" in names  # it has to judge the first


def test_a_release_moves_live_to_a_version_of_its_own(
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


def test_what_is_live_is_on_record(stacks: dict[str, Template], elsewhere: MiniStack) -> None:
    deploy(stacks, elsewhere)
    release(stacks, elsewhere, NEXT)

    name = "/matteline-dev/released/edge-refiner"
    record = elsewhere.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert json.loads(record) == {"version": "1.3.0", "digest": f"sha256:{NEXT['ImageDigestHex']}"}
