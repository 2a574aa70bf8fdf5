"""Delete the results of deleted photos, in every version, and count them.

Two photos may share the keys of their outputs: `cat.jpg` and `cat.png`, or two uploads under one
key. So the output record says whether files are of the deleted photo; its key alone does not.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.aws.outages import Unanswered, is_outage
from pipeline.contracts.output_keys import output_stem
from pipeline.errors import StoreUnavailable
from pipeline.functions.photo_forgetter.contract import ForgetPhoto, PhotoForgotten
from pipeline.functions.photo_forgetter.followers import Follower
from pipeline.functions.photo_forgetter.versions import (
    Version,
    delete_below,
    delete_versions,
    latest_of,
    read_json,
    sha256_of,
    versions_of,
)

_BY_KEY: Final = "by-key"
_RUNNING: Final = "RUNNING"


@dataclass(frozen=True)
class Row:
    """A job's row in the jobs table."""

    job_id: str
    key: str
    status: str
    execution: str
    updated_at: str

    @property
    def updated(self) -> datetime:
        at = datetime.fromisoformat(self.updated_at)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """A version of an output record, and what it says."""

    version: Version
    content: Mapping[str, Any]

    @property
    def job_id(self) -> str:
        return str(self.content.get("job_id", ""))

    @property
    def files(self) -> Mapping[str, tuple[int, str]]:
        """Return the length and the SHA-256 of each output, by its key."""
        return {
            file["uri"].split("/", 3)[3]: (file["bytes"], file["sha256"])
            for file in self.content.get("files", ())
        }


@dataclass(frozen=True)
class Forgetter:
    """The products that follow their source, and where their jobs and files are."""

    dynamodb: Any
    s3: Any
    table: str
    ingest: str
    output: str
    work: str
    followers: Sequence[Follower]

    @classmethod
    def connect(cls, followers: Sequence[Follower], environment: Mapping[str, str]) -> Forgetter:
        config = Config(connect_timeout=5, read_timeout=20)
        return cls(
            boto3.client("dynamodb", config=config),
            boto3.client("s3", config=config),
            environment["JOBS_TABLE"],
            environment["INGEST_BUCKET"],
            environment["OUTPUT_BUCKET"],
            environment["WORK_BUCKET"],
            followers,
        )

    def forget(self, job: ForgetPhoto) -> PhotoForgotten:
        """Delete the results of a photo, if it was deleted. A second call finds nothing left.

        Raises StoreUnavailable if S3 or DynamoDB is too busy; then the next call goes on.
        """
        with _named_outages():
            found = [self._forget(job.key, follower) for follower in self.followers]
        each = [asdict(receipt) for receipt in found]
        names = PhotoForgotten.__dataclass_fields__
        receipt = {name: sum(counts[name] for counts in each) for name in names}
        sys.stdout.write(json.dumps({"execution": job.execution, **receipt}) + "\n")
        return PhotoForgotten(**receipt)

    def _forget(self, key: str, follower: Follower) -> PhotoForgotten:
        rows = list(self._rows(key, follower))
        if not rows and not versions_of(self.s3, self.output, follower.record_key(key)):
            return PhotoForgotten()
        versions = self._versions(key, follower)
        rows = list(self._rows(key, follower))  # again: a job may have published what is listed
        if running := sum(row.status == _RUNNING for row in rows):
            return PhotoForgotten(running=running)  # its files have no record yet
        photos = _Photos(self.s3, self.ingest)
        records = [
            Record(each, read_json(self.s3, self.output, each))
            for each in versions
            if each.key == follower.record_key(key) and not each.marker
        ]
        about_gone = [each for each in records if photos.are_gone(each.content.get("source"))]
        jobs = {record.job_id for record in about_gone}
        gone = [row for row in rows if row.job_id in jobs or photos.are_gone_since(row)]
        if not gone and not about_gone:
            return PhotoForgotten()
        present = [each for each in records if each.version.latest and each not in about_gone]
        kept = {version for record in present for version in self._own(record, versions)}
        gone = [row for row in gone if row.job_id not in {each.job_id for each in present}]
        for row in gone:
            self._mark_deleted(row)
        jobs = {row.job_id for row in gone} | (jobs - {each.job_id for each in present})
        folders = [follower.work_prefix(job) for job in sorted(jobs) if job]
        return PhotoForgotten(
            jobs=len(gone),
            work_files=sum(delete_below(self.s3, self.work, folder) for folder in folders),
            files=delete_versions(
                self.s3, self.output, [each for each in versions if each not in kept]
            ),
        )

    def _own(self, record: Record, versions: Sequence[Version]) -> Iterator[Version]:
        """Yield a record and, of each file that it names, the version that it was written of.

        A later job may have replaced a file and failed before its own record.
        """
        yield record.version
        for key, (length, sha256) in record.files.items():
            named = [each for each in versions if each.key == key]
            if latest_of(named) is None:
                continue  # a user deleted it
            for each in named:
                if each.marker or each.bytes != length:
                    continue
                if sha256_of(self.s3, self.output, each) == sha256:
                    yield each
                    break

    def _versions(self, key: str, follower: Follower) -> list[Version]:
        """Return all versions of the product's outputs; the record's last, as they name the files.

        A deletion that is interrupted goes on with the records still there.
        """
        keys = [*follower.file_keys(key), follower.record_key(key)]
        return [each for one in keys for each in versions_of(self.s3, self.output, one)]

    def _rows(self, key: str, follower: Follower) -> Iterator[Row]:
        """Yield the product's jobs of all objects whose outputs have the same keys.

        The index may be a second behind the table, so each row is read again.
        """
        stem = output_stem(key)
        if not key.startswith(stem):  # a stem that was cut has a digest of its own key
            yield from self._found("#key = :key", key, follower)
            return
        yield from self._found("#key = :key", stem, follower)
        for row in self._found("begins_with(#key, :key)", f"{stem}.", follower):
            if output_stem(row.key) == stem:
                yield row

    def _found(self, condition: str, value: str, follower: Follower) -> Iterator[Row]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=_BY_KEY,
            KeyConditionExpression=f"#bucket = :bucket AND {condition}",
            FilterExpression="#product = :product",
            ExpressionAttributeNames={"#bucket": "bucket", "#key": "key", "#product": "product"},
            ExpressionAttributeValues={
                ":bucket": {"S": self.ingest},
                ":key": {"S": value},
                ":product": {"S": follower.name},
            },
        )
        for page in pages:
            for item in page["Items"]:
                if row := self._row(item["job_id"]["S"]):
                    yield row

    def _row(self, job_id: str) -> Row | None:
        found = self.dynamodb.get_item(
            TableName=self.table, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        item = found.get("Item")
        return Row(**{name: item[name]["S"] for name in Row.__dataclass_fields__}) if item else None

    def _mark_deleted(self, row: Row) -> None:
        """Mark that the results of a finished job are deleted, as the API does."""
        with contextlib.suppress(self.dynamodb.exceptions.ConditionalCheckFailedException):
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"job_id": {"S": row.job_id}},
                UpdateExpression="SET #status = :deleted, #updated_at = :updated_at"
                " REMOVE #released_by, #released_at",
                ConditionExpression="#execution = :execution AND #status = :done",
                ExpressionAttributeNames={
                    f"#{name}": name
                    for name in ("status", "updated_at", "released_by", "released_at", "execution")
                },
                ExpressionAttributeValues={
                    ":deleted": {"S": "DELETED"},
                    ":done": {"S": "DONE"},
                    ":updated_at": {"S": datetime.now(UTC).isoformat(timespec="milliseconds")},
                    ":execution": {"S": row.execution},
                },
            )


