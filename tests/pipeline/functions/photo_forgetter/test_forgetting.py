"""What a deleted photo leaves behind: nothing of products that follow their source."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.functions.photo_forgetter import versions
from pipeline.functions.photo_forgetter.contract import PhotoForgotten
from pipeline.functions.photo_forgetter.followers import read_followers
from pipeline.functions.photo_forgetter.photos import Photos
from pipeline.functions.photo_forgetter.rows import Row
from pipeline.functions.photo_forgetter.versions import Version
from tests.pipeline.functions.photo_forgetter.conftest import (
    FACES,
    INGEST,
    NOTHING,
    OUTPUT,
    WORK,
    Stage,
)


def test_a_deleted_photo_takes_its_files_in_every_version_its_work_and_its_job(
    stage: Stage,
) -> None:
    version = stage.upload("people/cat.jpg")
    stage.analyse("people/cat.jpg", version, kinds=("_faces.json", "_faces_preview.jpg"))
    stage.analyse("people/cat.jpg", version)  # done again: older versions of everything
    stage.delete("people/cat.jpg")

    assert stage.forget("people/cat.jpg") == PhotoForgotten(jobs=1, files=5, work_files=1)

    assert stage.stored() == []
    assert stage.stored(WORK) == []
    assert stage.status() == "DELETED"


def test_a_photo_that_is_there_keeps_everything(stage: Stage) -> None:
    """Such an event may come late, or tell of a version that nobody analysed."""
    old, version = stage.upload("cat.jpg", b"an older one"), stage.upload("cat.jpg")
    stage.analyse("cat.jpg", version)
    stage.analyse("cat.jpg", version)
    stage.delete("cat.jpg", old)

    assert stage.forget("cat.jpg") == NOTHING

    assert len(stage.stored()) == 4
    assert len(stage.stored(WORK)) == 1
    assert stage.status() == "DONE"


def test_a_photo_deleted_for_good_is_forgotten(stage: Stage) -> None:
    version = stage.upload("cat.jpg")
    stage.analyse("cat.jpg", version)
    stage.delete("cat.jpg", version)

    assert stage.forget("cat.jpg").jobs == 1
    assert stage.stored() == []


def test_results_that_were_deleted_before_go_for_good(stage: Stage) -> None:
    """The API leaves versions behind that an operator could restore."""
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    for key in ("cat_faces.json", "cat_faces.record.json"):
        stage.s3.delete_object(Bucket=OUTPUT, Key=key)
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg").files == 4
    assert stage.stored() == []


def test_a_new_upload_under_the_key_keeps_its_own_results_only(stage: Stage) -> None:
    old = stage.upload("cat.jpg", b"old")
    stage.analyse("cat.jpg", old, job="old", kinds=("_faces.json", "_faces_preview.jpg"))
    new = stage.upload("cat.jpg", b"new")
    stage.analyse("cat.jpg", new, job="new")
    stage.delete("cat.jpg", old)

    assert stage.forget("cat.jpg") == PhotoForgotten(jobs=1, files=3, work_files=1)

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]
    assert [stage.status(job) for job in ("old", "new")] == ["DELETED", "DONE"]
    assert stage.stored(WORK) == ["faces/new/run/faces.json"]


def test_results_of_a_replaced_version_stay_while_that_version_does(stage: Stage) -> None:
    older, old = stage.upload("cat.jpg", b"older"), stage.upload("cat.jpg", b"old")
    stage.analyse("cat.jpg", old, content=b"old")
    stage.upload("cat.jpg", b"new, and analysed by nobody")
    stage.delete("cat.jpg", older)
    assert stage.forget("cat.jpg") == NOTHING

    stage.delete("cat.jpg", old)
    assert stage.forget("cat.jpg").jobs == 1
    assert stage.stored() == []


def test_the_same_photo_uploaded_again_is_still_there(stage: Stage) -> None:
    """Its execution ended as a duplicate, and relies on the first one's results."""
    old = stage.upload("cat.jpg")
    stage.analyse("cat.jpg", old)
    stage.upload("cat.jpg")
    stage.delete("cat.jpg", old)

    assert stage.forget("cat.jpg") == NOTHING


