"""Large objects are stored, read and copied without ever being in memory."""

from __future__ import annotations

import hashlib
import http.client
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from pipeline.local.cloud import LocalCloud
from pipeline.local.moto.large_objects import LARGE
from pipeline.local.moto.stored_objects import bodies
from pipeline.session.running_cloud import _FOR_S3

BLOCK: Final = bytes(range(256)) * 4096
BLOCKS: Final = 64
SIZE: Final = BLOCKS * len(BLOCK)
MOST: Final = SIZE // 3  # bytes in memory, of which the larger part does not depend on the size


@pytest.fixture
def bucket(cloud: LocalCloud) -> str:
    name = "large"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def send(cloud: LocalCloud, bucket: str, key: str, blocks: Iterator[bytes], size: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.server.port)
    headers = {**_FOR_S3, "Content-Length": str(size), "x-amz-meta-matteline-language": "de"}
    connection.request("PUT", f"/{bucket}/{key}", blocks, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def fetch(cloud: LocalCloud, bucket: str, key: str, **headers: str) -> tuple[int, str]:
    """Read an object block by block; return its size and SHA-256."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.server.port)
    connection.request("GET", f"/{bucket}/{key}", headers=_FOR_S3 | headers)
    answer, digest, size = connection.getresponse(), hashlib.sha256(), 0
    while block := answer.read(2**20):
        digest.update(block)
        size += len(block)
    connection.close()
    return size, digest.hexdigest()


def blocks() -> Iterator[bytes]:
    for _ in range(BLOCKS):
        yield BLOCK


def test_a_film_is_uploaded_copied_and_fetched_without_filling_the_memory(
    cloud: LocalCloud, bucket: str
) -> None:
    s3: Any = cloud.client("s3")
    digest = hashlib.sha256(BLOCK * BLOCKS).hexdigest()
    tracemalloc.start()

    status = send(cloud, bucket, "film.mp4", blocks(), SIZE)
    s3.copy_object(Bucket=bucket, Key="copy.mp4", CopySource=f"{bucket}/film.mp4")
    fetched = [fetch(cloud, bucket, key) for key in ("film.mp4", "copy.mp4")]
    part = s3.get_object(Bucket=bucket, Key="copy.mp4", Range=f"bytes={SIZE - 5}-")["Body"].read()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    head = s3.head_object(Bucket=bucket, Key="copy.mp4")
    assert status == 200
    assert fetched == [(SIZE, digest)] * 2
    assert part == BLOCK[-5:]
    assert head["ContentLength"] == SIZE
    assert head["ETag"] == f'"{hashlib.md5(BLOCK * BLOCKS).hexdigest()}"'  # noqa: S324
    assert head["Metadata"] == {"matteline-language": "de"}
    assert most < MOST


def test_a_copy_outlives_its_original(cloud: LocalCloud, bucket: str) -> None:
    s3: Any = cloud.client("s3")
    send(cloud, bucket, "film.mp4", blocks(), SIZE)
    s3.copy_object(Bucket=bucket, Key="copy.mp4", CopySource=f"{bucket}/film.mp4")

    s3.put_object(Bucket=bucket, Key="film.mp4", Body=b"other")
    s3.delete_object(Bucket=bucket, Key="film.mp4")

    assert fetch(cloud, bucket, "copy.mp4")[0] == SIZE


def test_an_upload_that_was_cut_off_leaves_nothing(cloud: LocalCloud, bucket: str) -> None:
    before = set(bodies().path.glob("*.body"))
    connection = http.client.HTTPConnection("127.0.0.1", cloud.server.port)
    connection.putrequest("PUT", f"/{bucket}/film.mp4")
    for name, text in {**_FOR_S3, "Content-Length": str(LARGE * 2)}.items():
        connection.putheader(name, text)
    connection.endheaders()
    connection.send(BLOCK)
    assert connection.sock is not None
    connection.sock.shutdown(1)

    assert connection.getresponse().status == 400
    with pytest.raises(ClientError, match="404"):
        cloud.client("s3").head_object(Bucket=bucket, Key="film.mp4")
    assert set(bodies().path.glob("*.body")) == before
