"""Which case breaks what. The states come out of the state machines themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.conftest import ROOT
from tests.contracts.asl import Machine, State, load_machines
from tests.contracts.shared_states import SHARED
from tests.faults.kinds import KILLED, KINDS

# `backfill` starts executions of products, and every upload of its own is one of those. `reap-jobs`
# works for no upload: `test_reaper.py`. Nor do `collection` and `forget-photo`, which have files of
# their own.
PHOTOS: Final = "cutout"
FACES: Final = "faces"
RECORDINGS: Final = "transcript"
PRODUCTS: Final = (PHOTOS, FACES, RECORDINGS)
ON_BATCH: Final = "run-on-batch"
MACHINES: Final = (*PRODUCTS, "stage-weights", ON_BATCH, "record-failure")

# How an upload comes to pass a state that a good first one does not pass.
SCENARIOS: Final = {
    ("transcript", "FindOutput"): "twice",
    ("transcript", "StageWeights"): "incomplete",
    ("faces", "StageWeights"): "incomplete",
    ("faces", "ForgetPhoto"): "gone",
    ("cutout", "HandOver"): "other media",
    ("cutout", "FindFirstResult"): "twice",
    ("cutout", "FindRecord"): "twice",
    ("cutout", "ReleaseFirst"): "put back",
    ("cutout", "Quarantine"): "refused",
    ("cutout", "RecordQuarantine"): "refused",
    ("cutout", "RecordFailure"): "too small",
    ("cutout", "StageWeights"): "unstaged",
    ("stage-weights", "StageModel"): "unstaged",
    ("cutout", "RunRemoveBackground"): "on batch",
    ("transcript", "RunTranscribe"): "on batch",
    ("transcript", "RunDiarize"): "on batch",
    ("transcript", "RunAlignWords"): "on batch",
    (ON_BATCH, "WriteJob"): "on batch",
    (ON_BATCH, "RunJob"): "on batch",
    (ON_BATCH, "ReadOutcome"): "on batch",
    ("record-failure", "FindJob"): "red",
    ("record-failure", "RecordFailure"): "red",
    ("record-failure", "NoteSource"): "red",
}
GOOD: Final = "good"


@dataclass(frozen=True)
class Place:
    """A Task state, and the service it calls."""

    machine: str
    state: str
    service: str


@dataclass(frozen=True)
class Case:
    """One upload, and what happens to it where."""

    place: Place
    kind: str

    @property
    def scenario(self) -> str:
        return SCENARIOS.get((self.place.machine, self.place.state), GOOD)

    @property
    def key(self) -> str:
        suffix = "mp3" if self.place.machine == RECORDINGS else "png"
        return f"faults/{self.place.machine}/{self.place.state}/{self.kind}.{suffix}"

    @property
    def model(self) -> str:
        """The model of an unstaged photo: one that nobody else stages."""
        return f"{self.place.state.lower()}-{self.kind.replace('_', '-')}"

    def __str__(self) -> str:
        return f"{self.place.machine}-{self.place.state}-{self.kind}"


def places() -> tuple[Place, ...]:
    """Every Task of the machines that touch an upload; what products share, in one of them only."""
    return tuple(
        Place(machine.name, task.name, task.service)
        for machine in machines()
        for task in machine.tasks
        if machine.name in (_home(machine, task), *MACHINES[len(PRODUCTS) :])
    )


def machines() -> tuple[Machine, ...]:
    """The machines that touch an upload, in the order of the plan."""
    found = {machine.name: machine for machine in load_machines(ROOT / "state_machines")}
    return tuple(found[name] for name in MACHINES)


def _home(machine: Machine, task: State) -> str:
    """The product in whose machine a task is broken.

    A state that products share is broken with photos, which take less time; one in a Map with
    recordings, which have several outputs.
    """
    around = [each.name for each in machine.enclosing(task)]
    if not {task.name, *around} & set(SHARED):
        return machine.name
    return RECORDINGS if around else PHOTOS


def cases() -> tuple[Case, ...]:
    """Every place broken in every way; only a function and a job have a process to kill."""
    return tuple(
        Case(place, kind)
        for place in places()
        for kind in KINDS
        if kind != KILLED or place.service in {"lambda", "batch"}
    )
