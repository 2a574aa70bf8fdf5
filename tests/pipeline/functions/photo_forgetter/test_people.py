"""A person who was forgotten takes what was made of their photos, although the photos stay."""

from __future__ import annotations

import pytest

from pipeline.functions.photo_forgetter.contract import ForgetPhoto, PhotoForgotten
from tests.pipeline.functions.photo_forgetter.conftest import INGEST, NOTHING, WORK, Stage


def forget(stage: Stage, *photos: str) -> PhotoForgotten:
    return stage.forgetter.forget(ForgetPhoto("an execution", photos=photos))


def test_photos_of_a_forgotten_person_lose_their_files_and_stay(stage: Stage) -> None:
    for name in ("one", "two"):
        stage.analyse(f"{name}.jpg", stage.upload(f"{name}.jpg"), job=name)

    assert forget(stage, "one.jpg", "two.jpg") == PhotoForgotten(jobs=2, files=4, work_files=2)

    assert stage.stored() == []
    assert stage.stored(WORK) == []
    assert [stage.status(job) for job in ("one", "two")] == ["DELETED", "DELETED"]
    assert stage.stored(INGEST) == ["one.jpg", "two.jpg"]


def test_files_of_every_version_of_such_a_photo_go(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg", b"old"), job="old")
    stage.analyse("cat.jpg", stage.upload("cat.jpg", b"new"), job="new")

    assert forget(stage, "cat.jpg").jobs == 2

    assert stage.stored() == []


def test_another_photo_with_the_same_output_keys_keeps_its_own(stage: Stage) -> None:
    stage.analyse("cat.png", stage.upload("cat.png", b"a person"), job="person")
    stage.analyse("cat.jpg", stage.upload("cat.jpg"), job="other")

    assert forget(stage, "cat.png").jobs == 1

    assert stage.stored() == ["cat_faces.json", "cat_faces.record.json"]
    assert [stage.status(job) for job in ("person", "other")] == ["DELETED", "DONE"]


def test_a_repeated_call_finds_nothing_left(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"))
    forget(stage, "cat.jpg")

    assert forget(stage, "cat.jpg").files == 0
    assert forget(stage, "never.jpg") == NOTHING


def test_a_job_at_work_on_such_a_photo_is_waited_for(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"), job="first")
    stage.row("cat.jpg", job="second", status="RUNNING")

    assert forget(stage, "cat.jpg") == PhotoForgotten(running=1)

    assert stage.status("first") == "DONE"


@pytest.mark.parametrize(("key", "photos"), [("", ()), ("a.jpg", ("b.jpg",))], ids=["none", "two"])
def test_a_call_is_about_a_deleted_photo_or_about_a_person(
    key: str, photos: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="give a key or photos"):
        ForgetPhoto("an execution", key, photos)


def test_the_job_of_another_photo_whose_results_were_replaced_stays_done(stage: Stage) -> None:
    stage.analyse("cat.jpg", stage.upload("cat.jpg"), job="other")
    stage.analyse("cat.png", stage.upload("cat.png", b"a person"), job="person")

    assert forget(stage, "cat.png").jobs == 1

    assert [stage.status(job) for job in ("person", "other")] == ["DELETED", "DONE"]
