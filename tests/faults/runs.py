"""Runs of the collection machine, one for each of its states and each way to break it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.local.deployment import NAMES
from tests.conftest import ROOT
from tests.contracts.asl import load_machines
from tests.faults.kinds import KILLED, KINDS

if TYPE_CHECKING:
    from tests.faults.storm import Storm

MACHINE: Final = "collection"
PERSON: Final = "somebody"
PRINCIPAL: Final = "ad" * 16
# What asks for a run that passes a state; all other states are passed by a creation.
_ASKED: Final[Mapping[str, Mapping[str, Any]]] = {
    "ChangeAllowed": {"action": "allow", "allow": [PRINCIPAL]},
    "DescribeCollections": {"action": "enroll"},
    "FindFaces": {"action": "enroll"},
    "EnrollRecords": {"action": "enroll"},
    "EnrollPrefix": {"action": "enroll"},
    "CompactCollection": {"action": "compact", "force": True},
    "ForgetSubject": {"action": "forget", "person": PERSON},
    "ForgetPhotos": {"action": "forget", "person": PERSON},
    "ExportPerson": {"action": "export", "person": PERSON},
    "MoveCollection": {"action": "move", "to": "s3-vectors"},
    "DeleteCollection": {"action": "delete"},
    "Quarantine": {"action": "export"},  # of nobody
    "RecordQuarantine": {"action": "export"},
}
_ACTIONS: Final = {"EnrollPrefix": "enroll-prefix", "DescribeCollections": "describe"}
CONSENT: Final = {"purpose": "faults", "legal_basis": "a test", "retention_days": 30}
EMBEDDER: Final = "face-api-resnet34"


@dataclass(frozen=True)
class Run:
    """One run, and how one of its states is broken."""

    state: str
    service: str
    kind: str

    @property
    def collection(self) -> str:
        return f"c-{zlib.crc32(str(self).encode()):08x}"

    @property
    def photo(self) -> str:
        return f"runs/{self.state}/{self.kind}.png"

    @property
    def record(self) -> str:
        return f"{self.photo.removesuffix('.png')}_faces.record.json"

    @property
    def forgets(self) -> bool:
        """True if the run is about somebody who is in the collection before."""
        return self.action not in {"create", "enroll"} and not self.refused

    @property
    def refused(self) -> bool:
        return "Quarantine" in self.state

    @property
    def action(self) -> str:
        return str(self.asked["action"])

    @property
    def asked(self) -> dict[str, Any]:
        """The input of the machine."""
        asked = {**_ASKED.get(self.state, {"action": "create", "consent": CONSENT})}
        ways: Mapping[str, Mapping[str, Any]] = {
            "EnrollRecords": {"records": [self.record], "person": PERSON},
            "EnrollPrefix": {"prefix": self.record.removesuffix(".record.json")},
        }
        if asked["action"] == "enroll":
            asked.update(ways.get(self.state, {"photo": self.photo}))
        return {**asked, "collection": self.collection}

    def name(self, number: int) -> str:
        """The name of an execution: another for each time that it is tried."""
        return f"{self.collection}-{number}"

    @property
    def dies_of(self) -> str:
        """What the call of the state has, in the first execution, and no other call."""
        first = f':{self.name(1)}"'
        match self.state:
            case "CheckRequest":
                return f'{first}+"default_model"'
            case "ForgetPhotos":
                return f'{first}+"photos"'
            case _:
                action = _ACTIONS.get(self.state, self.action)
                return f'{first}+"{action}"+"asked_at"'

    def __str__(self) -> str:
        return f"{self.state}-{self.kind}"


def runs() -> tuple[Run, ...]:
    """Every Task of the machine, broken in every way."""
    (machine,) = (each for each in load_machines(ROOT / "state_machines") if each.name == MACHINE)
    return tuple(
        Run(task.name, task.service, kind)
        for task in machine.tasks
        for kind in KINDS
        if kind != KILLED or task.service == "lambda"
    )


def job(collection: str, action: str, **fields: Any) -> str:
    """A job of the vector index itself, as JSON."""
    return json.dumps(
        {
            "schema": 1,
            "action": action,
            "collection": collection,
            "execution": f"before-{collection}",
            "asked_by": "a test",
            "asked_at": datetime.now(UTC).isoformat(),
            "collections_bucket": NAMES.bucket("collections"),
            "vector_bucket": NAMES.vector_bucket("collections"),
            **fields,
        }
    )


def ask(storm: Storm, job: str) -> Any:
    """Give the vector index a job, and return its result or its error."""
    answer = storm.cloud.client("lambda").invoke(
        FunctionName=NAMES.function("vector-index"), Payload=job
    )
    return json.loads(answer["Payload"].read())
