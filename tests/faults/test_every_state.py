"""A fault at every state of every machine in turn, and what became of each upload."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pytest

from pipeline.declared.products import load_products
from pipeline.operations.auditing import Audit
from pipeline.operations.jobs_table import DELETED
from pipeline.operations.verdicts import DOUBLED, LOST, STUCK, UNRECORDED
from tests.conftest import ROOT
from tests.contracts.shared_states import SHARED, ProductMachine, differences
from tests.faces.stubs import script as faces_script
from tests.faults.accounts import ENDS, disagreements
from tests.faults.injector import Spot
from tests.faults.kinds import HEALING, KILLED
from tests.faults.plan import (
    FACES,
    GOOD,
    PHOTOS,
    PRODUCTS,
    RECORDINGS,
    SCENARIOS,
    Case,
    Place,
    cases,
    machines,
    places,
)
from tests.faults.storm import Storm
from tests.pictures import png, square
from tests.transcripts.stubs.script import EXIT, ONCE, Script

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),  # all uploads are waited for by the first test
    # A thread of moto's that waits for a nested execution falls over when its state is cut short.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

PHOTO: Final = png(square())
OTHER: Final = png(square(left=56))
NOTHING_IN_IT: Final = png(np.zeros((96, 96, 3), dtype=np.uint8))
ALIGNER: Final = "wav2vec2-base-960h"
ASKED_FOR: Final = {
    "Denoise": {"denoise": "true"},
    "AlignWords": {"align": ALIGNER},
    "Diarize": {"diarize": "true"},
    "TagAudio": {"tags": "true"},
    "RunTranscribe": {"compute": "batch"},
    "RunDiarize": {"compute": "batch", "diarize": "true"},
    "RunAlignWords": {"compute": "batch", "align": ALIGNER},
    "EmbedFaces": {"embed": "true"},
}
DIES_AS: Final = {
    "Denoise": "deepfilternet3",
    "Transcribe": "whisper-base/0",
    "AlignWords": f"{ALIGNER}/0",
    "Diarize": "pyannote-campplus/0",
    "TagAudio": "efficientat-mn10-as",
}
UNDISTURBED: Final = {
    GOOD: "DONE",
    "on batch": "DONE",
    "unstaged": "DONE",
    "twice": "DUPLICATE",
    "put back": "DONE",
    "refused": "QUARANTINED",
    "too small": "FAILED",
    "red": "FAILED",
    "other media": "DONE",
    "incomplete": "DONE",
    "gone": "QUARANTINED",
}


def recording(case: Case) -> Script:
    """A recording that passes the case's state, and kills the process there if the case does."""
    fails = {}
    if case.scenario == "incomplete":
        fails = {"whisper-base/0": f"{ONCE}WeightsNotStaged"}
    if case.kind == KILLED and case.place.state in DIES_AS:
        fails = {DIES_AS[case.place.state]: EXIT}
    return Script(windows=1 if case.scenario == "on batch" else 2, fails=fails, padding=case.key)


@dataclass(frozen=True)
class Aftermath:
    """What there was before anybody cleared up, and after."""

    before: Audit
    after: Audit
    spots: dict[Case, Spot]

    def state(self, case: Case) -> str:
        """How the case's upload ended: the last version of it, where it was dropped twice."""
        ends = [
            verdict.state for each, verdict in self.after.verdicts if each.source.key == case.key
        ]
        return ends[-1]


@pytest.fixture(scope="module")
def aftermath(storm: Storm) -> Aftermath:
    for case in cases():
        if case.scenario in {"twice", "put back"}:
            _drop(storm, case)
    storm.wait_for_calm()
    for case in cases():
        if case.scenario == "put back":
            storm.drop(case.key, OTHER)
    storm.wait_for_calm()
    spots = {case: storm.plan(case) for case in cases()}
    for case in cases():
        if case.scenario == "gone":
            spot = Spot(case.key, FACES, "PublishRecord")
            storm.injector.surprises[spot] = partial(storm.delete, case.key)
    for case in cases():
        _drop(storm, case)
    storm.wait_for_calm()
    before = storm.clear_up()
    return Aftermath(before, storm.take_stock(), spots)


