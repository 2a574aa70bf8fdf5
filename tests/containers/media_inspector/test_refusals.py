"""What cannot be cut out, or may not, is refused by name before a model sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.artifacts import AccessDenied, LocalStore, Location, Stat
from pipeline.declared.catalogue import Catalogue
from pipeline.errors import (
    CorruptMedia,
    InvalidOptions,
    MediaTooLarge,
    PipelineError,
    SourceForbidden,
    SourceMissing,
    UnknownModel,
    UnsupportedMedia,
)
from pipeline.photo import limits
from tests.containers.media_inspector.inspecting import CAT, inspect, jpeg

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


def test_a_photo_of_too_many_bytes_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch, store: LocalStore, catalogue: Catalogue
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", len(jpeg()) - 1)

    with pytest.raises(MediaTooLarge):
        inspect(Unread(store.root), catalogue)


def test_a_photo_of_too_many_pixels_has_a_name(
    monkeypatch: pytest.MonkeyPatch, store: LocalStore, catalogue: Catalogue
) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 40 * 30 - 1)

    with pytest.raises(MediaTooLarge, match="40 × 30 pixels"):
        inspect(store, catalogue)
