"""Every answer of S3 has one meaning: its code decides, also where the answer has no body."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto.moto_api import state_manager

from pipeline.artifacts import AccessDenied, CustomerKeyRequired, Location, ObjectArchived
from pipeline.aws.s3 import S3Store
from pipeline.aws.s3_errors import MEANINGS, MEANINGS_BY_TEXT
from pipeline.errors import KeyUnusable, StoreUnavailable
from tests.answers import Serve

PHOTO: Final = Location("photos", "cat.jpg")
VERSION: Final = PHOTO._replace(version_id="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY")
UPLOADERS: Final = (
    "The object was stored using a form of Server Side Encryption. "
    "The correct parameters must be provided to retrieve the object."
)
Outcome = type[Exception]
Answer = tuple[int, str, str]

ANSWERS: Final[dict[Answer, Outcome]] = {
    (404, "NoSuchKey", "The specified key does not exist."): KeyError,
    (404, "NoSuchVersion", "The specified version does not exist."): KeyError,
    (404, "NoSuchBucket", "The specified bucket does not exist"): KeyError,
    (405, "MethodNotAllowed", "The specified method is not allowed."): KeyError,
    (400, "InvalidArgument", "Invalid version id specified"): KeyError,
    (400, "InvalidArgument", "Version id cannot be the empty string"): KeyError,
    (400, "InvalidBucketName", "The specified bucket is not valid."): KeyError,
    (400, "KeyTooLongError", "Your key is too long"): KeyError,
    (400, "BadDigest", "It did not match what we received."): StoreUnavailable,
    (400, "ExpiredToken", "The provided token has expired."): StoreUnavailable,
    (400, "IncompleteBody", "Fewer bytes than Content-Length."): StoreUnavailable,
    (400, "KMS.DependencyTimeoutException", "It timed out."): StoreUnavailable,
    (400, "KMS.KMSInternalException", "An internal error."): StoreUnavailable,
    (400, "KMS.KeyUnavailableException", "You can retry."): StoreUnavailable,
    (400, "KMS.ThrottlingException", "The rate of calls to KMS."): StoreUnavailable,
    (400, "RequestLimitExceeded", "Too many."): StoreUnavailable,
    (400, "RequestThrottled", "Too many."): StoreUnavailable,
    (400, "RequestThrottledException", "Too many."): StoreUnavailable,
    (400, "RequestTimeout", "The socket was not read from in time."): StoreUnavailable,
    (400, "RequestTimeoutException", "It took too long."): StoreUnavailable,
    (400, "Throttling", "Rate exceeded"): StoreUnavailable,
    (400, "ThrottlingException", "The rate of calls to KMS."): StoreUnavailable,
    (400, "TokenRefreshRequired", "It must be refreshed."): StoreUnavailable,
    (400, "TooManyRequestsException", "Too many."): StoreUnavailable,
    (400, "XAmzContentChecksumMismatch", "It does not match."): StoreUnavailable,
    (400, "XAmzContentSHA256Mismatch", "It does not match."): StoreUnavailable,
    (307, "TemporaryRedirect", "DNS is being updated."): StoreUnavailable,
    (403, "RequestTimeTooSkewed", "The difference is too large."): StoreUnavailable,
    (409, "ConditionalRequestConflict", "Another is in progress."): StoreUnavailable,
    (409, "OperationAborted", "A conflicting operation."): StoreUnavailable,
    (412, "PreconditionFailed", "One of them did not hold"): StoreUnavailable,
    (416, "InvalidRange", "The range is not satisfiable"): StoreUnavailable,
    (429, "Slower", "Too many requests"): StoreUnavailable,
    (500, "InternalError", "We encountered an internal error."): StoreUnavailable,
    (500, "KMS.SomeFault", "KMS failed."): StoreUnavailable,
    (400, "InternalError", "As S3 answers within a copy."): StoreUnavailable,
    (503, "ServiceUnavailable", "Reduce your request rate."): StoreUnavailable,
    (400, "ServiceUnavailable", "As some proxies answer."): StoreUnavailable,
    (503, "SlowDown", "Reduce your rate for KMS."): StoreUnavailable,
    (400, "SlowDown", "As other stores answer."): StoreUnavailable,
    (400, "BandwidthLimitExceeded", "As other stores answer."): StoreUnavailable,
    (301, "PermanentRedirect", "Use the specified endpoint."): AccessDenied,
    (400, "AuthorizationHeaderMalformed", "the region 'a-1' is wrong"): AccessDenied,
    (400, "IllegalLocationConstraintException", "Incompatible."): AccessDenied,
    (400, "KMS.AccessDeniedException", "Not authorized."): AccessDenied,
    (403, "AccessDenied", "Access Denied"): AccessDenied,
    (400, "AccessDenied", "As other stores answer."): AccessDenied,
    (400, "AllAccessDisabled", "All access is disabled."): AccessDenied,
    (400, "InvalidPayer", "All access is disabled."): AccessDenied,
    (403, "SomethingNew", "No."): AccessDenied,
    (401, "Unauthorized", "As other stores answer."): AccessDenied,
    (403, "InvalidObjectState", "Not valid for the storage class"): ObjectArchived,
    (400, "InvalidRequest", UPLOADERS): CustomerKeyRequired,
    (400, "KMS.DisabledException", "arn:aws:kms:… is disabled."): KeyUnusable,
    (400, "KMS.KMSInvalidStateException", "It is pending deletion."): KeyUnusable,
    (400, "KMS.NotFoundException", "It does not exist."): KeyUnusable,
    (400, "KMS.InvalidKeyUsageException", "It signs only."): KeyUnusable,
    (403, "KMS.OptInRequired", "It needs a subscription."): KeyUnusable,
    (400, "InvalidRequest", "Missing required header"): ClientError,
    (400, "InvalidArgument", "Invalid Argument"): ClientError,
    (400, "InvalidToken", "The token is malformed."): ClientError,
    (400, "AuthorizationHeaderMalformed", "an access key is missing"): ClientError,
    (403, "InvalidAccessKeyId", "It does not exist in our records."): ClientError,
    (403, "InvalidSecurity", "The credentials are not valid."): ClientError,
    (403, "SignatureDoesNotMatch", "Check your key."): ClientError,
}
REGION: Final = {"x-amz-bucket-region": "us-east-1"}  # S3 says it with every redirect
READERS: Final[dict[str, Callable[[S3Store, Location], object]]] = {
    "stat": S3Store.stat,
    "read": S3Store.read,
    "write": lambda store, at: store.write(at, b"bytes", media_type="image/jpeg"),
}


def body(code: str, message: str, more: str = "") -> bytes:
    said = f"<Code>{code}</Code><Message>{escape(message)}</Message>{more}"
    return f"<Error>{said}<RequestId>1</RequestId></Error>".encode()


@pytest.mark.parametrize("location", [PHOTO, VERSION], ids=["latest", "version"])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer[0]}-{answer[1]}")
def test_an_answer_has_one_meaning_whether_it_has_a_body_or_not(
    reached: Any, serve: Serve, answer: Answer, reader: str, location: Location
) -> None:
    status, code, message = answer
    store = reached(serve(status, body(code, message), headers=REGION))

    with pytest.raises(ANSWERS[answer]) as failure:
        READERS[reader](store, location)

    if ANSWERS[answer] is not ClientError:
        assert location.uri in str(failure.value)
    if ANSWERS[answer] is not KeyError and status < 500:
        assert code in str(failure.value)


def test_every_code_of_the_table_is_answered_here() -> None:
    answered = {code for _, code, _ in ANSWERS}
    bare = {"404", "301"}

    assert {code for codes in MEANINGS.values() for code in codes} - bare <= answered
    assert {code for code, _ in MEANINGS_BY_TEXT} <= answered


def test_every_code_of_the_table_means_one_thing() -> None:
    codes = [code for codes in MEANINGS.values() for code in codes]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", ["KMS.DisabledException", "RequestTimeout", "InvalidObjectState"])
@pytest.mark.parametrize("location", [PHOTO, VERSION], ids=["latest", "version"])
def test_a_download_and_a_stream_read_the_same_answer(
    reached: Any, serve: Serve, tmp_path: Path, location: Location, code: str
) -> None:
    outcome = next(meant for (_, each, _), meant in ANSWERS.items() if each == code)
    store = reached(serve(400, body(code, "It failed")))

    with pytest.raises(outcome):
        store.download(location, tmp_path / "file")
    with pytest.raises(outcome):
        list(store.stream(location))


@pytest.mark.parametrize(
    ("head", "outcome"), [(404, KeyError), (500, StoreUnavailable), (503, StoreUnavailable)]
)
def test_a_head_that_needs_no_code_is_not_asked_again(
    reached: Any, serve: Serve, head: int, outcome: Outcome
) -> None:
    store = reached(serve(403, body("AccessDenied", "GET was asked"), head=head))

    with pytest.raises(outcome):
        store.stat(VERSION)


@pytest.mark.parametrize("head", [301, 400, 403, 405, 409])
def test_a_refused_head_whose_get_succeeds_is_an_outage(
    reached: Any, serve: Serve, head: int
) -> None:
    store = reached(serve(206, b"b", head=head, headers=REGION))

    with pytest.raises(StoreUnavailable, match=f"answered {head} to a HEAD of {PHOTO.uri}"):
        store.stat(PHOTO)


@pytest.mark.parametrize(
    ("status", "outcome"), [(301, AccessDenied), (403, AccessDenied), (400, ClientError)]
)
def test_a_refusal_without_any_code_is_read_by_its_status(
    reached: Any, serve: Serve, status: int, outcome: Outcome
) -> None:
    store = reached(serve(status, headers=REGION))

    for each in (store.stat, store.read):
        with pytest.raises(outcome):
            each(VERSION)


def test_the_message_has_what_s3_said(reached: Any, serve: Serve) -> None:
    store = reached(serve(400, body("KMS.DisabledException", "arn:aws:kms:key is disabled.")))

    with pytest.raises(
        KeyUnusable, match=r"^S3 answered KMS.DisabledException for s3://photos/cat"
    ):
        store.read(PHOTO)
    with pytest.raises(KeyUnusable, match="arn:aws:kms:key is disabled"):
        store.stat(PHOTO)


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_that_names_no_region_is_an_outage(
    reached: Any, serve: Serve, status: int
) -> None:
    store = reached(serve(status, body("PermanentRedirect", "Use the specified endpoint.")))

    with pytest.raises(StoreUnavailable):
        store.stat(PHOTO)


@pytest.mark.parametrize("said", ["<Region>eu-west-1</Region>", ""])
def test_the_message_names_the_region_of_a_bucket_that_is_elsewhere(
    reached: Any, serve: Serve, said: str
) -> None:
    answer = body("AuthorizationHeaderMalformed", "the region is wrong", said)
    headers = {} if said else {"x-amz-bucket-region": "eu-west-1"}
    store = reached(serve(400, answer, headers=headers))

    with pytest.raises(AccessDenied, match=r"\(its bucket is in eu-west-1\)"):
        store.read(PHOTO)


@pytest.mark.parametrize(
    ("said", "archive"),
    [
        ("<StorageClass>GLACIER</StorageClass>", "GLACIER"),
        (
            (
                "<StorageClass>INTELLIGENT_TIERING</StorageClass>"
                "<AccessTier>ARCHIVE_ACCESS</AccessTier>"
            ),
            "ARCHIVE_ACCESS",
        ),
    ],
)
def test_the_message_names_the_archive(reached: Any, serve: Serve, said: str, archive: str) -> None:
    store = reached(serve(403, body("InvalidObjectState", "No.", said)))

    with pytest.raises(ObjectArchived, match=rf"\(it is archived in {archive}\)"):
        store.read(PHOTO)


def test_bytes_that_were_damaged_on_their_way_are_an_outage(reached: Any, serve: Serve) -> None:
    store = reached(serve(200, b"bytes", headers={"x-amz-checksum-crc32": "AAAAAA=="}))

    with pytest.raises(StoreUnavailable, match="checksum"):
        store.read(PHOTO)


def test_an_object_that_is_replaced_during_its_download_is_an_outage(
    reached: Any, serve: Serve, tmp_path: Path
) -> None:
    replaced = body("PreconditionFailed", "At least one of the preconditions did not hold")
    store = reached(serve(412, replaced, length=len(replaced), head=200))

    with pytest.raises(StoreUnavailable):
        store.download(PHOTO, tmp_path / "file")


def head_of(client: Any, **fields: str) -> str | None:
    """Return the archive that a store reads from an answer to HEAD."""
    with Stubber(client) as stub:
        known = {"ContentLength": 5, "ETag": '"0"', "Metadata": {}}
        stub.add_response("head_object", known | fields)
        return S3Store(client).stat(PHOTO).archive


RESTORING: Final = 'ongoing-request="true"'
RESTORED: Final = 'ongoing-request="false", expiry-date="Sun, 06 Dec 2026 00:00:00 GMT"'


@pytest.mark.parametrize(
    ("fields", "archive"),
    [
        ({}, None),
        ({"StorageClass": "STANDARD_IA"}, None),
        ({"StorageClass": "GLACIER_IR"}, None),
        ({"StorageClass": "INTELLIGENT_TIERING"}, None),
        ({"StorageClass": "GLACIER"}, "GLACIER"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "DEEP_ARCHIVE"),
        ({"StorageClass": "GLACIER", "Restore": RESTORING}, "GLACIER, and is being restored"),
        ({"StorageClass": "GLACIER", "Restore": RESTORED}, None),
        (
            {"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "DEEP_ARCHIVE_ACCESS"},
            "DEEP_ARCHIVE_ACCESS",
        ),
        (
            {
                "StorageClass": "INTELLIGENT_TIERING",
                "ArchiveStatus": "ARCHIVE_ACCESS",
                "Restore": RESTORING,
            },
            "ARCHIVE_ACCESS, and is being restored",
        ),
    ],
)
def test_a_head_tells_whether_an_object_must_be_restored(
    s3: Any, fields: dict[str, str], archive: str | None
) -> None:
    assert head_of(s3, **fields) == archive


def test_an_archived_object_is_read_once_it_is_restored(s3: Any) -> None:
    s3.put_object(Bucket=PHOTO.bucket, Key=PHOTO.key, Body=b"cold", StorageClass="DEEP_ARCHIVE")
    store = S3Store(s3)
    with pytest.raises(ObjectArchived, match="archived in DEEP_ARCHIVE"):
        store.read(PHOTO)
    state_manager.set_transition("s3::keyrestore", {"progression": "manual", "times": 2})
    try:
        s3.restore_object(Bucket=PHOTO.bucket, Key=PHOTO.key, RestoreRequest={"Days": 7})
        assert store.stat(PHOTO).archive == "DEEP_ARCHIVE, and is being restored"
    finally:
        state_manager.unset_transition("s3::keyrestore")

    assert store.stat(PHOTO).archive is None
    assert store.read(PHOTO) == b"cold"
