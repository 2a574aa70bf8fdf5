"""A catalogue of four models, and a photo in a folder or in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.artifacts import LocalStore
from pipeline.manifest import Catalogue, load_catalogue
from tests.containers.media_inspector.inspecting import CAT, jpeg
from tests.models import catalogue_row


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    rows = [
        catalogue_row("light", "1" * 64),
        catalogue_row("strong", "2" * 64, extra='fallback = "light"'),
        catalogue_row("lab", "3" * 64).replace("commercial = true", "commercial = false"),
        catalogue_row("leaning", "4" * 64, extra='fallback = "lab"'),
    ]
    (tmp_path / "models.toml").write_text("\n".join(rows))
    return load_catalogue(tmp_path, [tmp_path / "models.toml"])


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.write(CAT, jpeg(), media_type="image/jpeg")
    return store


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="photos")
        client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        yield client
