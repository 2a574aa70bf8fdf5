"""Forms that are changed, late, sent again or sent with another file, on the running cloud."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.artifacts import Location
from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.products import load_products
from pipeline.local.cloud import make_client
from pipeline.operations.presigning import presign_form
from pipeline.operations.site import local_site
from tests.conftest import ROOT
from tests.execution.api import PHOTO, User, code, job, send, wait_for
from tests.pipeline.cli.terminal import Terminal

INGEST = LOCAL_NAMES.bucket("ingest")


def stored(up: Terminal, form: dict[str, Any]) -> int:
    folder = form["key"].rpartition("/")[0]
    found = make_client("s3", up.endpoint).list_objects_v2(Bucket=INGEST, Prefix=folder)
    return int(found["KeyCount"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [(PHOTO + b"x", "EntityTooLarge"), (PHOTO[:-1], "EntityTooSmall"), (b"", "EntityTooSmall")],
)
def test_a_file_of_another_size_is_refused(
    up: Terminal, user: User, content: bytes, expected: str
) -> None:
    form = user.upload()

    assert code(send(form, content)) == expected
    assert stored(up, form) == 0
    assert job(user, form["id"])["state"] == "waiting"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("Content-Type", "text/html"),
        ("key", "cat.png"),
        ("x-amz-meta-matteline-crop", "false"),
        ("x-amz-meta-matteline-format", "webp"),
        ("success_action_redirect", "https://a.example"),
        ("acl", "public-read"),
    ],
)
def test_a_changed_field_is_refused(up: Terminal, user: User, field: str, text: str) -> None:
    form = user.upload(media_type="image/png", options={"crop": True})

    assert code(send(form, PHOTO, **{field: text})) == "AccessDenied"
    assert stored(up, form) == 0


@pytest.mark.parametrize("field", ["x-amz-signature", "policy"])
def test_a_form_that_is_not_ours_is_refused(up: Terminal, user: User, field: str) -> None:
    form, other = user.upload(), user.upload(bytes=1)

    assert code(send(form, PHOTO, **{field: other["fields"][field]})) == "SignatureDoesNotMatch"
    assert stored(up, form) == 0


def test_a_form_that_has_expired_is_refused(up: Terminal, user: User) -> None:
    form = user.upload()
    site = local_site(LOCAL_NAMES, up.endpoint, load_products(ROOT))
    late = presign_form(
        site,
        Location(INGEST, form["key"]),
        size=len(PHOTO),
        fields={},
        lasts=timedelta(seconds=-1),
    )

    answer = send({"url": late.url, "fields": late.fields})

    assert (code(answer), b"expired" in answer.data) == ("AccessDenied", True)
    assert stored(up, form) == 0


def test_a_form_that_is_sent_again_is_done_once(user: User) -> None:
    form = user.upload()

    assert [send(form).status for _ in range(2)] == [201, 201]

    found = wait_for(user, form["id"], "done", "duplicate")
    listed = user.ask("GET", "/jobs").json()["jobs"]
    assert [each["id"] for each in listed if each["key"] == form["key"]] == [found["job"]]


def test_a_file_of_another_type_is_refused_by_its_content(user: User) -> None:
    form = user.upload(media_type="image/png", bytes=9)

    assert send(form, b"no photo!").status == 201

    found = wait_for(user, form["id"], "done", "quarantined")
    assert (found["state"], found["error"]["name"]) == ("quarantined", "UnsupportedMedia")
