"""Whatever goes wrong has its own name, and leaves nothing that looks like a model."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from pipeline.artifacts import LocalStore, Location, Upload
from pipeline.aws.s3 import S3Store
from pipeline.errors import (
    OutOfStorage,
    StoreUnavailable,
    WeightsClaimed,
    WeightsMismatch,
    WeightsUnavailable,
)
from pipeline.weights.staged import StagedWeights
from tests.containers.model_downloader.desks import (
    Bench,
    everything_in,
    stage,
)
from tests.containers.model_downloader.server import Page
from tests.models import Shelf, catalogue_row


class HalfWorkingStore(LocalStore):
    """Takes one upload, then none."""

    uploads = 0

    def begin(self, location: Location) -> Upload:
        self.uploads += 1
        if self.uploads > 1:
            raise StoreUnavailable("no")
        return super().begin(location)


def test_a_store_that_fails_on_the_way_leaves_nothing(
    bench: Bench, two_files: tuple[Path, str], tmp_path: Path
) -> None:
    mirror, row = two_files
    broken = HalfWorkingStore(tmp_path / "broken")

    with pytest.raises(StoreUnavailable):
        stage(bench(row, mirror=mirror, onto=broken), "two")

    assert everything_in(broken.root) == []


def test_a_download_that_breaks_is_continued_into_the_store(
    bench: Bench, published: tuple[Page, str], store: LocalStore
) -> None:
    page, row = published
    page.breaks = [100]

    result = stage(bench(row), "far")

    staged = StagedWeights.model_validate_json(store.read(Location.parse(result.manifest.uri)))
    assert store.read(Location.parse(staged.files[0].artifact.uri)) == page.body
    assert staged.files[0].source.endswith("/far.onnx")
    assert page.connections == 2


def test_two_at_once_make_one_download(
    bench: Bench, published: tuple[Page, str], store: LocalStore
) -> None:
    page, row = published
    asked, go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        asked.set()
        assert go_on.wait(30)

    page.before = wait
    context = bench(row)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(stage, context, "far")
        assert asked.wait(30)
        try:
            with pytest.raises(WeightsClaimed, match=r"far/\w{12}/claim\.json"):
                stage(context, "far")
            with pytest.raises(WeightsClaimed):
                stage(context, "far", force=True)
        finally:
            go_on.set()

    assert not first.result().already_staged
    assert stage(context, "far").already_staged
    assert page.connections == 1
    names = [path.name for path in everything_in(store.root)]
    assert names == ["far.onnx", "manifest.json"]


def test_whoever_claims_after_it_was_staged_downloads_nothing(
    bench: Bench, published: tuple[Page, str], tmp_path: Path
) -> None:
    page, row = published
    late = LateStore(tmp_path / "store")
    late.meanwhile = lambda: stage(bench(row), "far")

    result = stage(bench(row, onto=late), "far")

    assert result.already_staged
    assert page.connections == 1


class LateStore(LocalStore):
    """Something happens after the first look, before the claim."""

    meanwhile: Callable[[], object] | None = None

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        if self.meanwhile:
            once, self.meanwhile = self.meanwhile, None
            once()
        return super().write_if_unchanged(location, content, etag=etag)


def test_no_room_on_the_disk_stages_nothing(
    bench: Bench, published: tuple[Page, str], store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, row = published
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))

    with pytest.raises(OutOfStorage, match=r"far\.onnx needs [0-9,]+ bytes of disk; 0 are free"):
        stage(bench(row), "far")
    assert everything_in(store.root) == []


def test_a_function_about_to_be_killed_gives_up_with_a_reason(
    bench: Bench, published: tuple[Page, str], store: LocalStore
) -> None:
    _, row = published

    with pytest.raises(WeightsUnavailable, match="it ran out of time after 0 bytes"):
        stage(bench(row, ends_at=time.monotonic() + 60), "far")
    assert everything_in(store.root) == []


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="models")
        yield client


LARGE = bytes(2**24) + b"longer than a part of an upload"


@pytest.mark.parametrize("digest", [hashlib.sha256(LARGE).hexdigest(), "0" * 64])
def test_parts_that_were_uploaded_are_taken_back(
    bench: Bench, tmp_path: Path, bucket: Any, digest: str
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "large.onnx").write_bytes(LARGE)
    row = catalogue_row("large", digest)

    with pytest.raises(WeightsMismatch):
        stage(bench(row, mirror=tmp_path / "mirror", onto=S3Store(bucket)), "large")

    assert "Contents" not in bucket.list_objects_v2(Bucket="models")
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket="models")


def test_parts_that_cannot_be_taken_back_do_not_hide_that_the_bytes_are_wrong(
    bench: Bench, tmp_path: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "large.onnx").write_bytes(LARGE)
    context = bench(
        catalogue_row("large", "0" * 64), mirror=tmp_path / "mirror", onto=S3Store(bucket)
    )

    def no_answer(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.example")

    monkeypatch.setattr(bucket, "abort_multipart_upload", no_answer)
    monkeypatch.setattr(bucket, "delete_object", no_answer)

    with pytest.raises(WeightsMismatch, match="the catalogue has") as first:
        stage(context, "large")
    assert [note.split(" for s3://")[0] for note in first.value.__notes__] == [
        "cleaning up failed too: StoreUnavailable: S3 did not answer"
    ] * 2


def test_a_model_is_staged_into_a_bucket(bench: Bench, bucket: Any, shelf: Shelf) -> None:
    result = stage(bench(onto=S3Store(bucket)), "brightness")

    store = S3Store(bucket)
    staged = StagedWeights.model_validate_json(store.read(Location.parse(result.manifest.uri)))
    weights = store.read(Location.parse(staged.files[0].artifact.uri))
    assert weights == (shelf.folder / "brightness.onnx").read_bytes()
    keys = [stored["Key"] for stored in bucket.list_objects_v2(Bucket="models")["Contents"]]
    assert [key.rpartition("/")[2] for key in keys] == ["brightness.onnx", "manifest.json"]
