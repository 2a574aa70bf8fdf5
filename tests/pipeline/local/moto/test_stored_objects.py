"""Objects on disk are read, changed, listed and deleted as if they were in memory."""

from __future__ import annotations

import gc
import pickle
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import FakeKey

from pipeline.local.cloud import LocalCloud
from pipeline.local.moto import shelf
from pipeline.local.moto.spill import spill
from pipeline.local.moto.stored_objects import Body, StoredObjects

LARGE = 6 * 1024 * 1024  # where moto would open a file, and keep it open


class Bucket(NamedTuple):
    s3: Any
    name: str

    def put(self, key: str, content: bytes, **options: Any) -> str:
        answer = self.s3.put_object(Bucket=self.name, Key=key, Body=content, **options)
        return str(answer.get("VersionId", ""))

    def bury(self) -> None:
        """Have so many others come that what was put before is on disk."""
        for number in range(70):
            self.put(f"other/{number:02}", b"")

    def content(self, key: str, **options: Any) -> bytes:
        answer = self.s3.get_object(Bucket=self.name, Key=key, **options)
        content: bytes = answer["Body"].read()
        return content

    def keep_versions(self) -> None:
        self.s3.put_bucket_versioning(
            Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
        )


@pytest.fixture(autouse=True)
def used_only_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others take the place of a value as soon as there are enough of them."""
    monkeypatch.setattr(shelf, "IN_USE_S", 0)


@pytest.fixture
def bucket(cloud: LocalCloud) -> Bucket:
    made = Bucket(cloud.client("s3"), f"bucket-{uuid.uuid4().hex}")
    made.s3.create_bucket(Bucket=made.name)
    return made


def test_an_object_on_disk_is_what_was_put(bucket: Bucket) -> None:
    bucket.put("first", b"bytes", ContentType="text/x", Metadata={"who": "me"}, Tagging="a=b")
    bucket.bury()

    answer = bucket.s3.get_object(Bucket=bucket.name, Key="first")
    tags = bucket.s3.get_object_tagging(Bucket=bucket.name, Key="first")["TagSet"]

    assert answer["Body"].read() == b"bytes"
    assert (answer["ContentType"], answer["Metadata"]) == ("text/x", {"who": "me"})
    assert tags == [{"Key": "a", "Value": "b"}]


def test_every_object_is_listed_once_in_order(bucket: Bucket) -> None:
    bucket.put("zebra", b"1")
    bucket.put("ant", b"22")
    bucket.bury()

    pages = bucket.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket.name, PaginationConfig={"PageSize": 30}
    )
    sizes = [(each["Key"], each["Size"]) for page in pages for each in page["Contents"]]

    assert sizes == [("ant", 2), *((f"other/{number:02}", 0) for number in range(70)), ("zebra", 1)]


def test_a_change_to_an_object_stays_when_it_goes_back_to_disk(bucket: Bucket) -> None:
    bucket.put("first", b"bytes")
    bucket.bury()
    bucket.s3.put_object_acl(Bucket=bucket.name, Key="first", ACL="public-read")
    bucket.bury()

    grants = bucket.s3.get_object_acl(Bucket=bucket.name, Key="first")["Grants"]

    assert "READ" in [grant["Permission"] for grant in grants]


def test_versions_on_disk_come_back_one_by_one(bucket: Bucket) -> None:
    bucket.keep_versions()
    old, new = bucket.put("photo", b"old"), bucket.put("photo", b"new")
    bucket.bury()

    assert bucket.content("photo", VersionId=old) == b"old"
    listed = bucket.s3.list_object_versions(Bucket=bucket.name, Prefix="photo")["Versions"]
    assert [each["VersionId"] for each in listed] == [new, old]
    bucket.s3.delete_object(Bucket=bucket.name, Key="photo", VersionId=new)
    bucket.bury()
    assert bucket.content("photo") == b"old"


def test_a_delete_marker_on_disk_hides_an_object_until_it_is_removed(bucket: Bucket) -> None:
    bucket.keep_versions()
    bucket.put("photo", b"bytes")
    marker = bucket.s3.delete_object(Bucket=bucket.name, Key="photo")["VersionId"]
    bucket.bury()

    with pytest.raises(ClientError, match="NoSuchKey"):
        bucket.content("photo")
    bucket.s3.delete_object(Bucket=bucket.name, Key="photo", VersionId=marker)
    assert bucket.content("photo") == b"bytes"


def test_an_upload_in_parts_is_whole_and_can_be_copied(bucket: Bucket) -> None:
    name, key = bucket.name, "parts"
    upload = {"Bucket": name, "Key": key}
    upload["UploadId"] = bucket.s3.create_multipart_upload(**upload)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": bucket.s3.upload_part(**upload, **part)["ETag"]}
        for number, content in enumerate([b"a" * LARGE, b"b"], start=1)
        for part in [{"PartNumber": number, "Body": content}]
    ]
    bucket.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    bucket.bury()
    bucket.s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": key})
    bucket.s3.delete_object(Bucket=name, Key=key)
    bucket.bury()

    assert bucket.content("copy") == b"a" * LARGE + b"b"


def test_large_objects_keep_no_file_open(bucket: Bucket) -> None:
    bucket.put("0", b"")
    before = len(list(Path("/proc/self/fd").iterdir()))

    for number in range(10):
        bucket.put(f"{number}", bytes(LARGE))

    assert len(list(Path("/proc/self/fd").iterdir())) - before < 5


def test_what_is_replaced_or_deleted_leaves_no_file(bucket: Bucket) -> None:
    before = files()
    for content in (b"one", b"two"):
        bucket.put("replaced", content)
        bucket.put("deleted", content)
    bucket.bury()
    bucket.s3.delete_object(Bucket=bucket.name, Key="deleted")

    assert len(files() - before) == 1 + 70
    assert bucket.content("replaced") == b"two"


def test_nobody_sees_an_object_before_its_checksum_is_known() -> None:
    objects = StoredObjects()
    made = FakeKey("photo", b"bytes", account_id="1", region_name="us-east-1")

    objects.setlist("photo", [made])
    made._value_buffer.read = None

    assert objects["photo"].etag == '"4b3a6218bb3e3a7303e8a171a60fcf92"'


def test_an_object_deleted_while_it_is_read_is_read_to_its_end() -> None:
    body = Body()
    body.truncate()
    body.write(b"all of it")

    body.close()
    body.seek(0)

    assert body.read() == b"all of it"
    path = body.path
    del body
    assert path not in files()


def test_an_object_that_went_to_disk_while_it_is_read_is_read_to_its_end() -> None:
    body = Body()
    body.truncate()
    body.write(b"all of it")

    come_back = pickle.loads(pickle.dumps(body))  # noqa: S301
    come_back.close()
    del come_back
    gc.collect()
    body.seek(0)

    assert body.read() == b"all of it"
    path = body.path
    del body
    assert path not in files()


def files() -> set[Path]:
    gc.collect()
    return set(spill().new_file().parent.iterdir())
