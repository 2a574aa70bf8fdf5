"""Faces through the HTTP API: asked for with an upload, a job or a batch, and deleted again."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from tests.execution.api import User, done, prefix_of, send, wait_for
from tests.execution.driver import Driver
from tests.faces.stubs.script import Script


@pytest.fixture
def ada(driver: Driver, request: pytest.FixtureRequest) -> User:
    return User(driver.cloud.api, request.node.nodeid)


def listed(user: User) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = user.ask("GET", "/jobs").json()["jobs"]
    return jobs


def test_an_upload_that_asks_for_faces_is_one_job_of_faces(ada: User) -> None:
    job = done(
        ada, Script(padding="upload").photo(), name="us.png", product="faces",
        options={"redact": "blur", "preview": True, "embed": True},
    )  # fmt: skip

    assert (job["state"], job["product"], job["faces"]) == ("done", "faces", 2)
    assert {each["kind"] for each in job["results"]} == {
        "faces", "preview", "redacted", "embeddings", "embedded",
    }  # fmt: skip
    for each in job["results"]:
        got = urllib3.request("GET", each["url"])
        assert (got.status, len(got.data)) == (200, each["bytes"])
        assert got.headers["content-type"] == each["media_type"]
    assert job["record"]["name"] == "us_faces.record.json"
    assert [(each["product"], each["state"]) for each in listed(ada)] == [("faces", "done")]
    for other in (job["job"], job["execution"]):
        assert wait_for(ada, other, "done")["job"] == job["job"]


def test_no_face_is_a_job_that_is_done_with_none(ada: User) -> None:
    job = done(ada, Script(faces=0, padding="none").photo(), name="sea.png", product="faces")

    assert (job["state"], job["faces"]) == ("done", 0)


def test_a_cutout_says_nothing_of_faces(ada: User) -> None:
    assert "faces" not in done(ada, Script(padding="cutout").photo(), name="us.png")


def test_faces_of_a_photo_that_was_uploaded_for_its_cutout(ada: User) -> None:
    first = done(ada, Script(faces=3, padding="later").photo(), name="us.png")
    asked = {"key": first["key"], "product": "faces", "options": {"redact": "cover"}}

    started = ada.ask("POST", "/jobs", body=asked)
    job = wait_for(ada, started.json()["id"], "done")

    assert started.status == 202
    assert (job["product"], job["faces"]) == ("faces", 3)
    assert {each["kind"] for each in job["results"]} == {"faces", "redacted"}
    assert wait_for(ada, first["job"], "done")["product"] == "cutout"


def test_a_batch_finds_the_faces_of_a_prefix(ada: User, driver: Driver) -> None:
    for name in ("a.png", "b.png"):
        done(ada, Script(padding=f"batch {name}").photo(), name=name)
    body = {"prefix": prefix_of(ada), "product": "faces", "options": {"preview": True}}

    started = ada.ask("POST", "/batches", body=body)
    batch = started.json()
    while batch["state"] == "running":
        batch = ada.ask("GET", f"/batches/{batch['id']}", prefer="wait=10").json()

    assert started.status == 202, started.data
    assert (batch["product"], batch["counts"]["succeeded"]) == ("faces", 2)
    published = driver.keys("output", prefix=prefix_of(ada))
    assert sum(key.endswith("_faces_preview.jpg") for key in published) == 2


def test_deleting_the_results_deletes_every_file_of_faces_and_no_cutout(
    ada: User, driver: Driver
) -> None:
    first = done(ada, Script(padding="deleted").photo(), name="us.png")
    asked = {"key": first["key"], "product": "faces", "options": {"embed": True}}
    job = wait_for(ada, ada.ask("POST", "/jobs", body=asked).json()["id"], "done")

    deleted = ada.ask("DELETE", f"/jobs/{job['id']}?results=true").json()

    assert deleted["state"] == "deleted"
    assert not {"results", "record", "faces"} & deleted.keys()
    left = driver.keys("output", prefix=prefix_of(ada))
    assert sorted(key.rpartition("/")[2] for key in left) == [
        "us_bg_removed.json",
        "us_bg_removed.png",
    ]


def test_what_is_no_photo_is_refused_by_the_product_that_was_asked_for(ada: User) -> None:
    content = b"%PDF-1.7"
    form = ada.upload(name="us.png", bytes=len(content), product="faces")
    assert send(form, content).status == 201

    job = wait_for(ada, form["id"], "quarantined")

    assert (job["product"], job["error"]["name"]) == ("faces", "UnsupportedMedia")
