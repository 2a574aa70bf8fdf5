"""Which case breaks what. The states come out of the state machines themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.conftest import ROOT
from tests.contracts.asl import load_machines
from tests.faults.kinds import KILLED, KINDS

# `backfill` starts executions of `cutout`, and every photo of its own is one of those. `reap-jobs`
# works for no photo: `test_reaper.py`.
MACHINES: Final = ("cutout", "stage-weights", "record-failure")

# How a photo comes to pass a state that a good first photo does not pass.
SCENARIOS: Final = {
    ("cutout", "FindFirstResult"): "twice",
    ("cutout", "FindRecord"): "twice",
    ("cutout", "FindOutput"): "twice",
    ("cutout", "ReleaseFirst"): "put back",
    ("cutout", "Quarantine"): "refused",
    ("cutout", "RecordQuarantine"): "refused",
    ("cutout", "RecordFailure"): "too small",
    ("cutout", "StageWeights"): "unstaged",
    ("stage-weights", "StageModel"): "unstaged",
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
    """One photo, and what happens to it where."""

    place: Place
    kind: str

    @property
    def scenario(self) -> str:
        return SCENARIOS.get((self.place.machine, self.place.state), GOOD)

    @property
    def key(self) -> str:
        return f"faults/{self.place.machine}/{self.place.state}/{self.kind}.png"

    @property
    def model(self) -> str:
        """The model of an unstaged photo: one that nobody else stages."""
        return f"{self.place.state.lower()}-{self.kind.replace('_', '-')}"

    def __str__(self) -> str:
        return f"{self.place.machine}-{self.place.state}-{self.kind}"


def places() -> tuple[Place, ...]:
    """Every Task of the machines that touch a photo."""
    machines = {machine.name: machine for machine in load_machines(ROOT / "state_machines")}
    return tuple(
        Place(name, task.name, task.service) for name in MACHINES for task in machines[name].tasks
    )


def cases() -> tuple[Case, ...]:
    """Every place broken in every way; only a Lambda function has a process to kill."""
    return tuple(
        Case(place, kind)
        for place in places()
        for kind in KINDS
        if kind != KILLED or place.service == "lambda"
    )
