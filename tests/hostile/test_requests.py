"""Whatever is asked, under whatever name: a cut-out of that photo, or one named error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.aws.s3 import S3Store
from pipeline.contracts.cutout import picture_key
from pipeline.contracts.output_keys import S3_KEY_LIMIT_BYTES, output_stem
from tests.hostile.case import CUTOUT, Note
from tests.hostile.desk import Desk
from tests.hostile.requests import KEYS, Asked, asked
from tests.hostile.test_corpus import assert_cut_out
from tests.models import Shelf
from tests.pictures import png
from tests.pipeline.photo.pictures import drawn

PHOTO = png(drawn())


@pytest.fixture(scope="module")
def s3_desk(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Any]]:
    """The handlers on S3, which has opinions about names and metadata."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        for bucket in ("photos", "work", "models"):
            client.create_bucket(Bucket=bucket)
        enabled = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket="photos", VersioningConfiguration=enabled)
        desk = Desk(S3Store(client), shelf, tmp_path_factory.mktemp("scratch"))
        desk.sit_down(patch)
        yield desk, client


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:40])
def test_a_photo_of_any_name_is_cut_out(
    s3_desk: tuple[Desk, Any], key: str, record_property: Note
) -> None:
    desk, client = s3_desk
    client.put_object(Bucket="photos", Key=key, Body=PHOTO)

    end = desk.run({"bucket": "photos", "key": key})

    record_property("end", end.name)
    assert end.name == CUTOUT, end.message
    assert_cut_out(end.pictures["cutout"], drawn(), 0)
    output = picture_key(output_stem(key), kind="cutout", extension="webp")
    assert len(output.encode()) <= S3_KEY_LIMIT_BYTES
    client.put_object(Bucket="work", Key=output, Body=b"")


@pytest.mark.parametrize("case", list(asked()), ids=lambda case: ascii(case.name))
def test_whatever_is_asked_has_one_named_end(
    s3_desk: tuple[Desk, Any], case: Asked, record_property: Note
) -> None:
    desk, client = s3_desk
    client.put_object(Bucket="photos", Key="cat.jpg", Body=PHOTO, Metadata=case.metadata)
    fields = {"bucket": "photos", "key": "cat.jpg"}

    end = desk.run(fields | case.fields if isinstance(case.fields, dict) else case.fields)

    record_property("end", end.name)
    assert end.name == case.end, end.message
    if end.name != CUTOUT:
        assert 0 < len(end.message) <= 1_000
