"""Delete the results of deleted photos, in every version, and count them.

Two photos may share the keys of their outputs: `cat.jpg` and `cat.png`, or two uploads under one
key. So the output record says whether files are of the deleted photo; its key alone does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.aws.outages import Unanswered, is_outage
from pipeline.errors import StoreUnavailable
from pipeline.functions.lines import write_line
from pipeline.functions.photo_forgetter.contract import ForgetPhoto, PhotoForgotten
from pipeline.functions.photo_forgetter.followers import Follower
from pipeline.functions.photo_forgetter.photos import Judge, OfPhoto, Photos
from pipeline.functions.photo_forgetter.rows import Rows
from pipeline.functions.photo_forgetter.versions import (
    Version,
    delete_below,
    delete_versions,
    latest_of,
    read_json,
    sha256_of,
    versions_of,
)
from pipeline.traces import trace_id

_RUNNING: Final = "RUNNING"


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

    @property
    def rows(self) -> Rows:
        return Rows(self.dynamodb, self.table, self.ingest)

    def forget(self, job: ForgetPhoto) -> PhotoForgotten:
        """Delete the results of a photo, if it was deleted, or of the photos of a forgotten person.

        A second call finds nothing left. Raises StoreUnavailable if S3 or DynamoDB is too busy;
        then the next call goes on.
        """
        with _named_outages():
            found = [
                self._forget(key, follower, judge)
                for key, judge in self._judges(job)
                for follower in self.followers
            ]
        each = [asdict(receipt) for receipt in found]
        names = PhotoForgotten.__dataclass_fields__
        receipt = {name: sum(counts[name] for counts in each) for name in names}
        trace = job.trace_id or trace_id(job.execution)
        write_line("photo-forgetter", "done", trace_id=trace, execution=job.execution, **receipt)
        return PhotoForgotten(**receipt)

    def _judges(self, job: ForgetPhoto) -> Iterator[tuple[str, Judge]]:
        if job.key:
            yield job.key, Photos(self.s3, self.ingest)
        yield from ((key, OfPhoto(self.ingest, key)) for key in job.photos)

    def _forget(self, key: str, follower: Follower, judge: Judge) -> PhotoForgotten:
        rows = list(self.rows.of(key, follower))
        if not rows and not versions_of(self.s3, self.output, follower.record_key(key)):
            return PhotoForgotten()
        versions = self._versions(key, follower)
        rows = list(self.rows.of(key, follower))  # again: a job may have published what is listed
        if running := sum(row.status == _RUNNING for row in rows):
            return PhotoForgotten(running=running)  # its files have no record yet
        records = self._records(follower.record_key(key), versions)
        about_gone = [each for each in records if judge.are_gone(each.content.get("source"))]
        jobs = {record.job_id for record in about_gone}
        gone = [row for row in rows if row.job_id in jobs or judge.are_gone_since(row)]
        if not gone and not about_gone:
            return PhotoForgotten()
        present = [each for each in records if each.version.latest and each not in about_gone]
        kept = {version for record in present for version in self._own(record, versions)}
        gone = [row for row in gone if row.job_id not in {each.job_id for each in present}]
        for row in gone:
            self.rows.mark_deleted(row)
        jobs = {row.job_id for row in gone} | (jobs - {each.job_id for each in present})
        folders = [follower.work_prefix(job) for job in sorted(jobs) if job]
        return PhotoForgotten(
            jobs=len(gone),
            work_files=sum(delete_below(self.s3, self.work, folder) for folder in folders),
            files=delete_versions(
                self.s3, self.output, [each for each in versions if each not in kept]
            ),
        )

    def _records(self, key: str, versions: Sequence[Version]) -> list[Record]:
        return [
            Record(each, read_json(self.s3, self.output, each))
            for each in versions
            if each.key == key and not each.marker
        ]

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


@contextlib.contextmanager
def _named_outages() -> Iterator[None]:
    """Raise StoreUnavailable where S3 or DynamoDB is too busy or does not answer."""
    try:
        yield
    except (BotoCoreError, ClientError, Unanswered) as error:
        if is_outage(error):
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
        raise
