"""A photo goes through the faces machine, whatever is asked for and whatever fails."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.faces.stubs.script import EXIT, ONCE, Script
from tests.faces.stubs.tasks import SECRET
from tests.faces.user import People

SSD, TINY, EMBEDDER = "face-api-ssd", "face-api-tiny", "face-api-resnet34"
RECORD, FACES = "_faces.record.json", "_faces.json"
VECTORS: Final = ["_faces.embeddings.json", "_faces.embeddings.safetensors"]


def test_a_photo_that_asks_for_it_has_its_faces_found(people: People) -> None:
    done = people.ask(Script(faces=3).photo(), "trips/us.png")

    assert done.output["status"] == "DONE"
    assert (done.output["count"], done.output["embedded"]) == (3, None)
    assert people.published("trips/us") == [FACES, RECORD]
    record = people.record("trips/us.png")
    assert (record["product"], record["model"], record["count"]) == ("faces", SSD, 3)
    assert record["outputs"] == [f"trips/us{FACES}"]
    assert record["tasks"]["EmbedFaces"] == {"metrics": None, "provenance": None}
    assert record["tasks"]["AnalyzeFaces"]["provenance"]["container"] == "stubs"
    row = people.driver.record(done.output["job_id"])
    assert (row["status"], row["product"], row["machine"]) == ("DONE", "faces", "faces")
    assert row["model"] == SSD


def test_only_what_is_asked_for_is_published(people: People) -> None:
    done = people.ask(
        Script().photo(), "asked/us.png", preview="true", redact="blur", embed="true"
    )  # fmt: skip

    assert (done.output["count"], done.output["embedded"]) == (2, 1)
    assert people.published("asked/us") == sorted(
        [FACES, RECORD, *VECTORS, "_faces_preview.jpg", "_faces_redacted.png"]
    )
    record = people.record("asked/us.png")
    assert len(record["outputs"]) == 5
    assert (record["embedder"], record["embedded"], record["rejected"]) == (EMBEDDER, 1, 1)


def test_no_face_is_a_success(people: People) -> None:
    done = people.ask(Script(faces=0).photo(), "empty/sea.png", embed="true")

    assert (done.output["status"], done.output["count"], done.output["embedded"]) == ("DONE", 0, 0)
    assert json.loads(people.read("output", f"empty/sea{FACES}"))["faces"] == []


def test_what_a_face_is_like_is_in_files_of_faces_alone(people: People, driver: Driver) -> None:
    done = people.ask(Script().photo(), "secret/us.png", embed="true", preview="true")

    assert str(SECRET) in people.read("output", f"secret/us{FACES}").decode()
    assert str(SECRET) not in json.dumps(people.record("secret/us.png"))
    assert str(SECRET) not in json.dumps(driver.record(done.output["job_id"]))
    states = driver.cloud.client("stepfunctions")
    history = states.get_execution_history(executionArn=done.arn)["events"]
    assert str(SECRET) not in json.dumps(history, default=str)


def test_the_tasks_work_in_the_products_own_folder(people: People, driver: Driver) -> None:
    done = people.ask(Script(padding="folder").photo(), "folder/us.png", embed="true")

    job = done.output["job_id"]
    assert len(driver.keys("work", prefix=f"faces/{job}/")) == 3
    assert driver.keys("work", prefix=job) == []


def test_each_model_is_staged_once_and_only_if_it_is_asked_for(people: People) -> None:
    driver = people.driver
    people.ask(Script(padding="staging").photo(), "staging/plain.png")
    plain = people.ask(Script(padding="staging").photo(), "staging/again.png")

    assert driver.states_of(plain).count("StageWeights") == 0
    assert driver.states_of(plain).count("NothingToStage") == 2
    assert "EmbedFaces" not in driver.states_of(plain)


@pytest.mark.parametrize("model", [SSD, EMBEDDER])
def test_incomplete_weights_are_staged_again_once(people: People, model: str) -> None:
    script = Script(fails={model: f"{ONCE}WeightsNotStaged"})

    done = people.ask(script.photo(), f"incomplete/{model}.png", embed="true")

    assert done.output["status"] == "DONE"
    states = people.driver.states_of(done)
    assert states.count("StageAgain") == 1
    assert states[states.index("StageAgain") :].count("StageWeights") == 2


def test_weights_that_stay_incomplete_fail_the_execution(people: People) -> None:
    script = Script(fails={SSD: "WeightsNotStaged"})

    failed = people.ask(script.photo(), "unstaged.png")

    assert (failed.status, failed.error) == ("FAILED", "WeightsNotStaged")
    assert people.driver.states_of(failed)[-2:] == ["RecordFailure", "Failed"]


@pytest.mark.parametrize(
    ("error", "name"), [("OutOfMemory", "OutOfMemory"), (EXIT, "Runtime.ExitError")]
)
def test_a_detector_that_is_too_large_is_replaced_if_that_is_allowed(
    people: People, error: str, name: str
) -> None:
    photo = Script(fails={SSD: error}).photo()

    failed = people.ask(photo, f"large/{error}.png")
    done = people.ask(photo, f"large/{error}.png", allow_fallback="true")

    assert (failed.status, failed.error) == ("FAILED", name)
    assert people.driver.states_of(failed)[-2:] == ["RecordFailure", "Failed"]
    assert (done.output["status"], done.output["model"]) == ("DONE", TINY)
    assert done.output["degraded"] is True
    assert people.driver.record(done.output["job_id"])["model"] == TINY


def test_no_lighter_detector_helps_an_embedder_that_is_too_large(people: People) -> None:
    script = Script(fails={EMBEDDER: "OutOfMemory"})

    failed = people.ask(script.photo(), "narrow.png", embed="true", allow_fallback="true")

    assert (failed.status, failed.error) == ("FAILED", "OutOfMemory")
    assert "UseFallback" not in people.driver.states_of(failed)


@pytest.mark.parametrize(
    ("model", "error"),
    [(SSD, "CorruptMedia"), (SSD, "SourceChanged"), (EMBEDDER, "InvalidOptions")],
)
def test_a_permanent_error_of_any_task_is_quarantined_under_its_own_name(
    people: People, model: str, error: str
) -> None:
    script = Script(fails={model: error})

    refused = people.ask(script.photo(), f"refused/{model}-{error}.png", embed="true")

    assert (refused.status, refused.error, refused.verdict) == ("FAILED", error, "QUARANTINED")
    reason = people.driver.reason(refused)
    assert (reason["error"], reason["message"]) == (error, f"{model} was told to fail")
    row = people.driver.record(reason["job"]["job_id"])
    assert (row["status"], row["error"], row["product"]) == ("QUARANTINED", error, "faces")
    assert people.published(f"refused/{model}-{error}") == []


@pytest.mark.parametrize(("model", "state"), [(SSD, "AnalyzeFaces"), (EMBEDDER, "EmbedFaces")])
def test_an_outage_fails_the_execution_uncaught_so_that_it_can_be_redriven(
    people: People, model: str, state: str
) -> None:
    script = Script(fails={model: "StoreUnavailable"})

    failed = people.ask(script.photo(), f"outage/{model}.png", embed="true")

    assert (failed.status, failed.error) == ("FAILED", "StoreUnavailable")
    assert people.driver.states_of(failed)[-1] == state


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"redact": "paint"}, "redact"),
        ({"crop": "true"}, "crop"),
        ({"embedder": EMBEDDER}, "embedder"),
        ({"attributes": "mood"}, "attributes"),
    ],
)
def test_options_that_faces_has_not_are_refused(
    people: People, options: dict[str, str], says: str
) -> None:
    refused = people.ask(Script().photo(), f"options/{says}.png", **options)

    assert (refused.verdict, refused.error) == ("QUARANTINED", "InvalidOptions")
    assert says in people.driver.reason(refused)["message"]


def test_a_photo_that_is_uploaded_again_is_a_duplicate(people: People) -> None:
    photo = Script(padding="duplicate").photo()
    first = people.ask(photo, "twice.png")

    second = people.ask(photo, "twice.png")
    more = people.ask(photo, "twice.png", embed="true")

    assert second.output["status"] == "DUPLICATE"
    assert second.output["job_id"] == first.output["job_id"]
    assert more.output["status"] == "DONE"


def test_faces_that_were_deleted_are_found_again(people: People) -> None:
    photo = Script(padding="again").photo()
    people.ask(photo, "again.png")
    people.driver.s3.delete_object(Bucket=NAMES.bucket("output"), Key=f"again{FACES}")

    again = people.ask(photo, "again.png")

    assert again.output["status"] == "DONE"
    assert people.published("again") == [FACES, RECORD]


def test_a_forced_execution_does_the_job_again(people: People) -> None:
    people.ask(Script(padding="forced").photo(), "forced.png")

    forced = people.start("forced.png", force=True)

    assert people.record("forced.png")["execution"] == forced.arn


def test_an_operator_may_start_it_with_options_of_their_own(people: People) -> None:
    photo: dict[str, Any] = {"options": {"preview": True}}
    people.drop(Script(padding="typed").photo(), "typed/us.png")

    done = people.start("typed/us.png", **photo)

    assert done.output["status"] == "DONE"
    assert "_faces_preview.jpg" in people.published("typed/us")
