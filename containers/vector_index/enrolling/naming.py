"""Name the person of a photo: as the job says, or after the photo's folder or file."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter, ValidationError

from containers.vector_index.enrolling.records import Skipped
from pipeline.contracts.collection import Person
from pipeline.contracts.collection_enrolments import EnrollRecords
from pipeline.errors import InvalidOptions

_PERSON: Final = TypeAdapter[str](Person)


def person_of(key: str, job: EnrollRecords) -> str | None:
    """Return the person that all faces of a photo become; None if the job names nobody.

    A photo without a folder is nobody's by its folder. Raises InvalidOptions if the job names a
    person in two ways, and Skipped if the folder or file cannot be a person's id.
    """
    if job.person_from is None:
        return job.person
    if job.person is not None:
        raise InvalidOptions("give a person or where to take it from, not both")
    folder, _, file = key.rpartition("/")
    named = folder.rpartition("/")[2] if job.person_from == "folder" else file.partition(".")[0]
    if not named:
        return None
    try:
        return _PERSON.validate_python(named)
    except ValidationError:
        raise Skipped("no id") from None
