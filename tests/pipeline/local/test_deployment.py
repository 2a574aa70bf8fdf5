"""The local cloud creates functions and queues as the container manifests declare."""

from __future__ import annotations

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import LONGEST_S, NAMES, functions
from tests.conftest import ROOT

BLUEPRINT = Blueprint.read(ROOT, default_model="u2netp")


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
