"""A transcript that is done: its row, record and recording, as its execution leaves them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

import boto3

from containers.http_api.principal import identify
from pipeline.declared.names import LOCAL_NAMES, Names, names_of_function
from pipeline.operations.site import local_site
from tests.containers.http_api.conftest import FUNCTION
from tests.no_events import no_events

ADA: Final = {"lambda": {"principal": "ada"}}
BOB: Final = {"lambda": {"principal": "bob"}}
NAMES: Final = names_of_function(FUNCTION, "http-api")
INGEST: Final = NAMES.bucket("ingest")
OUTPUT: Final = NAMES.bucket("output")
SOUND: Final = b"RIFF....WAVEfmt "


@dataclass(frozen=True)
class Finished:
    """One done job of Ada's: what is stored under its name can be changed before it is asked for.

    `key` is the recording's, and `record_key` its output record's.
    """

    s3: Any
    dynamodb: Any
    names: Names = NAMES
    job_id: str = "1" * 64
    key: str = f"{identify(ADA).prefix}u1/talk.mp3"
    speakers: dict[str, float] | None = field(
        default_factory=lambda: {"SPEAKER_00": 128.5, "SPEAKER_01": 61.0}
    )
    predictions: list[dict[str, Any]] | None = None

    @property
    def ingest(self) -> str:
        return self.names.bucket("ingest")

    @property
    def output(self) -> str:
        return self.names.bucket("output")

    @property
    def record_key(self) -> str:
        return self.key.replace(".mp3", "_transcript.record.json")

    @property
    def names_key(self) -> str:
        return self.key.replace(".mp3", "_transcript.names.json")

    @property
    def row(self) -> dict[str, str]:
        return {
            "job_id": self.job_id,
            "status": "DONE",
            "execution": self.names.execution_arn("transcript", "event-1"),
            "updated_at": "2026-10-01T12:00:00+00:00",
            "bucket": self.ingest,
            "key": self.key,
            "manifest": f"s3://{self.output}/{self.record_key}",
            "product": "transcript",
            "machine": "transcript",
        }

    def store(self) -> Finished:
        """Put the recording, the record and the row where its execution would."""
        stored = self.s3.put_object(Bucket=self.ingest, Key=self.key, Body=SOUND)
        self.write_record(version_id=stored["VersionId"])
        self.write_row()
        return self

    def write_row(self, **changed: str) -> None:
        attributes = {name: {"S": text} for name, text in {**self.row, **changed}.items()}
        self.dynamodb.put_item(TableName=self.names.table("jobs"), Item=attributes)

    def write_record(self, *, version_id: str | None = None, **changed: Any) -> None:
        source = {
            "bucket": self.ingest,
            "key": self.key,
            "version_id": version_id,
            "etag": "0",
            "sha256": "0" * 64,
            "bytes": len(SOUND),
            "media_type": "audio/mpeg",
            "format": "mp3",
        }
        record = {
            "schema": 1,
            "product": "transcript",
            "job_id": self.job_id,
            "source": source,
            "speakers": self.speakers,
            "predictions": self.predictions,
            "files": [],
            "outputs": [],
            **changed,
        }
        self.s3.put_object(
            Bucket=self.output, Key=self.record_key, Body=json.dumps(record).encode()
        )

    def names_file(self) -> Any:
        """Return what the file of names has; None without one."""
        listed = self.s3.list_objects_v2(Bucket=self.output, Prefix=self.names_key)
        if not listed["KeyCount"]:
            return None
        return json.load(self.s3.get_object(Bucket=self.output, Key=self.names_key)["Body"])


def finished_at(endpoint: str, prefix: str) -> Finished:
    """Store a transcript below a user's prefix in a running local cloud."""
    site = local_site(LOCAL_NAMES, endpoint, ())
    s3, dynamodb = site.client("s3"), site.client("dynamodb")
    job_id = hashlib.sha256(prefix.encode()).hexdigest()
    finished = Finished(s3, dynamodb, LOCAL_NAMES, job_id, key=f"{prefix}u1/talk.mp3")
    with no_events(s3, finished.ingest):  # the recording is done already
        return finished.store()


def prepare(dynamodb: Any) -> Any:
    """Create the jobs table and the buckets; return a client of S3."""
    attributes = ("job_id", "execution", "bucket", "key")
    dynamodb.create_table(
        TableName=NAMES.table("jobs"),
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-execution",
                "KeySchema": [{"AttributeName": "execution", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by-key",
                "KeySchema": [
                    {"AttributeName": "bucket", "KeyType": "HASH"},
                    {"AttributeName": "key", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    s3 = boto3.client("s3", region_name=NAMES.region)
    for bucket in (INGEST, OUTPUT):
        place = {"LocationConstraint": NAMES.region}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3
