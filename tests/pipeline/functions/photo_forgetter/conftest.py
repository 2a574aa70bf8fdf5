"""A stage with photos, and with jobs of products as their state machines leave them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.functions.photo_forgetter.contract import ForgetPhoto, PhotoForgotten
from pipeline.functions.photo_forgetter.followers import Follower
from pipeline.functions.photo_forgetter.forgetter import Forgetter
from pipeline.operations.site import Site

INGEST, OUTPUT, WORK = (LOCAL_NAMES.bucket(name) for name in ("ingest", "output", "work"))
FACES = Follower("faces", "_faces.record.json", ("_faces.json", "_faces_preview.jpg"), "faces/")
NOTHING = PhotoForgotten()


@dataclass
class Stage:
    """A stage with photos, and jobs of products as their state machines leave them."""

    site: Site
    forgetter: Forgetter

    @property
    def s3(self) -> Any:
        return self.forgetter.s3

    def upload(self, key: str, content: bytes = b"a photo") -> str:
        """Upload a photo; return its version."""
        return str(self.s3.put_object(Bucket=INGEST, Key=key, Body=content)["VersionId"])

    def delete(self, key: str, version: str | None = None) -> None:
        exact = {"VersionId": version} if version else {}
        self.s3.delete_object(Bucket=INGEST, Key=key, **exact)

    def analyse(  # noqa: PLR0913 - keyword-only facts of a job
        self,
        key: str,
        version: str | None,
        *,
        job: str = "job",
        content: bytes = b"a photo",
        bucket: str = INGEST,
        kinds: tuple[str, ...] = ("_faces.json",),
        product: str = "faces",
    ) -> None:
        """Do a job of the product: work files, outputs, record, row."""
        stem = key.rpartition(".")[0] or key
        source = {
            "bucket": bucket, "key": key, "version_id": version, "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        secret = f"secret of {job}".encode()
        files = [
            {
                "uri": f"s3://{OUTPUT}/{stem}{end}", "bytes": len(secret),
                "sha256": hashlib.sha256(secret).hexdigest(),
            }
            for end in kinds
        ]  # fmt: skip
        record = {"job_id": job, "source": source, "files": files}
        self.s3.put_object(Bucket=WORK, Key=f"{product}/{job}/run/faces.json", Body=b"secret")
        for end in kinds:
            self.s3.put_object(Bucket=OUTPUT, Key=f"{stem}{end}", Body=secret)
        place = f"{stem}_{product}.record.json"
        self.s3.put_object(Bucket=OUTPUT, Key=place, Body=json.dumps(record))
        self.row(key, job=job, bucket=bucket, product=product)

    def row(  # noqa: PLR0913 - keyword-only facts of a job
        self,
        key: str,
        *,
        job: str = "job",
        status: str = "DONE",
        bucket: str = INGEST,
        product: str = "faces",
        at: datetime | None = None,
    ) -> None:
        ended = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
        row = {"job_id": job, "key": key, "bucket": bucket, "product": product, "status": status,
               "execution": f"arn:{job}", "updated_at": ended}  # fmt: skip
        self.forgetter.dynamodb.put_item(
            TableName=self.forgetter.table, Item={name: {"S": text} for name, text in row.items()}
        )

    def status(self, job: str = "job") -> str:
        found = self.forgetter.dynamodb.get_item(
            TableName=self.forgetter.table, Key={"job_id": {"S": job}}
        )
        return str(found["Item"]["status"]["S"])

    def forget(self, key: str) -> PhotoForgotten:
        return self.forgetter.forget(ForgetPhoto("arn:execution", key))

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=OUTPUT, Key=key)["Body"].read())

    def stored(self, bucket: str = OUTPUT) -> list[str]:
        """The keys of all versions and delete markers."""
        listed = self.s3.list_object_versions(Bucket=bucket)
        return sorted(
            row["Key"] for row in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ()))
        )


@pytest.fixture
def stage(site: Site) -> Stage:
    s3 = site.client("s3")
    for bucket in (INGEST, OUTPUT, WORK):
        s3.create_bucket(Bucket=bucket)
        if bucket != WORK:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    table = LOCAL_NAMES.table("jobs")
    forgetter = Forgetter(site.client("dynamodb"), s3, table, INGEST, OUTPUT, WORK, [FACES])
    return Stage(site, forgetter)
