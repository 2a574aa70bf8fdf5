"""A bucket that is kept in a folder: the next cloud has what the last one had, and no more."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipeline.local.kept_bucket import FolderInUse, FolderOpen, keeping_bucket
from pipeline.local.moto import compat, memory
from pipeline.local.server import LocalServer, moto_app

BUCKET: Final = "matteline-local-collections"
HEAD: Final = "collections/staff/head.json"
Cloud = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a function that runs moto's S3 with the folder `kept`, and provides a client."""

    @contextmanager
    def run() -> Iterator[Any]:
        compat.apply()
        memory.forget()
        server = LocalServer(0)
        server.start(moto_app())
        session = boto3.Session("key", "secret", region_name="us-east-1")
        client = session.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.port}",
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.create_bucket(Bucket=BUCKET)
        client.create_bucket(Bucket="other")
        try:
            with keeping_bucket(server, client, BUCKET, tmp_path / "kept", passing="exports/"):
                yield client
        finally:
            server.stop()
            memory.forget()

    return run


def keys(client: Any) -> set[str]:
    listed = client.list_objects_v2(Bucket=BUCKET)
    return {each["Key"] for each in listed.get("Contents", ())}


def put(client: Any, key: str, body: bytes = b"x", **more: Any) -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def test_objects_are_there_again(cloud: Cloud) -> None:
    with cloud() as first:
        put(first, HEAD, b"old")
        put(first, HEAD, b"new")
        put(first, "photos/0a/ünï %2F.. b", b"")
    with cloud() as second:
        assert keys(second) == {HEAD, "photos/0a/ünï %2F.. b"}
        assert second.get_object(Bucket=BUCKET, Key=HEAD)["Body"].read() == b"new"


def test_what_was_deleted_one_by_one_or_together_stays_away(cloud: Cloud) -> None:
    with cloud() as first:
        for name in ("a", "b", "c", "d"):
            put(first, name)
        first.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "b"}, {"Key": "c"}]})
        first.delete_object(Bucket=BUCKET, Key="a")
    with cloud() as second:
        assert keys(second) == {"d"}


def test_an_object_that_came_in_parts_is_whole(cloud: Cloud) -> None:
    part = bytes(range(256)) * 20_480
    with cloud() as first:
        made = first.create_multipart_upload(Bucket=BUCKET, Key="big")
        named = {"Bucket": BUCKET, "Key": "big", "UploadId": made["UploadId"]}
        sent = [
            {"PartNumber": n, "ETag": first.upload_part(PartNumber=n, Body=part, **named)["ETag"]}
            for n in (1, 2)
        ]
        first.complete_multipart_upload(MultipartUpload={"Parts": sent}, **named)
    with cloud() as second:
        assert second.get_object(Bucket=BUCKET, Key="big")["Body"].read() == part * 2


def test_a_change_that_is_refused_changes_nothing(cloud: Cloud) -> None:
    with cloud() as first:
        put(first, HEAD, b"one", IfNoneMatch="*")
        with pytest.raises(ClientError):
            put(first, HEAD, b"two", IfNoneMatch="*")
    with cloud() as second:
        assert second.get_object(Bucket=BUCKET, Key=HEAD)["Body"].read() == b"one"


def test_exports_and_other_buckets_are_not_kept(cloud: Cloud, tmp_path: Path) -> None:
    with cloud() as first:
        put(first, "exports/staff/x/person.json")
        first.put_object(Bucket="other", Key="a", Body=b"x")
    with cloud() as second:
        assert keys(second) == set()
    assert [path for path in (tmp_path / "kept").iterdir() if path.name != ".lock"] == []


def test_no_key_leads_out_of_the_folder(cloud: Cloud, tmp_path: Path) -> None:
    with cloud() as first:
        for key in ("../up", "a/../../up", ".lock", ".partial"):
            put(first, key)
    with cloud() as second:
        assert keys(second) == {"../up", "a/../../up", ".lock", ".partial"}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_that_others_can_enter_is_not_used(cloud: Cloud, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)

    with pytest.raises(FolderOpen, match="chmod 700"), cloud():
        pass

    assert list(folder.iterdir()) == []


def test_the_folder_is_its_users_alone_and_has_one_cloud_at_a_time(
    cloud: Cloud, tmp_path: Path
) -> None:
    with cloud():
        assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
        with pytest.raises(FolderInUse, match="kept"), cloud():
            pass
