"""Find the vectors of a caller's own jobs: the output records of `faces` with embeddings."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from containers.http_api.current import Current
from containers.http_api.errors import NoVectors, WrongFields
from containers.http_api.views import STATES
from pipeline.contracts.contract import no_truth_value
from pipeline.operations.following import result_of
from pipeline.operations.jobs_table import DONE
from pipeline.operations.verdicts import DUPLICATE

_FACES: Final = "faces"

Face = Annotated[int, Field(ge=0, lt=500), BeforeValidator(no_truth_value)]


def vectors_of(current: Current, name: str, field: str, *, may_be_empty: bool = False) -> str:
    """Return the key of the output record of a job of `faces` that has vectors.

    With `may_be_empty`, none of its faces needs to have one: they may be too small.

    Raises NoSuchJob for one that is not the caller's, and WrongFields, which names `field`, with
    NoVectors.
    """
    found = current.find_job(name)
    if found.state not in {DONE, DUPLICATE}:
        raise _none(f"the job {name!r:.100} is {STATES[found.state]}", field)
    result = result_of(current.site, found)
    if result is None:
        raise _none(f"the results of the job {name!r:.100} were deleted or replaced", field)
    if not result.record.key.startswith(current.principal.visible):
        raise ValueError(f"{result.record.uri} is a record outside of its owner's keys")
    if result.stated.get("product") != _FACES:
        raise _none(f"the job {name!r:.100} is not one of faces", field)
    if result.stated.get("embedder") is None:
        raise _none(f"the job {name!r:.100} was made without the option embed", field)
    if not result.stated.get("embedded") and not may_be_empty:
        raise _none(f"no face of the job {name!r:.100} is large and clear enough", field)
    return result.record.key


def _none(says: str, field: str) -> WrongFields:
    return WrongFields.one(NoVectors(says), field)
