"""An S3 event and a typed input become the same request, or are refused field by field."""

from __future__ import annotations

from typing import Any

import pytest

from containers.media_inspector.request import Request, read_request
from pipeline.artifacts import Location
from pipeline.contracts.contract import InspectMedia
from pipeline.errors import InvalidOptions


def event(**stored: Any) -> dict[str, Any]:
    """As EventBridge delivers it when an object was created."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2024-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:s3:::photos"],
        "detail": {
            "version": "0",
            "bucket": {"name": "photos"},
            "object": {"size": 5, "sequencer": "00617F08299329D189"} | stored,
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def typed(**fields: Any) -> dict[str, Any]:
    return {"bucket": "photos", "key": "cat.jpg"} | fields


def test_an_event_names_object_version_and_etag() -> None:
    execution_input = event(key="trips/cat 1.jpg", etag="b1946", **{"version-id": "IYV3p45BT0a"})
    location = Location("photos", "trips/cat 1.jpg", "IYV3p45BT0a")

    assert read_request(execution_input) == Request(
        location, "b1946", force=False, options={}, uploaded=True
    )


def test_an_event_from_an_unversioned_bucket_has_no_version() -> None:
    request = read_request(event(key="cat.jpg", etag="b1946"))

    assert request == Request(
        Location("photos", "cat.jpg"), "b1946", force=False, options={}, uploaded=True
    )


def test_a_typed_input_needs_only_bucket_and_key() -> None:
    request = read_request(typed())

    assert request == Request(Location("photos", "cat.jpg"), None, force=False, options={})


def test_a_typed_input_can_say_everything() -> None:
    request = read_request(typed(version_id="v1", force=True, options={"crop": True}))
    location = Location("photos", "cat.jpg", "v1")

    assert request == Request(
        location, None, force=True, options={"crop": True}, follows_latest=False
    )


@pytest.mark.parametrize("key", ["a+b%20c.jpg", "고양이 😀.jpg", "a//b", "../up", " ", "k" * 1024])
def test_a_key_is_taken_as_it_is_written(key: str) -> None:
    assert read_request(typed(key=key)).location.key == key
    assert read_request(event(key=key)).location.key == key


def test_options_are_not_judged_here() -> None:
    assert read_request(typed(options={"nonsense": 1})).options == {"nonsense": 1}


TYPED_MISTAKES = {
    "nothing": ({}, ["bucket: field required", "key: field required"]),
    "no key": ({"bucket": "photos"}, ["key: field required"]),
    "empty key": (typed(key=""), ["key: string should have at least 1 character"]),
    "endless key": (typed(key="k" * 1025), ["a key has at most 1024 bytes"]),
    "key of long letters": (typed(key="한" * 342), ["a key has at most 1024 bytes"]),
    "number as key": (typed(key=7), ["key: input should be a valid string, got 7"]),
    "short bucket": (typed(bucket="ab"), ["bucket: string should match pattern"]),
    "long bucket": (typed(bucket="b" * 64), ["bucket: string should match pattern"]),
    "no bucket's name": (typed(bucket="My Photos"), ["bucket: ", "got 'My Photos'"]),
    "an address": (typed(bucket="s3://photos"), ["bucket: ", "got 's3://photos'"]),
    "unknown field": (typed(crop=True), ["crop: there is no such field"]),
    "force in words": (typed(force="yes"), ["force: input should be a valid boolean, got 'yes'"]),
    "version of nothing": (typed(version_id=""), ["version_id: string should have at least 1"]),
    "half a letter": (typed(version_id="\ud800"), ["version_id: input should be a valid string"]),
    "options as list": (typed(options=[1]), ["options: should be an object, got [1]"]),
    "two at once": (typed(force=1, crop=1), ["force: ", "crop: there is no such field"]),
}
EVENT_MISTAKES = {
    "no detail": ({"detail-type": "Object Created"}, ["it: should be an object, got None"]),
    "empty detail": (event() | {"detail": {}}, ["bucket: field required", "object: field req"]),
    "no key": (event(), ["object.key: field required"]),
    "empty key": (event(key=""), ["object.key: string should have at least 1 character"]),
    "number as key": (event(key=7), ["object.key: input should be a valid string, got 7"]),
    "no bucket's name": (
        event() | {"detail": {"bucket": {"name": "a b"}, "object": {"key": "k"}}},
        ["bucket.name: string should match pattern"],
    ),
}


@pytest.mark.parametrize(
    ("execution_input", "expected"),
    [*TYPED_MISTAKES.values(), *EVENT_MISTAKES.values()],
    ids=[*(f"typed, {name}" for name in TYPED_MISTAKES), *(f"event, {n}" for n in EVENT_MISTAKES)],
)
def test_every_mistake_is_named(execution_input: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(InvalidOptions) as refusal:
        read_request(execution_input)

    message = refusal.value.message
    assert message.startswith("execution input: ")
    assert [part for part in expected if part not in message] == []


def test_a_message_quotes_no_more_than_a_line() -> None:
    with pytest.raises(InvalidOptions) as refusal:
        read_request(typed(bucket="x" * 100_000))

    assert len(refusal.value.message) < 250


@pytest.mark.parametrize("depth", [10, 300, 900])
def test_an_input_of_any_depth_is_refused_by_name(depth: int) -> None:
    nested: Any = 1
    for _ in range(depth):
        nested = [nested]
    job = {
        "schema": 1,
        "product": "cutout",
        "execution": "e",
        "default_models": {"mask": "m"},
        "lease_s": 1,
    }

    with pytest.raises(InvalidOptions, match="key: input should be a valid string"):
        read_request(InspectMedia.model_validate(job | {"input": typed(key=nested)}).input)
