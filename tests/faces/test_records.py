"""Operators have the vectors of photos made, and are told which record has them, or why none."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipeline.artifacts import Location
from pipeline.local.deployment import NAMES
from pipeline.operations.face_records import Recorded, delete_upload, embed_photo, upload_photo
from pipeline.operations.site import Site
from tests.execution.driver import Driver
from tests.faces.stubs.script import Script
from tests.faces.user import People

MODEL = "face-api-resnet34"
INGEST = NAMES.bucket("ingest")


@pytest.fixture
def photo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "us.png"
    path.write_bytes(Script(padding=request.node.name).photo())
    return path


def versions(driver: Driver, key: str) -> int:
    listed = driver.s3.list_object_versions(Bucket=INGEST, Prefix=key)
    return len(listed.get("Versions", ()))


def test_an_upload_becomes_a_record_with_vectors_and_no_cutout(
    people: People, site: Site, driver: Driver, photo: Path
) -> None:
    made = embed_photo(site, upload_photo(site, photo, "staff/us.png", MODEL), MODEL)

    people.wait()
    assert made == Recorded("staff/us_faces.record.json", vectors=1)
    record = people.record("staff/us.png")
    assert (record["embedder"], record["embedded"], record["options"]["embed"]) == (MODEL, 1, True)
    assert driver.keys("output", prefix="staff/us_bg") == []


def test_the_same_bytes_are_uploaded_once_and_their_record_is_taken(
    people: People, site: Site, driver: Driver, photo: Path
) -> None:
    first = upload_photo(site, photo, "again/us.png", MODEL)
    embed_photo(site, first, MODEL)
    people.wait()
    record = people.record("again/us.png")

    second = upload_photo(site, photo, "again/us.png", MODEL)
    made = embed_photo(site, second, MODEL)

    people.wait()
    assert second == first
    assert versions(driver, "again/us.png") == 1
    assert made == Recorded("again/us_faces.record.json", vectors=1)
    assert people.record("again/us.png") == record


def test_a_record_of_another_model_or_of_an_older_photo_is_not_taken(
    people: People, site: Site, photo: Path
) -> None:
    place = upload_photo(site, photo, "other/us.png", MODEL)
    embed_photo(site, place, MODEL)

    of_sface = embed_photo(site, place, "sface")
    model = people.record("other/us.png")["embedder"]
    photo.write_bytes(Script(padding="newer").photo())
    newer = upload_photo(site, photo, "other/us.png", "sface")
    embed_photo(site, newer, "sface")
    version = people.record("other/us.png")["source"]["version_id"]

    people.wait()
    assert of_sface.record == "other/us_faces.record.json"
    assert model == "sface"
    assert version == newer.version_id


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (Script(fails={MODEL: "CorruptMedia"}).photo(), "CorruptMedia"),
        (b"Dear diary", "UnsupportedMedia"),
    ],
    ids=["its task", "no photo"],
)
def test_a_photo_without_a_record_has_a_named_failure(
    site: Site, photo: Path, content: bytes, error: str
) -> None:
    photo.write_bytes(content)

    made = embed_photo(site, upload_photo(site, photo, f"bad/{error}.png", MODEL), MODEL)

    assert made.record is None
    assert made.failure is not None
    assert made.failure.name == error
    assert made.failure.hint


def test_an_object_that_is_not_there_has_a_named_failure(site: Site) -> None:
    made = embed_photo(site, Location(INGEST, "nobody.png"), MODEL)

    assert made.failure is not None
    assert made.failure.name == "SourceMissing"


def test_who_leaves_does_not_wait(site: Site, photo: Path) -> None:
    leaving = threading.Event()
    leaving.set()

    made = embed_photo(site, upload_photo(site, photo, "left/us.png", MODEL), MODEL, leaving)

    assert made.failure is not None
    assert made.failure.name == "JobTimedOut"


def test_a_photo_that_was_only_looked_for_leaves_nothing(
    people: People, site: Site, driver: Driver, photo: Path
) -> None:
    place = upload_photo(site, photo, "searches/1/us.png", MODEL)
    embed_photo(site, place, MODEL)

    delete_upload(site, place)

    people.wait()
    assert versions(driver, "searches/1/us.png") == 0
    assert driver.keys("output", prefix="searches/1/us_faces.e") == []
