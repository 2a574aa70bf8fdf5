"""An account without anything in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import boto3
import pytest
from botocore.loaders import create_loader
from moto import mock_aws

from pipeline.operations.site import Site
from pipeline.operations.stage.deployment import Deployment
from tests.pipeline.operations.doctor.stages import BLUEPRINT, NAMES

LOADER: Final = create_loader()  # of AWS's descriptions, which take long to read


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """An empty account."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        session = boto3.Session("key", "secret", region_name=NAMES.region)
        session._session.register_component("data_loader", LOADER)
        yield Deployment(Site(NAMES, session, ()), BLUEPRINT, {})
