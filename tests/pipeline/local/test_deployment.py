"""The local cloud creates functions and queues as the container manifests declare."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import LONGEST_S, NAMES, functions, warm_functions
from pipeline.local.moto import compat
from pipeline.local.moto.interpreter import execution_worker
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


@pytest.mark.parametrize("name", BLUEPRINT.machines(NAMES))
def test_the_interpreter_reads_every_machine(name: str) -> None:
    """The cloud reads those of no product when they are started."""
    compat.apply()
    definition = BLUEPRINT.machines(NAMES)[name]

    program, _ = execution_worker.AmazonStateLanguageParser.parse(definition)

    assert program.states.states


def test_a_product_whose_machine_is_broken_starts_no_cloud(tmp_path: Path) -> None:
    machines = tmp_path / "state_machines"
    shutil.copytree(BLUEPRINT.state_machines, machines)
    cutout = machines / "cutout.asl.json"
    cutout.write_text(cutout.read_text().replace('"StartAt": "Inspect"', '"StartAt": ', 1))
    broken = replace(BLUEPRINT, state_machines=machines)

    with pytest.raises(ClientError, match="ASLParserException"), local_cloud(broken):
        pass


def test_every_machine_is_listed_and_described_before_it_is_started(cloud: LocalCloud) -> None:
    states = cloud.client("stepfunctions")
    declared = {NAMES.machine_arn(name): text for name, text in BLUEPRINT.machines(NAMES).items()}

    arns = {each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]}

    assert arns == set(declared)
    for arn in arns:
        told = states.describe_state_machine(stateMachineArn=arn)
        assert json.loads(told["definition"]) == json.loads(declared[arn])


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
