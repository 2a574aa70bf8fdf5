"""Objects on disk are read, changed, listed and deleted as if they were in memory."""

from __future__ import annotations

import copy
import gc
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from pipeline.local.cloud import LocalCloud
from pipeline.local.moto import shelf
from pipeline.local.moto.stored_objects import Body, StoredObject, StoredObjects, bodies

pytestmark = pytest.mark.usefixtures("cloud")
LARGE = 6 * 1024 * 1024  # moto opens a file for each object of this size, and keeps it open
OTHERS = 20  # more than a shelf keeps in memory


class Bucket(NamedTuple):
    s3: Any
    name: str

    def put(self, key: str, content: bytes, **options: Any) -> str:
        answer = self.s3.put_object(Bucket=self.name, Key=key, Body=content, **options)
        return str(answer.get("VersionId", ""))

    def bury(self) -> None:
        """Put enough other objects to move all earlier ones to disk."""
        for number in range(OTHERS):
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
def nothing_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values leave memory as soon as there are enough others."""
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
        Bucket=bucket.name, PaginationConfig={"PageSize": 9}
    )
    sizes = [(each["Key"], each["Size"]) for page in pages for each in page["Contents"]]

    others = [(f"other/{number:02}", 0) for number in range(OTHERS)]
    assert sizes == [("ant", 2), *others, ("zebra", 1)]


def test_a_change_to_an_object_on_disk_stays(bucket: Bucket) -> None:
    bucket.put("first", b"bytes")
    bucket.bury()
    bucket.s3.put_object_acl(Bucket=bucket.name, Key="first", ACL="public-read")
    bucket.bury()

    grants = bucket.s3.get_object_acl(Bucket=bucket.name, Key="first")["Grants"]

    assert "READ" in [grant["Permission"] for grant in grants]


def test_each_version_on_disk_is_read_listed_and_deleted_by_its_id(bucket: Bucket) -> None:
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


def test_a_bucket_with_objects_cannot_be_locked(bucket: Bucket) -> None:
    bucket.keep_versions()
    bucket.put("photo", b"bytes")

    with pytest.raises(ClientError, match="needs to be empty"):
        bucket.s3.put_object_lock_configuration(
            Bucket=bucket.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )


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


def test_a_replaced_or_deleted_object_leaves_no_file(bucket: Bucket) -> None:
    before = files()
    for content in (b"one", b"two"):
        bucket.put("replaced", content)
        bucket.put("deleted", content)
    bucket.bury()
    bucket.s3.delete_object(Bucket=bucket.name, Key="deleted")

    assert len(files() - before) == 1 + OTHERS
    assert bucket.content("replaced") == b"two"


def test_a_version_read_from_disk_twice_is_not_taken_for_a_deleted_one() -> None:
    objects = StoredObjects()
    first = new_object("photo")
    objects.setlist("photo", [first])

    objects.setlist("photo", [copy.deepcopy(first), new_object("photo")])
    del first, objects._recent["photo"]

    assert [version.value for version in objects.getlist("photo")] == [b"bytes", b"bytes"]


def test_readers_see_an_object_only_with_its_etag() -> None:
    objects, made = StoredObjects(), new_object("photo")

    objects.setlist("photo", [made])
    made._value_buffer.read = None

    assert objects["photo"].etag == '"4b3a6218bb3e3a7303e8a171a60fcf92"'


def test_an_object_deleted_while_it_is_read_is_read_to_its_end() -> None:
    body = Body()
    body.write(b"all of it")

    body.close()

    assert body.read(3) + body.read() == b"all of it"
    path = body.path
    del body
    assert not path.exists()


def new_object(key: str) -> StoredObject:
    return StoredObject(key, b"bytes", account_id="1", region_name="us-east-1")


def files() -> set[Path]:
    gc.collect()
    return set(bodies().path.glob("*.body"))
