"""A fault at every state of forget-photo in turn: tried again, it leaves nothing of the photo."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

import pytest

from pipeline.local.deployment import NAMES
from tests.conftest import ROOT
from tests.contracts.asl import load_machines
from tests.faces.stubs.script import Script
from tests.faults.injector import Spot
from tests.faults.kinds import HEALING, KILLED, KINDS
from tests.faults.runs import CONSENT, EMBEDDER, PERSON, ask, job
from tests.faults.storm import Storm

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(420),  # all deletions are waited for by the first test
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
MACHINE: Final = "forget-photo"
STATES: Final = tuple(
    task.name
    for machine in load_machines(ROOT / "state_machines")
    if machine.name == MACHINE
    for task in machine.tasks
)


@dataclass(frozen=True)
class Deletion:
    """A photo in a collection of its own, and the state that breaks when it is deleted."""

    state: str
    kind: str

    @property
    def key(self) -> str:
        return f"forgotten/{self.state}/{self.kind}.png"

    @property
    def collection(self) -> str:
        return f"d-{zlib.crc32(self.key.encode()):08x}"

    def __str__(self) -> str:
        return f"{self.state}-{self.kind}"


# A process that dies would die again: S3's event names no execution to tell the first try by.
DELETIONS: Final = tuple(
    Deletion(state, kind) for state in STATES for kind in KINDS if kind != KILLED
)


@pytest.fixture(scope="module")
def met(storm: Storm) -> dict[Deletion, int]:
    """How often each fault was met."""
    for each in DELETIONS:
        photo = Script(padding=each.key).photo()
        storm.drop(each.key, photo, product="faces", embed="true", embedder=EMBEDDER)
    storm.wait_for_calm()
    for each in DELETIONS:
        _enroll(storm, each)
    spots = {each: Spot(each.key, MACHINE, each.state) for each in DELETIONS}
    for each, spot in spots.items():
        storm.injector.plan[spot] = each.kind
        storm.delete(each.key)
    storm.wait_for_calm()
    found = {each: storm.injector.fired.pop(spot, 0) for each, spot in spots.items()}
    for spot in spots.values():
        del storm.injector.plan[spot]
    for each in DELETIONS:
        if each.kind not in HEALING:
            _again(storm, each)
    storm.wait_for_calm()
    return found


def _enroll(storm: Storm, each: Deletion) -> None:
    ask(storm, job(each.collection, "create", consent=CONSENT, model=EMBEDDER))
    record = f"{each.key.removesuffix('.png')}_faces.record.json"
    place: dict[str, Any] = {"output_bucket": NAMES.bucket("output"), "records": [record]}
    assert ask(storm, job(each.collection, "enroll", person=PERSON, **place))["enrolled"] == 1


def _again(storm: Storm, each: Deletion) -> None:
    """What Redrive does, and what an operator can do with the input of the execution."""
    detail = {"bucket": {"name": NAMES.bucket("ingest")}, "object": {"key": each.key}}
    storm.cloud.client("stepfunctions").start_execution(
        stateMachineArn=NAMES.machine_arn(MACHINE), input=json.dumps({"detail": detail})
    )


@pytest.mark.parametrize("each", DELETIONS, ids=str)
def test_every_fault_met_its_deletion(met: dict[Deletion, int], each: Deletion) -> None:
    assert met[each] > 0


@pytest.mark.parametrize("each", DELETIONS, ids=str)
def test_nothing_is_left_of_the_photo(
    storm: Storm, met: dict[Deletion, int], each: Deletion
) -> None:
    del met
    (collection,) = ask(storm, job(each.collection, "describe"))["collections"]
    stem = each.key.removesuffix(".png")
    files = storm.cloud.client("s3").list_object_versions(
        Bucket=NAMES.bucket("output"), Prefix=f"{stem}_faces"
    )

    assert collection["vectors"] == 0
    assert [*files.get("Versions", ()), *files.get("DeleteMarkers", ())] == []
