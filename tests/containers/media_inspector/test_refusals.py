"""What cannot be cut out, or may not, is refused by name before a model sees it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.artifacts import AccessDenied, CustomerKeyRequired, LocalStore, Location, Stat
from pipeline.audio.sniffing import HEAD_BYTES
from pipeline.declared.catalogue import Catalogue
from pipeline.errors import (
    CorruptMedia,
    InvalidOptions,
    KeyUnusable,
    MediaTooLarge,
    PipelineError,
    SourceArchived,
    SourceChanged,
    SourceForbidden,
    SourceMissing,
    StoreUnavailable,
    UnknownModel,
    UnsupportedMedia,
)
from pipeline.photo import limits
from tests.containers.media_inspector.inspecting import CAT, arrived, etag, inspect, jpeg

WISHES: dict[str, tuple[dict[str, Any], type[PipelineError]]] = {
    "an option there is not": ({"nope": 1}, InvalidOptions),
    "a model there is not": ({"model": "nope"}, UnknownModel),
}


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_that_cannot_be_granted_has_a_name(
    store: LocalStore, catalogue: Catalogue, name: str
) -> None:
    options, error = WISHES[name]

    with pytest.raises(error):
        inspect(store, catalogue, options=options)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnsupportedMedia),
        (b"a text that is called cat.jpg", UnsupportedMedia),
        (b"%PDF-1.7", UnsupportedMedia),
        (jpeg()[:20], CorruptMedia),
    ],
)
def test_what_is_no_photo_has_a_name(
    store: LocalStore, catalogue: Catalogue, content: bytes, error: type[PipelineError]
) -> None:
    store.write(CAT, content, media_type="image/jpeg")

    with pytest.raises(error):
        inspect(store, catalogue)


@pytest.mark.parametrize("key", ["trips/cat.nef", "trips/CAT.DNG"])
def test_a_preview_under_the_name_of_camera_raw_is_unsupported(
    store: LocalStore, catalogue: Catalogue, key: str
) -> None:
    preview = io.BytesIO()
    Image.new("RGB", (40, 30)).save(preview, "TIFF", tiffinfo={254: 1})
    for name in (key, "trips/cat.tif"):
        store.write(CAT._replace(key=name), preview.getvalue(), media_type="image/tiff")

    with pytest.raises(UnsupportedMedia, match="camera raw: export it first"):
        inspect(store, catalogue, key=key)
    assert inspect(store, catalogue, key="trips/cat.tif").job.source.width == 40


class ClosedStore(LocalStore):
    """A store whose every door is shut."""

    def stat(self, location: Location) -> Stat:
        raise AccessDenied(f"S3 answered 403 for {location.uri}")


def test_a_denied_bucket_is_named_with_the_ingest_bucket(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    with pytest.raises(SourceForbidden, match="media must be in ours"):
        inspect(ClosedStore(tmp_path), catalogue, ingest_bucket="ours")


@pytest.mark.parametrize("ingest_bucket", [CAT.bucket, None])
def test_access_denied_by_the_ingest_bucket_is_a_bug(
    tmp_path: Path, catalogue: Catalogue, ingest_bucket: str | None
) -> None:
    with pytest.raises(AccessDenied):
        inspect(ClosedStore(tmp_path), catalogue, ingest_bucket=ingest_bucket)


class Unreadable(LocalStore):
    """Knows every object, and denies reading it: its key is another account's."""

    def stat(self, location: Location) -> Stat:
        return LocalStore(self.root).stat(location)

    def read(self, location: Location) -> bytes:
        raise AccessDenied(f"S3 answered AccessDenied for {location.uri}: kms:Decrypt")


def test_a_photo_that_may_be_seen_and_not_read_is_denied_as_well(
    store: LocalStore, catalogue: Catalogue
) -> None:
    closed = Unreadable(store.root)

    with pytest.raises(SourceForbidden, match="kms:Decrypt; media must be in ours"):
        inspect(closed, catalogue, ingest_bucket="ours")
    with pytest.raises(AccessDenied):
        inspect(closed, catalogue, ingest_bucket=CAT.bucket)


class Refusing(LocalStore):
    """A store that raises one error for every HEAD."""

    error: Exception

    def stat(self, location: Location) -> Stat:  # noqa: ARG002
        raise self.error


@pytest.mark.parametrize("ingest_bucket", [CAT.bucket, "ours"])
@pytest.mark.parametrize(
    ("raised", "named"),
    [
        (CustomerKeyRequired("S3 answered InvalidRequest"), SourceForbidden),
        (KeyUnusable("S3 answered KMS.DisabledException"), KeyUnusable),
        (StoreUnavailable("S3 answered RequestTimeout"), StoreUnavailable),
    ],
)
def test_what_s3_answers_has_its_own_name_in_any_bucket(
    store: LocalStore,
    catalogue: Catalogue,
    raised: Exception,
    named: type[PipelineError],
    ingest_bucket: str,
) -> None:
    refusing = Refusing(store.root)
    refusing.error = raised

    with pytest.raises(named):
        inspect(refusing, catalogue, ingest_bucket=ingest_bucket)


class Archive(LocalStore):
    """A store whose objects must be restored before they are read."""

    def stat(self, location: Location) -> Stat:
        return super().stat(location)._replace(archive="GLACIER, and is being restored")


def test_an_archived_photo_is_refused_unread(store: LocalStore, catalogue: Catalogue) -> None:
    message = r"s3://photos/trips/cat\.jpg is archived in GLACIER, and is being restored"

    with pytest.raises(SourceArchived, match=message):
        inspect(Archive(store.root), catalogue)


def test_a_photo_that_was_replaced_by_an_archived_one_has_changed(
    store: LocalStore, catalogue: Catalogue
) -> None:
    with pytest.raises(SourceChanged):
        inspect(Archive(store.root), catalogue, **arrived(etag=etag(b"the photo before")))


def test_a_missing_photo_has_a_name(store: LocalStore, catalogue: Catalogue) -> None:
    with pytest.raises(SourceMissing, match=r"there is no s3://photos/trips/dog\.jpg"):
        inspect(store, catalogue, key="trips/dog.jpg")


class Unread(LocalStore):
    """Knows every object and gives none away."""

    def stat(self, location: Location) -> Any:
        return LocalStore(self.root).stat(location)

    def read(self, location: Location) -> bytes:
        raise KeyError(location.uri)


def test_a_photo_deleted_while_it_is_read_is_missing(
    store: LocalStore, catalogue: Catalogue
) -> None:
    with pytest.raises(SourceMissing, match="was deleted while it was being read"):
        inspect(Unread(store.root), catalogue)


class Beginning(LocalStore):
    """Gives the first bytes of an object away, and no more."""

    def stream(self, location: Location) -> Iterator[bytes]:
        yield self.read(location)[:HEAD_BYTES]
        raise AssertionError(f"{location.uri} was read to its end")


def test_a_photo_of_too_many_bytes_is_refused_by_its_first_ones(
    monkeypatch: pytest.MonkeyPatch, store: LocalStore, catalogue: Catalogue
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", len(jpeg()) - 1)

    with pytest.raises(MediaTooLarge):
        inspect(Beginning(store.root), catalogue)


def test_a_photo_of_too_many_pixels_has_a_name(
    monkeypatch: pytest.MonkeyPatch, store: LocalStore, catalogue: Catalogue
) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 40 * 30 - 1)

    with pytest.raises(MediaTooLarge, match="40 × 30 pixels"):
        inspect(store, catalogue)
