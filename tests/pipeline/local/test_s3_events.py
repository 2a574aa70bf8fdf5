"""Object events read as AWS words them."""

from __future__ import annotations

from typing import Any

from pipeline.local.s3_events import S3EventNormaliser


def _moto_event(etag: str = '"0cc175b9c0f1b6a831c399e269772661"', **stored: str) -> dict[str, Any]:
    return {
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {
            "bucket": {"name": "photos"},
            "object": {"key": "a b+c.jpg", "size": 1, "eTag": etag, "version-id": "v1"} | stored,
            "request-id": "always the same",
            "reason": "ObjectCreated",
        },
    }


def test_an_upload_is_one_event_with_an_etag_and_a_reason() -> None:
    event = S3EventNormaliser().normalise(_moto_event())

    assert event is not None
    assert event["detail"]["object"]["etag"] == "0cc175b9c0f1b6a831c399e269772661"
    assert "eTag" not in event["detail"]["object"]
    assert event["detail"]["object"]["version-id"] == "v1"
    assert event["detail"]["reason"] == "PutObject"


def test_an_unversioned_object_has_no_version_id() -> None:
    event = S3EventNormaliser().normalise(_moto_event(**{"version-id": "null"}))

    assert event is not None
    assert "version-id" not in event["detail"]["object"]


def test_every_event_has_an_id_of_its_own_and_a_later_sequencer() -> None:
    normaliser = S3EventNormaliser()

    first, second = normaliser.normalise(_moto_event()), normaliser.normalise(_moto_event())

    assert first is not None
    assert second is not None
    assert first["id"] != second["id"]
    assert first["detail"]["request-id"] != second["detail"]["request-id"]
    assert first["detail"]["object"]["sequencer"] < second["detail"]["object"]["sequencer"]


def test_the_two_events_of_a_multipart_upload_become_one() -> None:
    normaliser = S3EventNormaliser()
    upload = _moto_event(etag='"9b2cf535f27731c974343645a3985328-3"')

    events = [normaliser.normalise(upload) for _ in range(4)]

    assert [event is None for event in events] == [True, False, True, False]
    assert events[1] is not None
    assert events[1]["detail"]["reason"] == "CompleteMultipartUpload"


def test_the_event_it_was_given_is_left_as_it_was() -> None:
    given = _moto_event()

    S3EventNormaliser().normalise(given)

    assert given == _moto_event()
