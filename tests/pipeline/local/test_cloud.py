"""A stopped cloud leaves no files behind."""

from __future__ import annotations

from pathlib import Path

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.local.moto.stored_objects import bodies
from tests.conftest import ROOT


def test_no_file_is_left_after_the_cloud_has_stopped() -> None:
    with local_cloud(Blueprint.read(ROOT)) as cloud:
        s3 = cloud.client("s3")
        for content in (b"old", b"new"):
            s3.put_object(Bucket=NAMES.bucket("ingest"), Key="not-a-photo", Body=content)
        assert files()

    assert not files()


def files() -> set[Path]:
    return set(bodies().path.glob("*.body"))
