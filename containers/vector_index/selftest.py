"""`python -m containers.vector_index.selftest`: a vector is enrolled, found, forgotten, erased."""

from __future__ import annotations

import functools
import hashlib
import operator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from containers.vector_index.handler import handler
from containers.vector_index.tasks import TASKS
from pipeline.artifacts import Location
from pipeline.contracts.collection_searches import Searched
from pipeline.contracts.contract import Job
from pipeline.selftest import Trial, selftest
from pipeline.workbench import TaskContext

GOLDEN: Final = Path(__file__).parent / "golden"
PHOTO: Final = b"a photo"
CONSENT: Final = {"purpose": "self-test", "legal_basis": "none needed", "retention_days": 1}


def check(trial: Trial) -> None:
    trial.run(handler, Searched)
    trial.put(Location("ingest", "photo.jpg"), PHOTO)
    stored = (GOLDEN / "query.safetensors").read_bytes()
    file = {
        "vectors": trial.put(Location("work", "vectors/query.safetensors"), stored).model_dump(),
        "model": "golden",
        "weights_sha256": "00" * 32,
        "same_above": 0.9,
    }
    entry = {
        "row": 0,
        "bucket": "ingest",
        "key": "photo.jpg",
        "sha256": hashlib.sha256(PHOTO).hexdigest(),
        "subject": 0,
        "person": "anna",
    }
    search = {"action": "search", "scope": "collection", "output_bucket": "output", "query": file}

    _ask(trial, action="create", consent=CONSENT, model="golden")
    enrolled = _ask(trial, action="enroll", file=file, entries=[entry])
    found = _ask(trial, **search)
    forgotten = _ask(trial, action="forget", person="anna", ingest_bucket="ingest")
    missed = _ask(trial, **search)
    compacted = _ask(trial, action="compact", force=True)
    deleted = _ask(trial, action="delete")

    trial.expect("enrolled", enrolled.enrolled, 1)
    trial.expect("found", [each.person for each in found.queries[0].matches], ["anna"])
    trial.expect("forgotten", forgotten.forgotten, 1)
    trial.expect("missed", (missed.searched, missed.queries[0].matches), (0, ()))
    trial.expect("erased", (compacted.erased, compacted.vectors), (1, 0))
    trial.expect("deleted", deleted.collection, "selftest")


def _ask(trial: Trial, **fields: Any) -> Any:  # noqa: ANN401 - each job has its result
    """Give a job to its task, and return the result."""
    jobs: TypeAdapter[Job] = TypeAdapter(functools.reduce(operator.or_, TASKS))
    common = {
        "schema": 1,
        "execution": f"selftest-{fields['action']}",
        "asked_by": "selftest",
        "asked_at": datetime.now(UTC),
        "collections_bucket": "collections",
        "vector_bucket": "none",
        "collection": "selftest",
    }
    job = jobs.validate_python(common | fields)
    return TASKS[type(job)](job, TaskContext(trial.bench))


if __name__ == "__main__":
    selftest("vector-index", check)
