"""An upload by the API's form starts its job, with the options that it was asked with."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipeline.artifacts import Location
from pipeline.local.deployment import NAMES
from pipeline.operations.presigning import presign_form
from pipeline.operations.site import Site
from tests.execution.api import PHOTO, User, code, send
from tests.execution.driver import Driver


def keys_of(driver: Driver, form: dict[str, Any]) -> list[str]:
    return driver.keys("ingest", prefix=form["key"].rpartition("/")[0])


def test_an_upload_is_the_start(driver: Driver, ada: User) -> None:
    options = {"crop": True, "margin": 5, "outputs": ["mask", "cutout"], "format": "webp"}
    form = ada.upload(media_type="image/png", options=options)

    assert send(form).status == 201
    (execution,) = driver.wait_for([form["key"]])

    assert execution.verdict == "DONE"
    record = json.loads(driver.read(execution.output["manifest"]))
    assert {name: record["options"][name] for name in options} == {
        **options,
        "outputs": ["cutout", "mask"],
    }
    stem = form["key"].removesuffix(".png")
    assert sorted(record["outputs"]) == [f"{stem}_bg_removed.webp", f"{stem}_mask.png"]
    head = driver.s3.head_object(Bucket=NAMES.bucket("ingest"), Key=form["key"])
    assert head["ContentType"] == "image/png"


@pytest.mark.parametrize("name", ["Käse 1 (2).PNG", "猫.png", "no suffix"])
def test_any_plain_name_is_processed(driver: Driver, ada: User, name: str) -> None:
    form = ada.upload(name=name)

    assert send(form).status == 201
    (execution,) = driver.wait_for([form["key"]])

    assert execution.verdict == "DONE"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(PHOTO + b"x", "EntityTooLarge"), (PHOTO[:-1], "EntityTooSmall"), (b"", "EntityTooSmall")],
)
def test_a_file_of_another_size_is_refused(
    driver: Driver, ada: User, content: bytes, expected: str
) -> None:
    form = ada.upload()

    assert code(send(form, content)) == expected
    assert keys_of(driver, form) == []


def test_another_key_type_or_option_is_refused(driver: Driver, ada: User) -> None:
    form = ada.upload(media_type="image/png", options={"crop": True})
    other = User(driver.cloud.api, "bob").upload()["key"]

    for field, text in {
        "key": other,
        "Content-Type": "text/html",
        "x-amz-meta-matteline-crop": "false",
        "x-amz-meta-matteline-format": "webp",
        "success_action_redirect": "https://a.example",
        "acl": "public-read",
    }.items():
        assert code(send(form, **{field: text})) == "AccessDenied", field
    assert keys_of(driver, form) == []


def test_a_form_for_another_bucket_is_refused(ada: User) -> None:
    form = ada.upload()
    elsewhere = form["url"].replace(NAMES.bucket("ingest"), NAMES.bucket("output"))

    assert code(send({**form, "url": elsewhere})) == "AccessDenied"


def test_a_form_that_has_expired_is_refused(driver: Driver, site: Site, ada: User) -> None:
    key = f"{ada.upload()['key']}.late.png"
    place = Location(NAMES.bucket("ingest"), key)
    form = presign_form(site, place, size=len(PHOTO), fields={}, lasts=timedelta(seconds=-1))

    answer = send({"url": form.url, "fields": form.fields})

    assert code(answer) == "AccessDenied"
    assert b"Policy expired" in answer.data
    assert driver.keys("ingest", prefix=key) == []
