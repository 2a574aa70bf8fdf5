"""Objects that must be restored before a backfill can process them are counted."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.aws.s3_archives import is_archived
from pipeline.cli.backfill import backfill
from pipeline.operations.backfill.backfilling import Batch, estimate
from tests.pipeline.operations.deployment import INGEST, Deployment
from tests.pipeline.operations.sites import CUTOUT

CLASSES = ["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]


@pytest.mark.parametrize(
    "batch",
    [
        Batch(CUTOUT),
        Batch(CUTOUT, keys=tuple(CLASSES)),
    ],
    ids=["prefix", "list"],
)
def test_archived_objects_are_counted(deployment: Deployment, batch: Batch) -> None:
    s3 = deployment.site.client("s3")
    for name in CLASSES:
        s3.put_object(Bucket=INGEST, Key=name, Body=b"photo", StorageClass=name)

    size = estimate(deployment.site, batch)

    assert (size.objects, size.bytes, size.archived) == (5, 25, 2)


def test_a_dry_run_says_that_objects_must_be_restored(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = deployment.site.client("s3")
    s3.put_object(Bucket=INGEST, Key="cold.jpg", Body=b"photo", StorageClass="GLACIER")
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: deployment.site)
    words = ["start", "--dry-run", "--product", "cutout", "--endpoint-url", "http://localhost"]

    told = CliRunner().invoke(backfill, words)

    assert "archived, to be restored first: 1 object" in told.stdout.splitlines()


@pytest.mark.parametrize(
    ("listed", "archived"),
    [
        ({"StorageClass": "GLACIER"}, True),
        ({"StorageClass": "GLACIER", "RestoreStatus": {"IsRestoreInProgress": True}}, True),
        (
            {
                "StorageClass": "GLACIER",
                "RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": "2026-12-06"},
            },
            False,
        ),
        ({"StorageClass": "STANDARD"}, False),
        ({}, False),
    ],
)
def test_a_listed_object_that_was_restored_can_be_read(
    listed: dict[str, Any],
    archived: bool,  # noqa: FBT001
) -> None:
    assert is_archived(listed) is archived