def test_a_photo_uploaded_over_a_deleted_one_does_not_keep_its_faces(stage: Stage) -> None:
    """The deletion may be looked at only after the next upload, and its version stays for days."""
    old = stage.upload("cat.jpg", b"old")
    stage.analyse("cat.jpg", old, job="old", content=b"old", kinds=("_faces_preview.jpg",))
    stage.delete("cat.jpg")
    new = stage.upload("cat.jpg", b"new")
    stage.analyse("cat.jpg", new, job="new", content=b"new")

    assert stage.forget("cat.jpg") == PhotoForgotten(jobs=1, files=2, work_files=1)

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]
    assert [stage.status(job) for job in ("old", "new")] == ["DELETED", "DONE"]


def test_another_photo_of_the_same_length_is_not_the_same(stage: Stage) -> None:
    old = stage.upload("cat.jpg", b"old")
    stage.analyse("cat.jpg", old, content=b"old")
    stage.upload("cat.jpg", b"new")
    stage.delete("cat.jpg", old)

    assert stage.forget("cat.jpg").jobs == 1


@pytest.mark.parametrize("other", ["cat.png", "cat"])
def test_a_photo_whose_outputs_have_the_same_keys_keeps_its_results(
    stage: Stage, other: str
) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"), job="first")
    stage.analyse(other, stage.upload(other), job="second")
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg").jobs == 1

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]
    assert [stage.status(job) for job in ("first", "second")] == ["DELETED", "DONE"]


@pytest.mark.parametrize("first", ["gone", "kept"])
def test_a_file_that_a_deleted_photo_left_under_anothers_record_goes(
    stage: Stage, first: str
) -> None:
    """Its job replaced some of the other's files, and failed before it wrote a record."""
    stage.upload("cat.png")

    def replace() -> None:
        stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces.json", Body=b"secret of jo2")

    if first == "gone":
        replace()
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    if first == "kept":
        replace()
    stage.row("cat.png", job="jo2", status="FAILED")
    stage.delete("cat.png")

    assert stage.forget("cat.png") == PhotoForgotten(jobs=1, files=1)

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]
    assert stage.read("cat_faces.json") == b"secret of job"


def test_a_file_that_was_deleted_does_not_come_back(stage: Stage) -> None:
    stage.analyse("cat.png", stage.upload("cat.png"), job="second")
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.s3.delete_object(Bucket=OUTPUT, Key="cat_faces.json")
    stage.delete("cat.png")

    stage.forget("cat.png")

    assert stage.stored() == ["cat_faces.record.json"]


def test_the_photo_of_a_failed_job_is_gone_if_no_version_before_its_end_stays() -> None:
    def version(name: str, minute: int, *, marker: bool = False, latest: bool = False) -> Version:
        written = datetime(2026, 1, 1, 12, minute, tzinfo=UTC)
        return Version("cat.jpg", name, latest, marker, written, 7)

    old, deleted = version("old", 1), version("deleted", 3, marker=True)
    new = version("new", 5, latest=True)
    row = Row("job", "cat.jpg", "FAILED", "arn", "2026-01-01T12:02:00.000Z")

    def gone(*versions: Version) -> bool:
        return Photos(None, INGEST, {"cat.jpg": list(versions)}).are_gone_since(row)

    assert gone(new, old, deleted)
    assert gone(new)
    assert not gone(new, old)
    assert not gone(new, version("undone", 1), version("before", 0, marker=True))


def test_files_of_a_failed_job_stay_while_its_photo_may(stage: Stage) -> None:
    """It can be redriven, and then writes its record. The deleted version was another."""
    older = stage.upload("cat.jpg", b"older")
    stage.upload("cat.jpg", b"the photo of the job")
    stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces.json", Body=b"secret")
    stage.row("cat.jpg", status="FAILED")
    stage.upload("cat.jpg", b"new")
    stage.delete("cat.jpg", older)

    assert stage.forget("cat.jpg") == NOTHING
    assert stage.stored() == ["cat_faces.json"]


