"""In the deployed stage, faces are found on request, and a deleted photo takes them with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.operations.executions import Execution
from tests.small_models import PEOPLE, people
from tests.wiring.conftest import PEOPLE_PREFIX
from tests.wiring.deployment import RELEASE
from tests.wiring.stage import Stage

pytestmark = pytest.mark.wiring

EVERYTHING = {"preview": "true", "redact": "blur", "embed": "true"}
FILES = {
    "_faces.json", "_faces.record.json", "_faces_preview.jpg", "_faces_redacted.png",
    "_faces.embeddings.json", "_faces.embeddings.safetensors",
}  # fmt: skip


def ask(stage: Stage, key: str, light: int, **options: str) -> Execution:
    """Upload a photo that asks for its faces; each `light` makes another photo."""
    return stage.drop(people(light), key, machine="faces", product="faces", **options)


def delete(stage: Stage, key: str) -> Execution:
    """Delete a photo, and return the execution that forgot it."""
    stage.cloud.client("s3").delete_object(Bucket=stage.names.bucket("ingest"), Key=key)
    return stage.ended("forget-photo", key)


def forgetter_role(stage: Stage) -> str:
    name = stage.names.operation("photo-forgetter")
    found = stage.cloud.client("lambda").get_function_configuration(FunctionName=name)
    return str(found["Role"]).rpartition("/")[2]


def versions(stage: Stage, stem: str) -> set[str]:
    """Return the ends of all keys beside a photo's path that have any version left."""
    listed = stage.cloud.client("s3").list_object_versions(
        Bucket=stage.names.bucket("output"), Prefix=stem
    )
    rows = [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]
    return {row["Key"].removeprefix(stem) for row in rows}


@pytest.fixture(scope="module")
def done(stage: Stage) -> Execution:
    return ask(stage, "asked/us.png", 255, **EVERYTHING)


def test_an_upload_that_asks_for_faces_is_handed_over(stage: Stage, done: Execution) -> None:
    assert done.verdict == "DONE", done.reason
    first = stage.ended("cutout", "asked/us.png")

    assert (first.verdict, first.handed_to) == ("HANDED_OVER", done.arn)
    assert versions(stage, "asked/us") == FILES
    assert len(stage.read_json("output", "asked/us_faces.json")["faces"]) == len(PEOPLE)


def test_the_output_record_and_the_row_describe_the_job_of_faces(
    stage: Stage, done: Execution
) -> None:
    assert done.verdict == "DONE", done.reason
    record = stage.read_json("output", "asked/us_faces.record.json")

    made: dict[str, Any] = {name: each["provenance"] for name, each in record["tasks"].items()}
    released = f"sha256:{RELEASE['ImageDigestHex']}"
    assert {name: made[name]["container"] for name in ("AnalyzeFaces", "EmbedFaces")} == {
        "AnalyzeFaces": "face-analyzer",
        "EmbedFaces": "face-embedder",
    }
    assert {each["image_digest"] for each in made.values()} == {released}
    assert (record["count"], record["embedded"], record["rejected"]) == (2, 1, 1)
    row = stage.record_of(done)
    assert (row["status"], row["product"], row["machine"]) == ("DONE", "faces", "faces")


def test_an_upload_below_a_prefix_of_faces_starts_both_products(stage: Stage) -> None:
    key = f"{PEOPLE_PREFIX}us.png"
    faces = stage.drop(people(250), key, machine="faces")
    cutout = stage.ended("cutout", key)

    assert faces.verdict == "DONE", faces.reason
    assert versions(stage, f"{PEOPLE_PREFIX}us_faces") == {".json", ".record.json"}
    assert cutout.handed_to is None
    assert stage.record_of(cutout)["product"] == "cutout"


def test_no_other_upload_starts_faces(stage: Stage) -> None:
    stage.drop(people(245), f"other/{PEOPLE_PREFIX}us.png")

    states = stage.cloud.client("stepfunctions")
    arn = stage.names.unqualified_machine_arn("faces")
    rows = states.list_executions(stateMachineArn=arn)["executions"]
    inputs = [states.describe_execution(executionArn=row["executionArn"]) for row in rows]
    keys = [json.loads(each["input"])["detail"]["object"]["key"] for each in inputs]
    assert f"other/{PEOPLE_PREFIX}us.png" not in keys


def test_a_deleted_photo_takes_its_faces_with_it(stage: Stage) -> None:
    made = ask(stage, "gone/us.png", 240, **EVERYTHING)
    assert versions(stage, "gone/us") == FILES

    forgot = delete(stage, "gone/us.png")

    assert forgot.status == "SUCCEEDED", forgot.reason
    assert (forgot.output["jobs"], forgot.output["files"]) == (1, len(FILES))
    assert versions(stage, "gone/us") == set()
    assert stage.record_of(made)["status"] == "DELETED"


def test_a_deletion_that_was_denied_goes_on_when_it_is_redriven(stage: Stage) -> None:
    ask(stage, "denied/us.png", 235)
    with stage.denied(forgetter_role(stage), "s3:DeleteObjectVersion", "output", "denied/*"):
        failed = delete(stage, "denied/us.png")
    assert failed.status == "FAILED"
    assert "AccessDenied" in failed.reason
    assert versions(stage, "denied/us_faces") == {".json", ".record.json"}

    forgot = stage.redrive(failed, "forget-photo", at="Forget")

    assert forgot.status == "SUCCEEDED", forgot.reason
    assert versions(stage, "denied/us_faces") == set()
