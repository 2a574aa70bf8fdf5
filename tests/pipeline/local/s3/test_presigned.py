"""A presigned request is answered while its signature lasts, and for what was signed only."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.pipeline.local.s3.conftest import BUCKET, Store, error_of

KEY = "trips/100% é+ü.jpg"


@pytest.fixture(autouse=True)
def photo(store: Store) -> None:
    store.client().put_object(Bucket=BUCKET, Key=KEY, Body=b"a photo")


def presigned(store: Store, method: str = "get_object", **options: Any) -> str:
    given = {"Bucket": BUCKET, "Key": KEY, **options.pop("Params", {})}
    address: str = store.client().generate_presigned_url(method, Params=given, **options)
    return address


def test_it_is_answered(store: Store) -> None:
    answer = urllib3.request("GET", presigned(store))

    assert (answer.status, answer.data) == (200, b"a photo")


def test_its_options_are_part_of_it(store: Store) -> None:
    named = {"ResponseContentDisposition": 'attachment; filename="cat & dog.jpg"'}

    answer = urllib3.request("GET", presigned(store, Params=named))

    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == named["ResponseContentDisposition"]


@pytest.mark.parametrize(
    ("ahead_s", "code", "message"),
    [
        (61, "AccessDenied", "Request has expired"),
        (-1_000, "AccessDenied", "Request is not valid yet"),
    ],
)
def test_it_is_answered_in_its_time_only(
    store: Store, ahead_s: int, code: str, message: str
) -> None:
    address = presigned(store, ExpiresIn=60)
    store.ahead = dt.timedelta(seconds=ahead_s)

    answer = urllib3.request("GET", address)

    error = error_of(answer)
    assert (answer.status, error["Code"], error["Message"]) == (403, code, message)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        ("trips/", "other/"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host&versionId=1"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
    ],
)
def test_it_is_answered_as_it_was_signed_only(store: Store, part: str, other: str) -> None:
    address = presigned(store)
    assert part in address

    answer = urllib3.request("GET", address.replace(part, other))

    assert (answer.status, error_of(answer)["Code"]) == (403, "SignatureDoesNotMatch")


def test_it_is_for_one_method(store: Store) -> None:
    answer = urllib3.request("DELETE", presigned(store))

    assert (answer.status, error_of(answer)["Code"]) == (403, "SignatureDoesNotMatch")
    assert store.stored() == [KEY]


def test_an_upload_needs_the_headers_that_were_signed(store: Store) -> None:
    address = presigned(store, "put_object", Params={"Key": "new", "ContentType": "image/png"})

    wrong = urllib3.request("PUT", address, body=b"x", headers={"Content-Type": "text/html"})
    assert (wrong.status, error_of(wrong)["Code"]) == (403, "SignatureDoesNotMatch")
    assert store.stored() == [KEY]

    right = urllib3.request("PUT", address, body=b"x", headers={"Content-Type": "image/png"})
    assert right.status == 200
    assert "new" in store.stored()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("X-Amz-Signature=0", 400, "AuthorizationQueryParametersError"),
        ("AWSAccessKeyId=matteline&Signature=0&Expires=9999999999", 400, "InvalidRequest"),
    ],
)
def test_a_signature_of_another_kind_is_refused(
    store: Store, query: str, status: int, code: str
) -> None:
    path = urlsplit(presigned(store)).path

    answer = urllib3.request("GET", f"{store.address}{path}?{query}")

    assert (answer.status, error_of(answer)["Code"]) == (status, code)


@pytest.mark.parametrize("lasts", ["604801", "-1", "soon"])
def test_it_lasts_a_week_at_most(store: Store, lasts: str) -> None:
    address = presigned(store).replace("X-Amz-Expires=3600", f"X-Amz-Expires={lasts}")

    answer = urllib3.request("GET", address)

    assert (answer.status, error_of(answer)["Code"]) == (400, "AuthorizationQueryParametersError")