@dataclass(frozen=True)
class _Photos:
    """The photos of the ingest bucket; each key is listed once."""

    s3: Any
    bucket: str
    listed: dict[str, list[Version]] = field(default_factory=dict)

    def are_gone_since(self, row: Row) -> bool:
        """Return True if no version is left that a row's job may have read.

        A row does not name the version, only the time when the row last changed.
        """
        versions = self._versions(row.key)
        return latest_of(versions) is None or not any(
            _stays(each, versions) for each in versions if each.written <= row.updated
        )

    def are_gone(self, source: Mapping[str, Any] | None) -> bool:
        """Return True if a record's source was deleted: its version, or all versions of its key.

        Another upload of the same bytes is the same photo. Photos in other buckets are never
        deleted from here, so their results stay.
        """
        if not source:
            return True
        if source["bucket"] != self.bucket:
            return False
        versions = self._versions(source["key"])
        latest = latest_of(versions)
        if latest is None:
            return True
        version_id = source["version_id"] or "null"
        if any(_stays(each, versions) for each in versions if each.version_id == version_id):
            return False
        return not self._is_copy(source, latest)

    def _is_copy(self, source: Mapping[str, Any], latest: Version) -> bool:
        """Compare bytes: an ETag depends on encryption and on upload parts."""
        if source["bytes"] != latest.bytes:
            return False
        return bool(sha256_of(self.s3, self.bucket, latest) == source["sha256"])

    def _versions(self, key: str) -> list[Version]:
        if key not in self.listed:
            self.listed[key] = versions_of(self.s3, self.bucket, key)
        return self.listed[key]


def _stays(version: Version, versions: Sequence[Version]) -> bool:
    """Return False for a delete marker, and for a version that one deleted.

    A replaced version stays. If a delete marker is as old as a version, to the second, the version
    counts as deleted.
    """
    if version.marker or version.latest:
        return not version.marker
    return not any(each.marker and each.written >= version.written for each in versions)


@contextlib.contextmanager
def _named_outages() -> Iterator[None]:
    """Raise StoreUnavailable where S3 or DynamoDB is too busy or does not answer."""
    try:
        yield
    except (BotoCoreError, ClientError, Unanswered) as error:
        if is_outage(error):
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
        raise
