"""A running cloud whose faces machine has stub tasks; its cutout machine has the real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.operations.site import Site, local_site
from tests.conftest import ROOT
from tests.execution.driver import Driver
from tests.execution.faults import Faults
from tests.faces.stubs.functions import with_stubs
from tests.faces.user import People
from tests.hasty import hasty
from tests.models import Shelf


@pytest.fixture(scope="module")
def driver(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    blueprint = Blueprint.read(
        ROOT,
        defaults=("brightness",),
        overlays=(shelf.catalogue,),
        on_request={"faces": ("people/", "teams/")},
    )
    faults = Faults()
    with local_cloud(
        hasty(blueprint, tmp_path_factory.mktemp("machines"), most_tries=1),
        weights_mirror=shelf.mirror,
        adjust=with_stubs,
        wrap=faults.wrap,
    ) as cloud:
        yield Driver(cloud, faults)


@pytest.fixture
def people(driver: Driver) -> People:
    return People(driver)


@pytest.fixture
def site(driver: Driver) -> Site:
    return local_site(NAMES, driver.cloud.endpoint, driver.cloud.blueprint.products)
