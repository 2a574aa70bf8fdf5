"""A model is staged whole, with its manifest last, or not at all."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from containers.model_downloader.handler import handler
from pipeline.artifacts import ArtifactStore, LocalStore, Location, Upload
from pipeline.contracts import StageWeights, WeightsStaged
from pipeline.errors import (
    InvalidOptions,
    OutOfStorage,
    StoreUnavailable,
    UnknownModel,
    WeightsClaimed,
    WeightsMismatch,
    WeightsUnavailable,
)
from pipeline.manifest import load_catalogue
from pipeline.s3 import S3Store
from pipeline.staged import StagedWeights
from pipeline.weights import LocalWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.model_downloader.server import Page, Web
from tests.models import Shelf, catalogue_row

NOTES = b"what the publisher wrote beside the weights"
NOTES_SHA256 = hashlib.sha256(NOTES).hexdigest()
NOTES_MD5 = hashlib.md5(NOTES, usedforsecurity=False).hexdigest()

Bench = Callable[..., TaskContext]


class HalfWorkingStore(LocalStore):
    """Takes one upload, then none."""

    uploads = 0

    def begin(self, location: Location) -> Upload:
        self.uploads += 1
        if self.uploads > 1:
            raise StoreUnavailable("no")
        return super().begin(location)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def bench(shelf: Shelf, store: LocalStore, tmp_path: Path) -> Bench:
    """A workbench whose catalogue has `rows` besides the shelf's."""

    def build(
        *rows: str,
        mirror: Path = shelf.folder,
        onto: ArtifactStore = store,
        ends_at: float = math.inf,
    ) -> TaskContext:
        more = tmp_path / "more.toml"
        more.write_text("\n".join(rows))
        (tmp_path / "scratch").mkdir(exist_ok=True)
        settings = Settings(
            catalogue_overlays=(shelf.catalogue, more),
            weights_mirror=str(mirror),
            scratch=tmp_path / "scratch",
        )
        workbench = Workbench(root=ROOT, settings=settings, store=onto)
        return TaskContext(workbench, ends_at=ends_at)

    return build


