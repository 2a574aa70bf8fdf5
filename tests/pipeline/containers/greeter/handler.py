"""Ten ways a task can end, and an API, not yet decorated."""

import threading
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from pipeline import errors
from pipeline.contracts.contract import Job, PublishedJob, Result
from pipeline.errors import NoSubject, WeightsClaimed
from pipeline.model_context import catalogue_of
from pipeline.observed import Call
from pipeline.parallel import each
from pipeline.workbench import Settings, TaskContext


class Greet(Job):
    name: str
    execution: str = "unnamed"
    job_id: str = "unnamed"


class Portray(PublishedJob):
    """The last task of a product."""


class Greeted(Result):
    greeting: str = Field(alias="text")


def greet(job: Greet, context: TaskContext) -> Greeted:
    context.note(language="English")
    with context.timed("greet"):
        return Greeted(greeting=f"Hello {job.name}", metrics={"letters": len(job.name)})


def refuse(_job: Greet, context: TaskContext) -> Greeted:
    context.note(looked="everywhere")
    raise NoSubject("nobody is there")


def wait(_job: Greet, _context: TaskContext) -> Greeted:
    raise WeightsClaimed("somebody else is at it")


def overeat(_job: Greet, _context: TaskContext) -> Greeted:
    raise MemoryError


def stumble(_job: Greet, _context: TaskContext) -> Greeted:
    raise ZeroDivisionError("a bug")


def fail(job: Greet, _context: TaskContext) -> Greeted:
    """Raise the error that the job names."""
    error: type[Exception] = getattr(errors, job.name)
    raise error("for a test")


def licence(job: Greet, context: TaskContext) -> Greeted:
    return Greeted(greeting=catalogue_of(context.bench).row(job.name).licence)


def hurry(_job: Greet, context: TaskContext) -> Greeted:
    return Greeted(greeting="Quick!", metrics={"ends_at": context.ends_at})


def gather(_job: Greet, _context: TaskContext) -> Greeted:
    """Greet from every thread at the same time, or break the barrier."""
    together = threading.Barrier(3)
    each(range(3), lambda _: together.wait(timeout=5))
    return Greeted(greeting="Together!")


class Doorbell:
    """An API that answers with the path of the request."""

    built: ClassVar[list[tuple[Path, Settings]]] = []

    def answer(self, request: dict[str, Any], _call: Call) -> dict[str, Any]:
        body = request["rawPath"]
        return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": body}


def greet_over_http(root: Path, settings: Settings) -> Doorbell:
    Doorbell.built.append((root, settings))
    return Doorbell()


def replace_photo(job: Portray, context: TaskContext) -> Greeted:
    context.store.write(job.source.location, b"another photo", media_type="")
    return Greeted(greeting="Look!")
