"""Events that come twice, late, in the wrong order or not at all; files that change under them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any, Final

import pytest

from pipeline.artifacts import Location
from pipeline.local.deployment import NAMES
from pipeline.operations.verdicts import LOST
from tests.faults.injector import Spot
from tests.faults.plan import PHOTOS, RECORDINGS
from tests.faults.storm import Storm
from tests.pictures import png, square, unpng
from tests.transcripts.stubs.script import Script

pytestmark = pytest.mark.faults

INGEST: Final = NAMES.bucket("ingest")
LEFT: Final = png(square(left=8))
RIGHT: Final = png(square(left=56))


def recording(words: str) -> bytes:
    return Script(windows=2, padding=words).recording()


@pytest.mark.parametrize(
    ("machine", "key", "content"),
    [
        (PHOTOS, "events/five.png", LEFT),
        (RECORDINGS, "events/five.mp3", recording("five")),
        (PHOTOS, "events/nameless", recording("five, of no suffix")),
    ],
    ids=["photo", "recording", "handed over"],
)
def test_one_event_delivered_five_times_is_one_inference(
    storm: Storm, machine: str, key: str, content: bytes
) -> None:
    storm.drop(key, content)
    (event,) = _events(storm, key)

    for _ in range(4):
        storm.deliver(event, machine=machine)
    storm.wait_for_calm()

    assert _ends(storm, key) == Counter({"DONE": 1, "DUPLICATE": 4})


def test_executions_started_for_one_photo_at_once_are_one_inference(storm: Storm) -> None:
    with storm.silence():
        storm.drop("events/at-once.png", LEFT)

    for _ in range(4):
        storm.deliver({"bucket": INGEST, "key": "events/at-once.png"})
    storm.wait_for_calm()

    assert _ends(storm, "events/at-once.png") == Counter({"DONE": 1, "DUPLICATE": 3})


def test_an_event_that_comes_after_that_of_its_replacement_undoes_nothing(storm: Storm) -> None:
    key = "events/late.png"
    with storm.silence():
        storm.drop(key, LEFT)
        storm.drop(key, RIGHT)
    early, late = _events(storm, key)

    storm.deliver(late)
    storm.wait_for_calm()
    storm.deliver(early)
    storm.wait_for_calm()

    assert _ends(storm, key) == Counter({"DONE": 1, "QUARANTINED": 1})
    assert _alpha(storm, "events/late_bg_removed.png")[48, 72] == 255
    assert _alpha(storm, "events/late_bg_removed.png")[48, 24] == 0


def test_a_photo_replaced_while_it_is_worked_on_is_not_published(storm: Storm) -> None:
    key = "events/replaced.png"
    spot = Spot(key, "cutout", "RemoveBackground")
    storm.injector.surprises[spot] = lambda: storm.drop(key, RIGHT)

    storm.drop(key, LEFT)
    storm.wait_for_calm()

    states = [
        verdict.state for each, verdict in storm.take_stock().verdicts if each.source.key == key
    ]
    assert states == ["QUARANTINED", "DONE"]
    assert _alpha(storm, "events/replaced_bg_removed.png")[48, 72] == 255


@pytest.mark.parametrize("times", [3, 4, 5])
def test_photos_that_take_turns_under_one_key_leave_the_last_one(storm: Storm, times: int) -> None:
    """All at once, each waiting for nothing: whatever order they end in, the latest stays."""
    key = f"events/turns-{times}.png"
    for turn in range(times):
        storm.drop(key, (LEFT, RIGHT)[turn % 2])
    storm.wait_for_calm()

    last_is_left = times % 2 == 1
    alpha = _alpha(storm, f"events/turns-{times}_bg_removed.png")
    assert bool(alpha[48, 24]) is last_is_left
    assert bool(alpha[48, 72]) is not last_is_left
    assert storm.take_stock().findings == []


def test_a_recording_replaced_while_it_is_transcribed_is_not_published(storm: Storm) -> None:
    key, later = "events/replaced.mp3", recording("the later")
    spot = Spot(key, RECORDINGS, "Transcribe")
    storm.injector.surprises[spot] = lambda: storm.drop(key, later)

    storm.drop(key, recording("the earlier"))
    storm.wait_for_calm()

    assert _ends(storm, key) == Counter({"QUARANTINED": 1, "DONE": 1})
    record = json.loads(_output(storm, "events/replaced_transcript.record.json"))
    assert record["source"]["etag"] == hashlib.md5(later, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", ["lost.png", "lost.mp3", "misnamed.jpeg"])
def test_a_file_whose_event_never_came_is_found_and_processed(storm: Storm, name: str) -> None:
    key = f"events/{name}"
    with storm.silence():
        storm.drop(key, LEFT if name == "lost.png" else recording(name))

    found = storm.clear_up()

    lost = [finding.lost for finding in found.findings if finding.kind == LOST]
    assert [each.source.key for each in lost if each] == [key]
    assert storm.take_stock().findings == []
    assert _ends(storm, key) == Counter({"DONE": 1})


def _events(storm: Storm, key: str) -> list[dict[str, Any]]:
    """The events S3 sends for every version of a key, oldest first."""
    listed = storm.cloud.client("s3").list_object_versions(Bucket=INGEST, Prefix=key)["Versions"]
    return [
        {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": {
                "bucket": {"name": INGEST},
                "object": {
                    "key": row["Key"],
                    "etag": row["ETag"].strip('"'),
                    "version-id": row["VersionId"],
                },
            },
        }
        for row in reversed(listed)
    ]


def _ends(storm: Storm, key: str) -> Counter[str]:
    """How every execution of a key ended, whichever version it was for."""
    told = [each for each, _ in storm.take_stock().verdicts if each.source.key == key]
    return Counter(execution.verdict for each in told for execution in each.executions)


def _output(storm: Storm, key: str) -> bytes:
    place = Location(NAMES.bucket("output"), key)
    content: bytes = (
        storm.cloud.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    )
    return content


def _alpha(storm: Storm, key: str) -> Any:
    return unpng(_output(storm, key))[..., 3]
