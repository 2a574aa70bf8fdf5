"""The local cloud creates functions and queues as the container manifests declare."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import LONGEST_S, NAMES, functions, warm_functions
from tests.conftest import ROOT

BLUEPRINT = Blueprint.read(ROOT)


def environment_of(name: str, **settings: str) -> dict[str, str]:
    (function,) = (row for row in functions(BLUEPRINT, settings) if row.name.endswith(name))
    return dict(function.environment)


@pytest.mark.parametrize("model", ["u2netp", "birefnet-general"])
def test_a_function_has_the_environment_of_its_container_and_of_the_deployment(model: str) -> None:
    environment = environment_of(f"background-remover-{model}", MATTELINE_SCRATCH="/here")

    assert set(environment) == {"GLIBC_TUNABLES", "ORT_DISABLE_TELEMETRY", "MATTELINE_SCRATCH"}
    assert "arena_max=1" in environment["GLIBC_TUNABLES"]


def test_the_deployments_environment_overrides_the_containers() -> None:
    assert environment_of("remover-u2netp", GLIBC_TUNABLES="")["GLIBC_TUNABLES"] == ""


def test_a_container_without_an_environment_adds_no_variables() -> None:
    assert environment_of("media-inspector") == {}


def test_what_a_photo_passes_through_is_warmed_with_default_models_and_no_more() -> None:
    assert set(warm_functions(BLUEPRINT)) == {
        "matteline-local-media-inspector",
        "matteline-local-model-downloader",
        "matteline-local-background-remover-u2netp",
        "matteline-local-edge-refiner",
    }


def test_a_container_that_no_state_of_the_product_invokes_is_not_warmed(tmp_path: Path) -> None:
    machines = tmp_path / "state_machines"
    shutil.copytree(BLUEPRINT.state_machines, machines)
    cutout = machines / "cutout.asl.json"
    cutout.write_text(cutout.read_text().replace("${EdgeRefinerArn}", "elsewhere"))

    warm = warm_functions(replace(BLUEPRINT, state_machines=machines))

    assert set(warm_functions(BLUEPRINT)) - set(warm) == {"matteline-local-edge-refiner"}


def test_a_waiting_event_is_not_delivered_again(cloud: LocalCloud) -> None:
    sqs = cloud.client("sqs")
    queues = sqs.list_queues()["QueueUrls"]

    timeouts = {
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"][
            "VisibilityTimeout"
        ]
        for url in queues
    }

    assert len(queues) >= len(BLUEPRINT.triggers(NAMES)) > 0
    assert timeouts == {str(LONGEST_S)}