@pytest.fixture
def two_files(shelf: Shelf, tmp_path: Path) -> tuple[Path, str]:
    """A mirror with weights and a second file, and a row that wants both."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "two.onnx").write_bytes(content)
    (tmp_path / "mirror" / "read me.txt").write_bytes(NOTES)
    row = catalogue_row("two", hashlib.sha256(content).hexdigest())
    second = f'[[models.files]]\nname = "read me.txt"\ndigest = "md5:{NOTES_MD5}"\n'
    return tmp_path / "mirror", row + second


def stage(context: TaskContext, model: str, *, force: bool = False) -> WeightsStaged:
    job = StageWeights(schema_version=1, model=model, models_bucket="models", force=force)
    return handler.__wrapped__(job, context)  # type: ignore[attr-defined, no-any-return]


def everything_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_staged_model_is_one_that_can_be_loaded(
    bench: Bench, shelf: Shelf, store: LocalStore, tmp_path: Path
) -> None:
    result = stage(bench(), "brightness")

    content = (shelf.folder / "brightness.onnx").read_bytes()
    manifest = Location.parse(result.manifest.uri)
    row = bench().catalogue.row("brightness")
    (weights,) = LocalWeights(store, tmp_path / "elsewhere").files(manifest, row)
    assert weights.path.read_bytes() == content
    assert weights.sha256 == hashlib.sha256(content).hexdigest()
    assert (result.model, result.already_staged) == ("brightness", False)


def test_a_model_is_staged_under_its_revision(
    bench: Bench, shelf: Shelf, store: LocalStore
) -> None:
    result = stage(bench(), "brightness")

    row = load_catalogue(ROOT, [shelf.catalogue]).row("brightness")
    assert result.manifest.uri == f"s3://models/{row.weights_key}"
    content = store.read(Location("models", row.weights_key))
    assert result.manifest.sha256 == hashlib.sha256(content).hexdigest()
    assert result.manifest.bytes == len(content)


def test_every_file_is_staged_with_its_sha256_whatever_the_catalogue_states(
    bench: Bench, store: LocalStore, two_files: tuple[Path, str]
) -> None:
    mirror, row = two_files

    result = stage(bench(row, mirror=mirror), "two")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    assert [file.name for file in staged.files] == ["two.onnx", "read me.txt"]
    assert staged.files[1].digest == f"md5:{NOTES_MD5}"
    assert staged.files[1].source == (mirror / "read me.txt").as_uri()
    assert staged.files[1].artifact.sha256 == NOTES_SHA256
    assert staged.files[1].artifact.bytes == len(NOTES)
    assert store.read(Location.parse(staged.files[1].artifact.uri)) == NOTES
    assert (staged.model, staged.licence) == ("two", "MIT")


def test_a_model_of_two_networks_is_staged_with_both(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "pointer")

    manifest = store.read(Location.parse(result.manifest.uri))
    staged = StagedWeights.model_validate_json(manifest)
    assert [file.name for file in staged.files] == ["pointer.encoder.onnx", "pointer.decoder.onnx"]


def test_a_pair_in_the_wrong_order_is_not_staged(bench: Bench, store: LocalStore) -> None:
    first, second = bench().catalogue.row("pointer").files
    row = catalogue_row("muddled", second.digest.removeprefix("sha256:"))
    row = row.replace("muddled.onnx", second.name).replace('"saliency"', '"sam"')
    row = re.sub(r"(?s)\[models\.saliency\].*?\n\n", "[models.sam]\ncanvas = [48, 64]\n\n", row)
    last = f'[[models.files]]\nname = "{first.name}"\ndigest = "{first.digest}"\n'

    with pytest.raises(WeightsMismatch, match=r"^pointer\.decoder\.onnx takes"):
        stage(bench(row + last), "muddled")
    assert everything_in(store.root) == []


def test_a_hosted_model_has_nothing_to_stage(bench: Bench, store: LocalStore) -> None:
    with pytest.raises(InvalidOptions, match="hosted is hosted elsewhere"):
        stage(bench(), "hosted")
    assert everything_in(store.root) == []


def test_a_store_that_fails_on_the_way_leaves_nothing(
    bench: Bench, two_files: tuple[Path, str], tmp_path: Path
) -> None:
    mirror, row = two_files
    broken = HalfWorkingStore(tmp_path / "broken")

    with pytest.raises(StoreUnavailable):
        stage(bench(row, mirror=mirror, onto=broken), "two")

    assert everything_in(broken.root) == []


def test_what_is_staged_is_left_alone(bench: Bench, store: LocalStore, tmp_path: Path) -> None:
    first = stage(bench(), "brightness")
    before = {path: path.stat().st_mtime_ns for path in everything_in(store.root)}

    again = stage(bench(mirror=tmp_path / "empty"), "brightness")

    assert again.already_staged
    assert again.manifest == first.manifest
    assert {path: path.stat().st_mtime_ns for path in everything_in(store.root)} == before


def test_force_stages_again(bench: Bench, shelf: Shelf, store: LocalStore) -> None:
    stage(bench(), "brightness")
    (damaged,) = (path for path in everything_in(store.root) if path.suffix == ".onnx")
    damaged.write_bytes(b"damaged")

    result = stage(bench(), "brightness", force=True)

    assert not result.already_staged
    assert damaged.read_bytes() == (shelf.folder / "brightness.onnx").read_bytes()


@pytest.mark.parametrize(
    ("content", "digest", "error"),
    [
        (None, "0" * 64, WeightsUnavailable),
        (b"other bytes", "0" * 64, WeightsMismatch),
        (NOTES, NOTES_SHA256, WeightsMismatch),
    ],
    ids=["absent", "other-bytes", "not-onnx"],
)
def test_a_model_that_will_not_do_stages_nothing(
    bench: Bench, tmp_path: Path, content: bytes | None, digest: str, error: type[Exception]
) -> None:
    (tmp_path / "mirror").mkdir()
    if content is not None:
        (tmp_path / "mirror" / "bad.onnx").write_bytes(content)

    with pytest.raises(error):
        stage(bench(catalogue_row("bad", digest), mirror=tmp_path / "mirror"), "bad")

    assert everything_in(tmp_path / "store") == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_scratch_is_empty_afterwards(bench: Bench, tmp_path: Path) -> None:
    stage(bench(), "brightness")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_model_nobody_knows_is_named(bench: Bench) -> None:
    with pytest.raises(UnknownModel, match="'nobody'"):
        stage(bench(), "nobody")


# Two texts with one MD5, published by Wang and Yu in 2004; six bits differ.
COLLIDING = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
COLLIDES_WITH = bytes(
    byte ^ (0x80 if place in {19, 45, 59, 83, 109, 123} else 0)
    for place, byte in enumerate(COLLIDING)
)


def test_an_md5_is_pinned_by_the_sha256_of_the_first_staging(
    bench: Bench, two_files: tuple[Path, str], store: LocalStore
) -> None:
    mirror, row = two_files
    row = row.replace(NOTES_MD5, hashlib.md5(COLLIDING, usedforsecurity=False).hexdigest())
    (mirror / "read me.txt").write_bytes(COLLIDING)
    first = stage(bench(row, mirror=mirror), "two")
    (mirror / "read me.txt").write_bytes(COLLIDES_WITH)

    with pytest.raises(WeightsMismatch, match=r"read%20me\.txt has sha256 .* is pinned"):
        stage(bench(row, mirror=mirror), "two", force=True)

    assert everything_in(store.root)
    staged = StagedWeights.model_validate_json(store.read(Location.parse(first.manifest.uri)))
    assert store.read(Location.parse(staged.files[1].artifact.uri)) == COLLIDING


def test_a_manifest_nobody_can_read_pins_nothing_silently(bench: Bench, store: LocalStore) -> None:
    result = stage(bench(), "brightness")
    store.write(Location.parse(result.manifest.uri), b"{", media_type="application/json")

    with pytest.raises(WeightsMismatch, match="is no manifest of staged weights"):
        stage(bench(), "brightness", force=True)


@pytest.fixture
def published(web: Web, shelf: Shelf) -> tuple[Page, str]:
    """A page with the weights of `brightness`, and a row called `far` that names it."""
    content = (shelf.folder / "brightness.onnx").read_bytes()
    url = web.put("/far.onnx", content)
    row = catalogue_row("far", hashlib.sha256(content).hexdigest())
    return web.pages["/far.onnx"], f'{row}urls = ["{url}"]\n'


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

    with pytest.raises(WeightsUnavailable, match="the time was up after 0 bytes"):
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


def test_a_model_is_staged_into_a_bucket(bench: Bench, bucket: Any, shelf: Shelf) -> None:
    result = stage(bench(onto=S3Store(bucket)), "brightness")

    store = S3Store(bucket)
    staged = StagedWeights.model_validate_json(store.read(Location.parse(result.manifest.uri)))
    weights = store.read(Location.parse(staged.files[0].artifact.uri))
    assert weights == (shelf.folder / "brightness.onnx").read_bytes()
    keys = [stored["Key"] for stored in bucket.list_objects_v2(Bucket="models")["Contents"]]
    assert [key.rpartition("/")[2] for key in keys] == ["brightness.onnx", "manifest.json"]
