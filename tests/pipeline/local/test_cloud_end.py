"""A cloud that has stopped leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.local.moto.spill import spill
from tests.conftest import ROOT


def test_nothing_is_left_on_disk_once_the_cloud_has_stopped() -> None:
    with local_cloud(Blueprint.read(ROOT)) as cloud:
        s3 = cloud.client("s3")
        for content in (b"old", b"new"):
            s3.put_object(Bucket=NAMES.bucket("ingest"), Key="not-a-photo", Body=content)
        assert files()

    assert not files()


def files() -> set[Path]:
    return set(spill().new_file().parent.iterdir())
