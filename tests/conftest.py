"""What every tier shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import hypothesis
import pytest
from moto import mock_aws

from pipeline.__main__ import isolate
from tests.answers import Serve, answering
from tests.models import Shelf, stock

isolate(os.environ)
# A busy machine is slow, and no test is red for that.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).parent.parent
# Few tests, which wait for processes and state machines; the folder of the longest files first.
SLOW: Final = (
    "tests/pipeline/cli",
    "tests/newcomer",
    "tests/execution",
    "tests/pipeline/local",
    "tests/pipeline/session",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow files first: begun last, they would keep one process of `make test` busy alone."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    ranks = (rank for rank, folder in enumerate(SLOW) if path.is_relative_to(ROOT / folder))
    return next(ranks, len(SLOW))


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The tests' own models, with a catalogue to layer over the shipped one."""
    return stock(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Opens ports behind which every request gets the same answer."""
    with answering() as serve:
        yield serve


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's S3 with one versioned bucket, `photos`."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="photos")
        client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        yield client
