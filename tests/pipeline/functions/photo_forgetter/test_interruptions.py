"""Jobs at work, calls that end half way and services that refuse: the deletion goes on later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.errors import StoreUnavailable
from pipeline.functions.photo_forgetter.contract import PhotoForgotten
from pipeline.functions.photo_forgetter.forgetter import Forgetter
from pipeline.functions.photo_forgetter.versions import NotDeleted
from tests.pipeline.functions.photo_forgetter.conftest import (
    FACES,
    OUTPUT,
    WORK,
    Stage,
)


def test_a_job_that_began_to_publish_while_files_were_listed_loses_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.upload("cat.png")
    stage.delete("cat.jpg")
    listed = Forgetter._versions

    def published_meanwhile(*asked: Any) -> Any:
        stage.row("cat.png", job="second", status="RUNNING")
        stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces_preview.jpg", Body=b"secret of second")
        return listed(*asked)

    monkeypatch.setattr(Forgetter, "_versions", published_meanwhile)

    assert stage.forget("cat.jpg") == PhotoForgotten(running=1)
    assert "cat_faces_preview.jpg" in stage.stored()


def test_a_deletion_that_is_interrupted_goes_on_although_the_key_has_another_photo(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.delete("cat.jpg")
    deletes = stage.s3.delete_objects

    def refused_work(**asked: Any) -> Any:
        return refused("AccessDenied")() if asked["Bucket"] == WORK else deletes(**asked)

    with monkeypatch.context() as broken:
        broken.setattr(stage.s3, "delete_objects", refused_work)
        with pytest.raises(NotDeleted):
            stage.forget("cat.jpg")
    stage.upload("cat.jpg", b"new")

    stage.forget("cat.jpg")
    assert (stage.stored(), stage.stored(WORK)) == ([], [])


@pytest.mark.parametrize("running", ["cat.jpg", "cat.png", "cat"])
def test_nothing_is_deleted_while_a_job_with_the_same_outputs_is_at_work(
    stage: Stage, running: str
) -> None:
    """Its files are published before the record that says whose they are."""
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.row(running, job="running", status="RUNNING")
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg") == PhotoForgotten(running=1)
    assert len(stage.stored()) == 2

    stage.row(running, job="running", status="FAILED")
    assert stage.forget("cat.jpg").files == 2


def test_a_second_call_finds_nothing_left(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.delete("cat.jpg")
    stage.forget("cat.jpg")

    assert stage.forget("cat.jpg") == PhotoForgotten(jobs=1)


def refused(code: str) -> Callable[..., Any]:
    def answer(**_: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": "cat_faces.json", "VersionId": "v", "Code": code}]}

    return answer


@pytest.mark.parametrize(
    ("code", "error"), [("SlowDown", StoreUnavailable), ("AccessDenied", NotDeleted)]
)
def test_a_deletion_that_s3_refuses_is_an_error_and_goes_on_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]
) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.delete("cat.jpg")
    with monkeypatch.context() as broken:
        broken.setattr(stage.s3, "delete_objects", refused(code))
        with pytest.raises(error):
            stage.forget("cat.jpg")
    assert stage.status() == "DELETED"  # first: from then on nothing claims to be whole

    stage.forget("cat.jpg")
    assert stage.stored() == []


def test_an_outage_has_a_name(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetItem")

    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    monkeypatch.setattr(stage.forgetter.dynamodb, "get_item", busy)

    with pytest.raises(StoreUnavailable):
        stage.forget("cat.jpg")


def test_a_job_that_was_claimed_again_is_not_marked(stage: Stage) -> None:
    """Another execution has the row by now, and records its own end."""
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.delete("cat.jpg")
    row = next(iter(stage.forgetter.rows.of("cat.jpg", FACES)))
    stage.row("cat.jpg", status="RUNNING")

    stage.forgetter.rows.mark_deleted(row)

    assert stage.status() == "RUNNING"
