"""The owner of a transcript gets an address of its recording, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from containers.http_api.principal import identify
from tests.containers.http_api.conftest import Answered, Ask
from tests.containers.http_api.finished import ADA, BOB, INGEST, OUTPUT, SOUND, Finished, prepare
from tests.containers.http_api.test_problems import require_problem

OPERATOR = {"lambda": {"principal": "olga", "scopes": "matteline/operator"}}


@pytest.fixture
def talk(tables: Any) -> Finished:
    return Finished(prepare(tables), tables).store()


def source(ask: Ask, talk: Finished, user: Any = ADA) -> Answered:
    return ask("GET", f"/jobs/{talk.job_id}/source", authorizer=user)


def test_the_address_is_that_of_the_version_that_the_job_read(ask: Ask, talk: Finished) -> None:
    (first,) = talk.s3.list_object_versions(Bucket=INGEST)["Versions"]
    talk.s3.put_object(Bucket=INGEST, Key=talk.key, Body=b"another recording")

    answer = source(ask, talk)

    assert answer.status == 200, answer.text
    told = answer.json
    assert (told["name"], told["media_type"], told["bytes"]) == ("talk.mp3", "audio/mpeg", 16)
    assert len(SOUND) == told["bytes"]
    address = urlsplit(told["url"])
    assert INGEST in address.netloc
    assert address.path == f"/{talk.key}"
    asked = {name: text for name, (text,) in parse_qs(address.query).items()}
    assert asked["versionId"] == first["VersionId"]
    assert asked["response-content-type"] == "audio/mpeg"
    assert asked["response-content-disposition"] == "inline"
    assert int(asked["X-Amz-Expires"]) <= 3600
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_nobody_else_gets_it_but_an_operator(ask: Ask, talk: Finished) -> None:
    require_problem(source(ask, talk, BOB), 404, "NoSuchJob")
    assert source(ask, talk, OPERATOR).status == 200


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        (INGEST, f"{identify(BOB).prefix}u1/talk.mp3"),
        (OUTPUT, f"{identify(ADA).prefix}u1/talk.mp3"),
    ],
)
def test_a_source_that_is_no_upload_of_the_caller_is_not_given(
    ask: Ask, talk: Finished, bucket: str, key: str
) -> None:
    talk.s3.put_object(Bucket=bucket, Key=key, Body=SOUND)
    record = {**_source(talk), "bucket": bucket, "key": key}
    talk.write_record(source=record)

    require_problem(source(ask, talk), 404, "NoSource")


def test_a_recording_that_was_deleted_is_gone(ask: Ask, talk: Finished) -> None:
    talk.s3.delete_object(Bucket=INGEST, Key=talk.key)

    require_problem(source(ask, talk), 404, "NoSource")


def test_a_version_that_expired_is_gone(ask: Ask, talk: Finished) -> None:
    (first,) = talk.s3.list_object_versions(Bucket=INGEST)["Versions"]
    talk.s3.put_object(Bucket=INGEST, Key=talk.key, Body=b"another recording")
    talk.s3.delete_object(Bucket=INGEST, Key=talk.key, VersionId=first["VersionId"])

    require_problem(source(ask, talk), 404, "NoSource")


def test_a_photo_is_no_recording(ask: Ask, talk: Finished) -> None:
    talk.write_record(product="cutout")

    require_problem(source(ask, talk), 404, "NoSource")


def test_a_job_whose_result_another_replaced_has_no_source(ask: Ask, talk: Finished) -> None:
    replace(talk, job_id="2" * 64).store()

    require_problem(source(ask, talk), 404, "NoSource")


@pytest.mark.parametrize("status", ["FAILED", "QUARANTINED", "DELETED"])
def test_a_job_that_is_not_done_has_no_source(ask: Ask, talk: Finished, status: str) -> None:
    talk.write_row(status=status, error="JobStopped")

    require_problem(source(ask, talk), 404, "NoSource")


def _source(talk: Finished) -> dict[str, Any]:
    return {
        "bucket": INGEST, "key": talk.key, "version_id": None, "etag": "0", "sha256": "0" * 64,
        "bytes": 16, "media_type": "audio/mpeg", "format": "mp3",
    }  # fmt: skip
