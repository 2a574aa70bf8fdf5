"""Provide stores and a fresh workbench to the platform's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline import task
from pipeline.artifacts import ArtifactStore, LocalStore
from pipeline.aws.s3 import S3Store
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.resources import load_resources
from pipeline.local.deployment import create_tables
from pipeline.operations.site import Site
from tests.conftest import ROOT
from tests.pipeline.operations.deployment import STANDING, Deployment


@pytest.fixture
def fresh_workbench(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    task._BENCHES.clear()
    yield
    task._BENCHES.clear()


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with mock_aws(config=STANDING):
        yield Deployment()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The local stage with its tables, and nothing else."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", LOCAL_NAMES.region)
    with mock_aws():
        create_tables(load_resources(ROOT), boto3.client("dynamodb"))
        yield Site(LOCAL_NAMES, boto3.Session(), ())


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws() as cloud:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield cloud, boto3.client("s3")


@pytest.fixture
def bucket(cloud: Any) -> S3Store:
    backends, client = cloud
    backends.reset()
    client.create_bucket(Bucket="photos")
    return S3Store(client)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> ArtifactStore:
    store: ArtifactStore = request.getfixturevalue(request.param)
    return store
