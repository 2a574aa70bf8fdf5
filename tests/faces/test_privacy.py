"""What is found in a face is in the files that were asked for, and nowhere else.

The containers are the real ones, with small networks to which a face is a red square.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from tests.calm import wait_for_calm
from tests.conftest import ROOT
from tests.embedding_models import DIMENSION, stock_embedder
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import Faults
from tests.face_models import painted, stock_faces
from tests.faces.user import People
from tests.hasty import hasty
from tests.pictures import png

KEY: Final = "private/us.png"
EVERYTHING: Final = {
    "attributes": "age_gender,expressions", "preview": "true", "redact": "blur", "embed": "true",
}  # fmt: skip
VECTORS: Final = {"_faces.embeddings.json", "_faces.embeddings.safetensors"}
# Names of what is in `_faces.json` and `_faces.embeddings.json`, as fields of JSON.
WORDS: Final = re.compile(
    r"\W(detection|box|landmarks|pose|roll|expressions|ageAndGender|genderProbability|happy|female"
    r"|vectors?)\\*\"\s*:"
)
LEAST_DIGITS: Final = 5  # fewer may be found anywhere


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    shelf = tmp_path_factory.mktemp("shelf")
    catalogue = shelf / "models.toml"
    catalogue.write_text(stock_faces(shelf, "seen") + stock_embedder(shelf, "kin"))
    blueprint = Blueprint.read(ROOT, defaults=("seen", "kin"), overlays=(catalogue,))
    faults = Faults()
    machines = hasty(blueprint, tmp_path_factory.mktemp("machines"), most_tries=1)
    with local_cloud(machines, weights_mirror=str(shelf), wrap=faults.wrap) as cloud:
        yield Driver(cloud, faults)


@pytest.fixture(scope="module")
def people(driver: Driver) -> People:
    return People(driver)


@pytest.fixture(scope="module")
def announced(driver: Driver) -> dict[str, Any]:
    """What the platform announces of a photo of two faces of which everything was asked."""
    sqs, events = driver.cloud.client("sqs"), driver.cloud.client("events")
    url = sqs.create_queue(QueueName="announced")["QueueUrl"]
    events.put_rule(Name="announced", EventPattern=json.dumps({"source": ["matteline"]}))
    target = {"Id": "queue", "Arn": f"{NAMES.arn('sqs')}:announced"}
    events.put_targets(Rule="announced", Targets=[target])
    photo = png(painted((160, 80, 80, (255, 0, 0)), (40, 80, 40, (255, 0, 0))))
    driver.put(photo, KEY, product="faces", **EVERYTHING)
    deadline = time.monotonic() + PATIENCE_S
    while not (found := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages")):
        assert time.monotonic() < deadline, "nothing was announced"
    events.remove_targets(Rule="announced", Ids=["queue"])
    sqs.delete_queue(QueueUrl=url)  # else the cloud never comes to rest
    event: dict[str, Any] = json.loads(found[0]["Body"])
    return event


@pytest.fixture(scope="module")
def done(driver: Driver, people: People, announced: dict[str, Any]) -> Execution:
    assert announced
    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)
    execution = people.executions(KEY)["faces"]
    assert execution.output["status"] == "DONE", execution
    return execution


@pytest.fixture(scope="module")
def secrets(people: People, done: Execution) -> set[str]:
    """Every number of the faces and of their vectors, as text."""
    assert done.output["count"] == 2
    assert done.output["embedded"] == 1
    document = json.loads(people.read("output", "private/us_faces.json"))
    vectors = people.read("output", "private/us_faces.embeddings.safetensors")
    numbers = {str(number) for number in _numbers(document["faces"])}
    numbers |= {str(number) for number in np.frombuffer(vectors[-4 * DIMENSION :], "<f4")}
    found = {text for text in numbers if sum(map(str.isdigit, text)) >= LEAST_DIGITS}
    assert len(found) > 20
    return found


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, float):
        yield value


def betrayed(text: str, secrets: set[str]) -> list[str]:
    """Return what a text says of the faces."""
    return [each for each in sorted(secrets) if each in text] + WORDS.findall(text)


def test_the_file_of_the_faces_itself_would_be_noticed(people: People, secrets: set[str]) -> None:
    """So the search below can find something."""
    document = people.read("output", "private/us_faces.json").decode()

    assert len(betrayed(document, secrets)) > 20
    assert {"box", "landmarks", "expressions"} <= set(betrayed(json.dumps(document), secrets))


def test_no_log_says_anything_of_a_face(driver: Driver, secrets: set[str]) -> None:
    logs = {path.name: path.read_text() for path in Path(driver.cloud.logs).iterdir()}

    assert any("face-analyzer" in name and text for name, text in logs.items())
    assert any("face-embedder" in name and text for name, text in logs.items())
    assert {name: found for name, text in logs.items() if (found := betrayed(text, secrets))} == {}


def test_no_state_has_anything_of_a_face_in_its_input_or_output(
    driver: Driver, done: Execution, secrets: set[str]
) -> None:
    states = driver.cloud.client("stepfunctions")
    pages = states.get_paginator("get_execution_history").paginate(executionArn=done.arn)
    history = json.dumps([event for page in pages for event in page["events"]], default=str)

    assert "EmbedFaces" in history
    assert betrayed(history, secrets) == []


def test_the_announcement_has_counts(announced: dict[str, Any], secrets: set[str]) -> None:
    assert (announced["detail-type"], announced["detail"]["count"]) == ("Faces Ready", 2)
    assert betrayed(json.dumps(announced), secrets) == []


def test_the_record_and_the_row_have_counts(
    driver: Driver, people: People, done: Execution, secrets: set[str]
) -> None:
    record = people.record(KEY)
    row = driver.record(done.output["job_id"])

    assert (record["count"], record["embedded"], record["rejected"]) == (2, 1, 1)
    assert betrayed(json.dumps(record), secrets) == []
    assert betrayed(json.dumps(row), secrets) == []


def test_what_was_not_asked_for_is_not_made(driver: Driver, people: People) -> None:
    photo = png(painted((160, 80, 80, (250, 0, 0))))
    plain = people.ask(photo, "plain/us.png")

    assert people.published("plain/us") == ["_faces.json", "_faces.record.json"]
    work = driver.keys("work", prefix=f"faces/{plain.output['job_id']}/")
    assert [key.rpartition("/")[2] for key in work] == ["faces.json"]
    (face,) = json.loads(people.read("output", "plain/us_faces.json"))["faces"]
    assert {name for name, value in face.items() if value is not None} <= {
        "detection", "landmarks", "pose",
    }  # fmt: skip
    assert "EmbedFaces" not in driver.states_of(plain)


def test_a_photo_that_asked_for_no_vectors_has_none_beside_one_that_did(people: People) -> None:
    names = set(people.published("private/us"))
    assert names >= VECTORS

    people.ask(png(painted((160, 80, 80, (245, 0, 0)))), "other/us.png", preview="true")
    assert set(people.published("other/us")) & VECTORS == set()


def test_after_the_photo_is_deleted_no_bucket_says_anything_of_a_face(
    driver: Driver, people: People, secrets: set[str]
) -> None:
    """The last test: it deletes what the others read."""
    assert people.published("private/us")
    driver.s3.delete_object(Bucket=NAMES.bucket("ingest"), Key=KEY)
    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)

    for name in driver.cloud.blueprint.resources.buckets:
        bucket = NAMES.bucket(name)
        listed = driver.s3.list_object_versions(Bucket=bucket)
        for row in listed.get("Versions", ()):
            if name in {"models", "ingest"} or not row["Key"].startswith("private/"):
                continue
            content = driver.s3.get_object(
                Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"]
            )["Body"].read()
            assert betrayed(content.decode("latin-1"), secrets) == [], row["Key"]
        assert [row for row in listed.get("Versions", ()) if "us_faces" in row["Key"]
                and row["Key"].startswith("private/")] == []  # fmt: skip
