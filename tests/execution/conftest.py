"""A running cloud for each file: the real state machines, the real containers, test models.

For each file, not for the tier: other tests of the same process reset moto between files.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES, warm_functions
from pipeline.local.worker import Function
from pipeline.operations.site import Site, local_site
from tests.bedrock import HostedModel, hosted_model
from tests.conftest import ROOT
from tests.execution.api import User
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.execution.operating import Write
from tests.hasty import hasty
from tests.models import Shelf


@pytest.fixture(scope="module")
def hosted() -> Iterator[HostedModel]:
    """What the function of the model `hosted` takes for Amazon Bedrock."""
    with hosted_model() as model:
        yield model


@pytest.fixture(scope="module")
def driver(
    shelf: Shelf, hosted: HostedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    overlays = (shelf.catalogue,)
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=overlays)
    machines = tmp_path_factory.mktemp("machines")
    faults = Faults()
    with local_cloud(
        hasty(blueprint, machines),
        weights_mirror=shelf.mirror,
        adjust=functools.partial(_adjusted, bedrock=hosted.url),
        wrap=faults.wrap,
    ) as cloud:
        cloud.host.warm(warm_functions(blueprint))
        yield Driver(cloud, faults)


@pytest.fixture
def ada(driver: Driver) -> User:
    """A user of the HTTP API."""
    return User(driver.cloud.api, "ada")


@pytest.fixture
def bob(driver: Driver) -> User:
    """Another user of the HTTP API."""
    return User(driver.cloud.api, "bob")


@pytest.fixture
def operator(driver: Driver) -> User:
    """An operator who uses the HTTP API."""
    return User(driver.cloud.api, "olga", OPERATOR_SCOPE)


@pytest.fixture
def site(driver: Driver) -> Site:
    """The same cloud, as the operator's verbs see it."""
    return local_site(LOCAL_NAMES, driver.cloud.endpoint, driver.cloud.blueprint.products)


@pytest.fixture
def rewrite(driver: Driver) -> Write:
    """Puts something else into a row: what a fault at the wrong moment leaves behind."""

    def write(job_id: str, **attributes: str) -> None:
        driver.cloud.client("dynamodb").update_item(
            TableName=NAMES.table("jobs"),
            Key={"job_id": {"S": job_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={
                f":{name}": {"S": text} for name, text in attributes.items()
            },
        )

    return write


def _adjusted(function: Function, *, bedrock: str) -> Function:
    if function.name.endswith("-buggy"):
        return replace(function, handler="tests.execution.handlers.bug")
    if function.name.endswith("-endless"):
        return replace(function, timeout_s=2)
    if function.name.endswith("-hosted"):
        address = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock}
        return replace(function, environment={**function.environment, **address})
    return function