def faces(case: Case) -> faces_script.Script:
    """A photo that passes the case's state of the faces machine."""
    fails = {}
    if case.scenario == "incomplete":
        fails = {"face-api-ssd": f"{ONCE}WeightsNotStaged"}
    return faces_script.Script(fails=fails, padding=case.key)


def _drop(storm: Storm, case: Case) -> None:
    if case.place.machine == RECORDINGS:
        asked_for = ASKED_FOR.get(case.place.state, {})
        storm.drop(case.key, recording(case).recording(), **asked_for)
        return
    if case.place.machine == FACES:
        asked_for = ASKED_FOR.get(case.place.state, {})
        storm.drop(case.key, faces(case).photo(), product="faces", **asked_for)
        return
    match case.scenario:
        case "other media":
            storm.drop(case.key, Script(padding=case.key).recording())
        case "refused":
            storm.drop(case.key, NOTHING_IN_IT)
        case "too small":
            storm.drop(case.key, PHOTO, model="hungry", compute="lambda")
        case "red":
            storm.drop(case.key, PHOTO, refine="none", outputs="cutout", model="buggy")
        case "on batch":
            storm.drop(case.key, PHOTO, compute="batch")
        case "unstaged":
            storm.drop(case.key, PHOTO, model=case.model)
        case _:
            storm.drop(case.key, PHOTO)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_an_upload_ends_in_exactly_one_state(aftermath: Aftermath, case: Case) -> None:
    also = {DELETED} if case.scenario == "gone" else set()  # with its photo, once it was done
    assert aftermath.state(case) in ENDS | also


@pytest.mark.parametrize("case", [case for case in cases() if case.kind in HEALING], ids=str)
def test_a_passing_fault_is_got_over(aftermath: Aftermath, case: Case) -> None:
    assert aftermath.state(case) == UNDISTURBED[case.scenario]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_every_fault_met_its_upload(storm: Storm, aftermath: Aftermath, case: Case) -> None:
    """Where it did not, no upload passes the state: `plan.SCENARIOS` has to say how one does."""
    assert storm.injector.fired[aftermath.spots[case]] > 0


def test_every_product_has_its_machine_in_the_plan() -> None:
    assert {product.machine for product in load_products(ROOT)} == set(PRODUCTS)


def test_what_is_left_out_of_a_machine_is_broken_in_another_that_has_the_same() -> None:
    """A state that differs in more than the products' names is broken in each machine."""
    first, *others = (
        ProductMachine(product, machine)
        for product in load_products(ROOT)
        for machine in machines()
        if machine.name == product.machine
    )
    broken = set(places())

    assert [list(differences(first, other)) for other in others] == [[]] * len(others)
    for machine in machines():
        for task in machine.tasks:
            if Place(machine.name, task.name, task.service) not in broken:
                outermost = [task, *machine.enclosing(task)][-1]
                assert machine.name in PRODUCTS
                assert outermost.name in SHARED
                homes = {place.machine for place in broken if place.state == task.name}
                assert homes & set(PRODUCTS) == {RECORDINGS if outermost != task else PHOTOS}


def test_a_scenario_is_told_for_states_that_there_are() -> None:
    assert SCENARIOS.keys() <= {(place.machine, place.state) for place in places()}


def test_nothing_is_lost_and_nothing_doubled(aftermath: Aftermath) -> None:
    assert aftermath.before.count(LOST) == 0
    assert aftermath.before.count(DOUBLED) == 0
    assert aftermath.after.findings == []


def test_what_needs_clearing_up_is_held_by_nobody_or_not_said(aftermath: Aftermath) -> None:
    assert {finding.kind for finding in aftermath.before.findings} <= {STUCK, UNRECORDED}


def test_every_failure_has_a_name(aftermath: Aftermath) -> None:
    nameless = [
        each.source.key
        for each, verdict in aftermath.after.verdicts
        if verdict.state in {"FAILED", "QUARANTINED"} and not verdict.error
    ]

    assert nameless == []


def test_buckets_and_table_tell_the_same_story(storm: Storm, aftermath: Aftermath) -> None:
    del aftermath

    assert disagreements(storm) == []
