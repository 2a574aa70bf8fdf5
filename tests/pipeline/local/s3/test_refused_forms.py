"""A form that is not what its policy allows is refused as S3 does, and stores nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.pipeline.local.s3.conftest import BUCKET, Store, error_of, policy, signed

PHOTO = ("cat.jpg", b"a photo")
FAILED = "Invalid according to Policy: Policy Condition failed: "


def refused(store: Store, fields: dict[str, Any], **file: Any) -> tuple[int, str, str]:
    """Send a form, check that nothing is stored, and return status, code and message."""
    answer = store.post({**fields, "file": PHOTO, **file})
    error = error_of(answer)
    assert store.stored() == []
    return answer.status, error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ({"key": "dog.jpg"}, {}),
        (["eq", "$key", "dog.jpg"], {}),
        (["starts-with", "$key", "mine/"], {}),
        (["eq", "key", "cat.jpg"], {}),
        ({"bucket": "others"}, {}),
        (["starts-with", "$Content-Type", "image/"], {}),
        (["starts-with", "$Content-Type", ""], {}),
        (["starts-with", "$Content-Type", "image/"], {"Content_Type": "text/html"}),
        (["starts-with", "$Content-Type", "image/"], {"Content_Type": "image/png,text/html"}),
        (["eq", "$Content-Type", "image/png"], {"Content_Type": "Image/PNG"}),
        (["eq", "$x-amz-meta-matteline-crop", "true"], {"x_amz_meta_matteline_crop": "false"}),
        (["content-length-range", "one", "10"], {}),
    ],
)
def test_a_condition_that_fails_is_named(
    store: Store, condition: Any, fields: dict[str, str]
) -> None:
    status, code, message = refused(store, signed(policy(condition), **fields))

    assert (status, code) == (403, "AccessDenied")
    named = next(iter(condition)) if isinstance(condition, dict) else condition[1]
    assert message.startswith(FAILED)
    assert named in message


@pytest.mark.parametrize("name", ["x-amz-meta-owner", "Content-Type", "success_action_status"])
def test_a_field_without_a_condition_is_refused(store: Store, name: str) -> None:
    assert refused(store, {**store.form(), name: "x"}) == (
        403,
        "AccessDenied",
        f"Invalid according to Policy: Extra input fields: {name.lower()}",
    )


def test_a_form_ends_with_its_policy(store: Store) -> None:
    fields = store.form(ExpiresIn=60)
    store.ahead = dt.timedelta(seconds=61)

    assert refused(store, fields) == (
        403,
        "AccessDenied",
        "Invalid according to Policy: Policy expired.",
    )


@pytest.mark.parametrize(
    ("content", "code", "limit"),
    [
        (b"12345678", "EntityTooLarge", "MaxSizeAllowed"),
        (b"1" * 3_000_000, "EntityTooLarge", "MaxSizeAllowed"),
        (b"12", "EntityTooSmall", "MinSizeAllowed"),
        (b"", "EntityTooSmall", "MinSizeAllowed"),
    ],
)
def test_a_file_of_another_size_is_refused(
    store: Store, content: bytes, code: str, limit: str
) -> None:
    fields = store.form(Conditions=[["content-length-range", 3, 7]])

    answer = store.post({**fields, "file": ("cat.jpg", content)})

    error = error_of(answer)
    assert (answer.status, error["Code"]) == (400, code)
    assert error["ProposedSize"] == str(len(content))
    assert error[limit] == {"MaxSizeAllowed": "7", "MinSizeAllowed": "3"}[limit]
    assert store.stored() == []


def test_a_policy_is_signed_as_it_is(store: Store) -> None:
    fields = store.form() | {"policy": signed(policy())["policy"]}

    status, code, _ = refused(store, fields)

    assert (status, code) == (403, "SignatureDoesNotMatch")


def test_another_secret_key_signs_for_nobody(store: Store) -> None:
    fields = store.client("stolen").generate_presigned_post(BUCKET, "cat.jpg")["fields"]

    assert refused(store, fields)[:2] == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("change", "status", "code", "says"),
    [
        ({"x_amz_algorithm": "AWS4-HMAC-SHA1"}, 400, "InvalidArgument", "only supports"),
        ({"x_amz_credential": "matteline"}, 400, "InvalidArgument", "mal-formed"),
        ({"x_amz_credential": "AKIA/{day}/us-east-1/s3/aws4_request"}, 403,
         "InvalidAccessKeyId", ""),
        ({"x_amz_credential": "matteline/{day}/eu-west-1/s3/aws4_request"}, 400,
         "InvalidArgument", "the region 'eu-west-1' is wrong; expecting 'us-east-1'"),
        ({"x_amz_credential": "matteline/{day}/us-east-1/sqs/aws4_request"}, 400,
         "InvalidArgument", 'incorrect service "sqs"'),
        ({"x_amz_credential": "matteline/{day}/us-east-1/s3/aws3_request"}, 400,
         "InvalidArgument", 'incorrect terminal "aws3_request"'),
        ({"x_amz_credential": "matteline/20200101/us-east-1/s3/aws4_request"}, 400,
         "InvalidArgument", "not the same as X-Amz-Date"),
        ({"x_amz_date": "yesterday"}, 400, "InvalidArgument", "ISO8601"),
        ({"x_amz_signature": "0" * 64}, 403, "SignatureDoesNotMatch", ""),
        ({"x_amz_signature": "ü"}, 403, "SignatureDoesNotMatch", ""),
        ({"x_amz_security_token": "of another session"}, 400, "InvalidToken", ""),
        ({"AWSAccessKeyId": "matteline"}, 400, "InvalidRequest", "Please use AWS4-HMAC-SHA256."),
    ],
)  # fmt: skip
def test_a_signature_of_another_kind_is_refused(
    store: Store, change: dict[str, str], status: int, code: str, says: str
) -> None:
    day = f"{dt.datetime.now(dt.UTC):%Y%m%d}"
    given = {name: text.format(day=day) for name, text in change.items()}

    answered = refused(store, signed(policy(), **given))

    assert answered[:2] == (status, code)
    assert says in answered[2]


@pytest.mark.parametrize(
    "name", ["key", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"]
)
def test_a_missing_field_is_named(store: Store, name: str) -> None:
    fields = store.form()
    del fields[name]

    answer = store.post({**fields, "file": PHOTO})

    error = error_of(answer)
    assert (answer.status, error["Code"]) == (400, "InvalidArgument")
    assert error["ArgumentName"].lower() == name
    assert store.stored() == []


def test_a_field_behind_the_file_does_not_count(store: Store) -> None:
    fields = store.form()
    late = {"key": fields.pop("key")}

    answer = store.post({**fields, "file": PHOTO, **late})

    assert error_of(answer)["ArgumentName"] == "key"
    assert store.stored() == []


def test_an_anonymous_form_is_denied(store: Store) -> None:
    assert refused(store, {"key": "cat.jpg"}) == (403, "AccessDenied", "Access Denied")
    assert refused(store, {"key": "cat.jpg", "policy": "e30="})[:2] == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("no JSON", "Invalid JSON."),
        ("[" * 10_000, "Invalid JSON."),
        ("[]", "Invalid JSON."),
        ({"conditions": []}, "Policy missing expiration."),
        ({"expiration": "2099-01-01T00:00:00Z"}, "Policy missing conditions."),
        ({"expiration": "2099-01-01T00:00:00Z", "conditions": {}}, "must be a List"),
        ({"expiration": "2099-01-01T00:00:00+02:00", "conditions": []}, "Invalid 'expiration'"),
        ({"expiration": "2099-02-31T00:00:00Z", "conditions": []}, "Invalid 'expiration'"),
        ({"expiration": 1, "conditions": []}, "Invalid 'expiration'"),
        ({"Statement": []}, "Unexpected: 'statement'"),
        (policy({"key": "cat.jpg", "bucket": "photos"}), "exactly one property"),
        (policy({"key": 1}), "value must be a string"),
        (policy("key"), "must be a List or Object"),
        (policy([]), "missing operation identifier"),
        (policy(["eq", "$key"]), "Invalid eq: wrong number of arguments."),
        (policy(["like", "$key", "cat"]), "unknown operation 'like'"),
        (policy(["eq", "$key", 1]), "Invalid JSON."),
        (policy(["content-length-range", 0, 1.5]), "Invalid JSON."),
        (policy(["content-length-range", -1, 10]), "Invalid JSON."),
        (policy(["content-length-range", True, 10]), "Invalid JSON."),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(store: Store, written: Any, says: str) -> None:
    status, code, message = refused(store, signed(written))

    assert (status, code) == (400, "InvalidPolicyDocument")
    assert message.startswith("Invalid Policy: ")
    assert says in message


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"key": "k" * 1025}, 400, "KeyTooLongError"),
        ({"key": "ü" * 513}, 400, "KeyTooLongError"),
        ({"key": "a\r\nb"}, 400, "InvalidArgument"),
        ({"key": "a\0b"}, 400, "InvalidArgument"),
        ({"x_amz_meta_note": "n" * 2045}, 400, "MetadataTooLarge"),
        ({"x_amz_meta_a/b": "n"}, 400, "InvalidArgument"),
        ({"content_type": "image/png\r\nSet-Cookie: a=b"}, 400, "InvalidArgument"),
        ({"content_type": "multipart/form-data; boundary=x"}, 400, "InvalidArgument"),
        ({"acl": "public-read"}, 501, "NotImplemented"),
        ({"tagging": "<Tagging/>"}, 501, "NotImplemented"),
        ({"x_amz_storage_class": "GLACIER"}, 501, "NotImplemented"),
    ],
)
def test_a_field_that_cannot_be_stored_is_refused_though_its_policy_allows_it(
    store: Store, fields: dict[str, str], status: int, code: str
) -> None:
    allowed = [["starts-with", f"${name.replace('_', '-')}", ""] for name in fields]

    assert refused(store, signed(policy(*allowed), **fields))[:2] == (status, code)


def test_metadata_cannot_add_a_header(store: Store) -> None:
    allowed = ["starts-with", "$x-amz-meta-note", ""]
    fields = signed(policy(allowed), x_amz_meta_note="a\r\nSet-Cookie: a=b")

    assert store.post({**fields, "file": PHOTO}).status == 204

    found = store.client().head_object(Bucket=BUCKET, Key="cat.jpg")
    assert "set-cookie" not in found["ResponseMetadata"]["HTTPHeaders"]
    assert "\n" not in found["Metadata"]["note"]


def test_a_bucket_that_does_not_exist_is_named(store: Store) -> None:
    other = store.client().generate_presigned_post("others", "cat.jpg")
    body, kind = store.encode({**other["fields"], "file": PHOTO})

    answer = store.send(body, kind, path="/others")

    assert (answer.status, error_of(answer)["Code"]) == (404, "NoSuchBucket")
