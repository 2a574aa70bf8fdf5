"""The built images, mounted, and a cloud whose functions all run inside them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.local.image_launcher import ImageLauncher, launching_images
from pipeline.local.worker import Function
from pipeline.operations.executions import Execution
from pipeline.releases.images.sandbox import Sandbox
from pipeline.releases.images.tools import ImageError
from pipeline.session.watching import describe
from tests.conftest import ROOT
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.faces.user import People
from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.conftest import environment, matteline  # noqa: F401 - fixtures
from tests.small_models import people, stock_small_models, talk

CONTAINERS: Final = load_containers(ROOT)
EMULATOR: Final = ROOT / ".rie" / "aws-lambda-rie"
PHOTO: Final = "square.png"
RECORDING: Final = "talk.wav"
GROUP: Final = "group.png"
KEPT: Final[tuple[dict[str, Any], ...]] = (
    {
        "action": "create",
        "collection": "group",
        "consent": {
            "purpose": "tests of images",
            "legal_basis": "the faces are drawn",
            "retention_days": 1,
        },
    },
    {"action": "enroll", "collection": "group", "records": ["group_faces.record.json"]},
)


def skip_or_fail(reason: str) -> None:
    """Skip without images; fail if MATTELINE_DEMAND_IMAGES requires them."""
    if os.environ.get("MATTELINE_DEMAND_IMAGES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def blueprint(shelf: Shelf) -> Blueprint:
    """This checkout with AWS Batch, and small models for every product; all are in the mirror."""
    small = stock_small_models(shelf.folder)
    read = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue, small))
    return read.with_batch("cpu")


@pytest.fixture(scope="session")
def launcher(blueprint: Blueprint) -> Iterator[ImageLauncher]:
    with ExitStack() as stack:
        try:
            launcher = stack.enter_context(launching_images(blueprint))
        except ImageError as trouble:
            skip_or_fail(f"{trouble.message}. {trouble.hint}")
        yield launcher


@pytest.fixture(params=CONTAINERS, ids=lambda each: each.name)
def container(request: pytest.FixtureRequest) -> ContainerManifest:
    chosen: ContainerManifest = request.param
    return chosen


@pytest.fixture
def sandbox(launcher: ImageLauncher, container: ContainerManifest) -> Sandbox:
    return launcher.sandboxes[container.handler]


@dataclass(frozen=True)
class ImageCloud:
    """A cloud of images and the functions it created, by name."""

    cloud: LocalCloud
    functions: dict[str, Function]

    def function(self, container: ContainerManifest) -> Function:
        model = self.cloud.blueprint.catalogue.defaults.get(container.name)
        return self.functions[NAMES.function(container.name, model)]

    def invoke(self, container: ContainerManifest, payload: dict[str, Any]) -> dict[str, Any]:
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.function(container).name, Payload=json.dumps(payload)
        )
        result: dict[str, Any] = json.load(answer["Payload"])
        return result


@pytest.fixture(scope="session")
def cloud(launcher: ImageLauncher, blueprint: Blueprint, shelf: Shelf) -> Iterator[ImageCloud]:
    created: dict[str, Function] = {}

    def note(function: Function) -> Function:
        return created.setdefault(function.name, function)

    with local_cloud(
        blueprint, weights_mirror=shelf.mirror, launcher=launcher, adjust=note
    ) as running:
        running.host.warm(warm_functions(blueprint))
        yield ImageCloud(running, created)


@pytest.fixture(scope="session")
def driver(cloud: ImageCloud) -> Driver:
    return Driver(cloud.cloud, Faults())


@dataclass(frozen=True)
class Recorded:
    """What state machines sent to each container, and how their executions ended."""

    verdicts: tuple[str, ...]
    payloads: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def recorded(driver: Driver) -> Recorded:
    """Process a photo, a recording and faces with all images, and enroll the faces.

    Keep a payload of each function.
    """
    photo = driver.drop(png(square()), PHOTO)
    recording = driver.drop(talk(), RECORDING, denoise="true", diarize="true", tags="true")
    group = People(driver).ask(people(), GROUP, preview="true", redact="blur", embed="true")
    kept = [act(driver, asked) for asked in KEPT]
    states = driver.cloud.client("stepfunctions")
    staging = states.list_executions(stateMachineArn=NAMES.machine_arn("stage-weights"))
    executions = (photo, recording, group, *kept)
    arns = [each.arn for each in executions]
    arns += [each["executionArn"] for each in staging["executions"]]
    payloads: dict[str, dict[str, Any]] = {}
    for arn in arns:
        for name, sent in _payloads(states, arn):
            payloads.setdefault(name, sent)
    return Recorded(tuple(each.verdict for each in executions), payloads)


def act(driver: Driver, asked: dict[str, Any]) -> Execution:
    """Do one action of a collection; return its execution, once it has ended."""
    arn = driver.begin(asked, machine="collection")
    driver.wait_until_ended(arn)
    return describe(driver.cloud.client("stepfunctions"), arn)


def _payloads(states: Any, arn: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every payload of an execution with its container."""
    for event in states.get_execution_history(executionArn=arn)["events"]:
        scheduled = json.loads(event.get("taskScheduledEventDetails", {}).get("parameters", "{}"))
        for container in CONTAINERS:
            if NAMES.function_arn(container.name) in scheduled.get("FunctionName", ""):
                yield container.name, scheduled["Payload"]


@pytest.fixture(scope="session")
def emulator() -> Path:
    if not EMULATOR.exists():
        skip_or_fail(f"{EMULATOR} is missing; `make test-images` fetches it")
    return EMULATOR