def test_a_photo_that_is_newer_than_a_failed_job_is_not_the_one_of_it(stage: Stage) -> None:
    old = stage.upload("cat.jpg", b"old")
    stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces.json", Body=b"secret")
    stage.row("cat.jpg", status="FAILED", at=datetime.now(UTC) - timedelta(days=1))
    stage.delete("cat.jpg", old)
    stage.upload("cat.jpg", b"new")

    assert stage.forget("cat.jpg").files == 1
    assert stage.stored() == []


def test_a_record_whose_row_is_gone_goes_too(stage: Stage) -> None:
    """An operator may delete rows."""
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    stage.forgetter.dynamodb.delete_item(
        TableName=stage.forgetter.table, Key={"job_id": {"S": "job"}}
    )
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg") == PhotoForgotten(files=2, work_files=1)
    assert (stage.stored(), stage.stored(WORK)) == ([], [])


def test_files_without_a_record_go_too(stage: Stage) -> None:
    """An execution failed after it published some."""
    stage.upload("cat.jpg")
    stage.row("cat.jpg", status="FAILED")
    stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces.json", Body=b"secret")
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg").files == 1
    assert stage.stored() == []
    assert stage.status() == "FAILED"


def test_other_products_and_other_keys_are_left_alone(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    kept = ["cat_bg_removed.png", "cat_faces.json_faces.json", "catalogue_faces.json"]
    for key in kept:
        stage.s3.put_object(Bucket=OUTPUT, Key=key, Body=b"another's")
    stage.row("cat.jpg", job="cutout", product="cutout")
    stage.row("cat.long.jpg", job="other")
    stage.upload("cat.long.jpg")
    stage.delete("cat.jpg")

    stage.forget("cat.jpg")

    assert stage.stored() == kept
    assert [stage.status(job) for job in ("cutout", "other")] == ["DONE", "DONE"]


def test_the_results_of_a_photo_in_another_bucket_are_not_ours_to_delete(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"), job="ours")
    stage.analyse("cat.jpg", "v", job="theirs", bucket="another")
    stage.delete("cat.jpg")

    stage.forget("cat.jpg")

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]


def test_a_photo_without_jobs_is_quickly_done(stage: Stage) -> None:
    stage.upload("cat.jpg")
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg") == NOTHING


def test_a_key_that_is_too_long_for_its_outputs_is_found(stage: Stage) -> None:
    key = f"{'x' * 1010}.jpg"
    stage.upload(key)
    stage.row(key)
    record = FACES.record_key(key)
    stage.s3.put_object(Bucket=OUTPUT, Key=record, Body=b"{}")
    stage.delete(key)

    assert stage.forget(key) == PhotoForgotten(jobs=1, files=1)


def test_a_record_that_is_no_json_belongs_to_no_photo(stage: Stage) -> None:
    stage.upload("cat.jpg")
    stage.row("cat.jpg")
    stage.s3.put_object(Bucket=OUTPUT, Key="cat_faces.record.json", Body=b"[")
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg").files == 1


def test_more_versions_than_one_call_deletes_are_deleted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "_BATCH", 2)
    version = stage.upload("cat.jpg")
    for _ in range(3):
        stage.analyse("cat.jpg", version)
    stage.delete("cat.jpg")

    assert stage.forget("cat.jpg").files == 6
    assert stage.stored() == []


def test_the_log_has_counts_and_the_execution_only(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.analyse("people/ada.jpg", stage.upload("people/ada.jpg"))
    stage.delete("people/ada.jpg")
    stage.forget("people/ada.jpg")

    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("timestamp")).tzinfo
    assert told == {
        "level": "INFO", "container": "photo-forgetter", "message": "done",
        "execution": "arn:execution", "trace_id": "execution",
        "jobs": 1, "running": 0, "files": 2, "work_files": 1,
    }  # fmt: skip


def test_products_that_follow_are_read_from_their_declarations() -> None:
    followers = {each.name for each in read_followers()}

    assert followers == {"faces"}
