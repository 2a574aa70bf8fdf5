"""A form that its policy allows is stored, and answered as it asked."""

from __future__ import annotations

from email.header import decode_header, make_header
from xml.etree import ElementTree as ET

import pytest

from tests.pipeline.local.s3.conftest import BUCKET, Store

PHOTO = ("cat.jpg", b"a photo", "image/jpeg")
METADATA = {"x-amz-meta-matteline-crop": "true", "Content-Type": "image/jpeg"}
RANGE = ["content-length-range", 1, 7]


def conditions_of(fields: dict[str, str]) -> list[object]:
    return [{name: text} for name, text in fields.items()]


def test_a_presigned_form_is_stored_with_its_type_and_metadata(store: Store) -> None:
    fields = store.form(
        "trips/cat.jpg", Fields=METADATA, Conditions=[*conditions_of(METADATA), RANGE]
    )

    answer = store.post({**fields, "file": PHOTO})

    found = store.client().get_object(Bucket=BUCKET, Key="trips/cat.jpg")
    assert (answer.status, answer.data) == (204, b"")
    assert answer.headers["ETag"] == found["ETag"]
    assert answer.headers["Location"] == f"{store.address}/photos/trips%2Fcat.jpg"
    assert found["Body"].read() == b"a photo"
    assert found["ContentType"] == "image/jpeg"
    assert found["Metadata"] == {"matteline-crop": "true"}


def test_without_a_field_for_it_the_type_is_that_of_bytes(store: Store) -> None:
    store.post({**store.form(), "file": PHOTO})

    found = store.client().head_object(Bucket=BUCKET, Key="cat.jpg")
    assert found["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cat.jpg", "mine/cat.jpg"),
        ("C:\\\\photos\\\\cat.jpg", "mine/cat.jpg"),
        ("../../cat.jpg", "mine/cat.jpg"),
        ("", "mine/"),
    ],
)
def test_the_files_name_may_end_the_key_without_its_folders(
    store: Store, name: str, key: str
) -> None:
    fields = store.form("mine/${filename}")

    assert store.post({**fields, "file": (name, b"x")}).status == 204
    assert store.stored() == [key]


def test_without_a_file_name_the_placeholder_stays(store: Store) -> None:
    assert store.post({**store.form("mine/${filename}"), "file": b"x"}).status == 204
    assert store.stored() == ["mine/${filename}"]


@pytest.mark.parametrize(
    "key",
    ["../x", "..", "a/../../etc/passwd", "a//b", "a/./b", "/x", "?x=1&y=2", "100%25 é ü+.jpg"],
)
def test_a_key_is_no_path(store: Store, key: str) -> None:
    assert store.post({**store.form(key), "file": PHOTO}).status == 204

    assert store.stored() == [key]
    assert store.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"a photo"
    assert [each["Name"] for each in store.client().list_buckets()["Buckets"]] == [BUCKET]


def test_metadata_beyond_ascii_is_encoded(store: Store) -> None:
    given = {"x-amz-meta-title": "Kätzchen"}
    fields = store.form(Fields=given, Conditions=conditions_of(given))

    store.post({**fields, "file": PHOTO})

    found = store.client().head_object(Bucket=BUCKET, Key="cat.jpg")
    assert str(make_header(decode_header(found["Metadata"]["title"]))) == "Kätzchen"


@pytest.mark.parametrize(("asked", "status"), [("200", 200), ("204", 204), ("404", 204)])
def test_the_status_is_what_the_form_asks_for(store: Store, asked: str, status: int) -> None:
    given = {"success_action_status": asked}
    fields = store.form(Fields=given, Conditions=conditions_of(given))

    answer = store.post({**fields, "file": PHOTO})

    assert (answer.status, answer.data) == (status, b"")
    assert store.stored() == ["cat.jpg"]


def test_a_created_answer_names_the_object(store: Store) -> None:
    given = {"success_action_status": "201"}
    fields = store.form("a b.jpg", Fields=given, Conditions=conditions_of(given))

    answer = store.post({**fields, "file": PHOTO})

    assert answer.status == 201
    document = ET.fromstring(answer.data)  # noqa: S314 - from our own server
    assert {each.tag: each.text for each in document} == {
        "Location": f"{store.address}/photos/a%20b.jpg",
        "Bucket": BUCKET,
        "Key": "a b.jpg",
        "ETag": answer.headers["ETag"],
    }


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("https://shop.example/done", "https://shop.example/done?bucket=photos&key=cat.jpg&etag="),
        ("https://shop.example/?a=1", "https://shop.example/?a=1&bucket=photos&key=cat.jpg&etag="),
        ("/done", None),
        ("javascript:alert(1)", None),
        ("https://shop.example/\r\nSet-Cookie: a=b", None),
    ],
)
def test_a_redirect_goes_to_an_address_and_to_nothing_else(
    store: Store, address: str, location: str | None
) -> None:
    given = {"success_action_redirect": address}
    fields = store.form(Fields=given, Conditions=conditions_of(given))

    answer = store.post({**fields, "file": PHOTO})

    assert answer.status == (303 if location else 204)
    assert (location or f"{store.address}/photos/cat.jpg") in answer.headers["Location"]
    assert "Set-Cookie" not in answer.headers


def test_names_of_fields_have_no_case(store: Store) -> None:
    fields = {name.upper(): text for name, text in store.form().items()}

    assert store.post({**fields, "file": PHOTO}).status == 204


def test_fields_that_begin_with_x_ignore_need_no_condition(store: Store) -> None:
    assert store.post({**store.form(), "x-ignore-csrf": "1", "file": PHOTO}).status == 204


def test_what_follows_the_file_is_ignored(store: Store) -> None:
    assert store.post({**store.form(), "file": PHOTO, "submit": "Send"}).status == 204


def test_a_file_larger_than_memory_is_stored_whole(store: Store) -> None:
    content = b"0123456789abcdef" * 200_000

    assert store.post({**store.form(), "file": ("large", content)}).status == 204
    assert store.client().get_object(Bucket=BUCKET, Key="cat.jpg")["Body"].read() == content


def test_a_virtual_host_names_the_bucket(store: Store) -> None:
    form = {**store.form(), "file": PHOTO}
    body, kind = store.encode(form)

    answer = store.send(body, kind, path="/", Host=f"photos.localhost:{store.port}")

    assert answer.status == 204
    assert answer.headers["Location"] == f"http://photos.localhost:{store.port}/cat.jpg"
    assert store.stored() == ["cat.jpg"]


def test_its_event_says_that_a_form_created_the_object(store: Store) -> None:
    store.send_events()

    store.post({**store.form(), "file": PHOTO})
    store.client().put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    store.client().copy_object(Bucket=BUCKET, Key="dog.jpg", CopySource=f"{BUCKET}/cat.jpg")

    assert store.reasons() == ["POST Object", "PutObject", "CopyObject"]
