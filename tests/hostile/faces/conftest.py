"""A desk with models of faces."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from pipeline.artifacts import LocalStore
from pipeline.aws.s3 import S3Store
from tests.hostile.faces.desk import FaceDesk, stock_people
from tests.models import Shelf


@pytest.fixture(scope="session")
def people_shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return stock_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def face_desk(people_shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceDesk]:
    """The handlers on a folder."""
    folder = tmp_path_factory.mktemp("desk")
    desk = FaceDesk(LocalStore(folder / "store"), people_shelf, folder / "scratch")
    with pytest.MonkeyPatch.context() as patch:
        desk.sit_down(patch)
        yield desk


@pytest.fixture(scope="module")
def s3_face_desk(
    people_shelf: Shelf, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaceDesk]:
    """The handlers on S3, which has opinions about metadata."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        for bucket in ("photos", "work", "models"):
            client.create_bucket(Bucket=bucket)
        desk = FaceDesk(S3Store(client), people_shelf, tmp_path_factory.mktemp("scratch"))
        desk.sit_down(patch)
        yield desk
