"""Photos of people, jobs with their vectors, and collections, on the running cloud."""

from __future__ import annotations

from typing import Any, Final

from containers.http_api.principal import identify
from tests.embedding_models import PARTS
from tests.execution.api import User, done
from tests.face_models import painted
from tests.pictures import png

WHY: Final = {"purpose": "find staff", "legal_basis": "consent", "retention_days": 30}
_SIDE: Final = 80  # pixels of a face that both test models find
_PART: Final = _SIDE // PARTS


def photo(*marks: int) -> bytes:
    """Return a photo with a face for each mark, at most two: those of one mark are alike."""
    squares: list[tuple[int, int, int, tuple[int, int, int]]] = []
    for left, mark in zip((40, 200), marks, strict=False):
        down, across = divmod(mark, PARTS)
        squares += [(left, 80, _SIDE, (255, 0, 0))]
        squares += [(left + across * _PART, 80 + down * _PART, _PART, (255, 80, 0))]
    return png(painted(*squares))


def embedded(user: User, *marks: int, name: str = "us.png") -> dict[str, Any]:
    """Upload a photo of these faces, and return the job that made their vectors."""
    found = done(user, photo(*marks), name=name, product="faces", options={"embed": True})
    assert found["state"] == "done", found
    return found


def ended(operator: User, name: str, answer: Any) -> dict[str, Any]:
    """Return an action that was asked for, once it has ended."""
    assert answer.status == 202, answer.data
    path = f"/collections/{name}/actions/{answer.json()['action']['id']}"
    while (told := operator.ask("GET", path, prefer="wait=20").json())["state"] == "running":
        pass
    return dict(told)


def created(operator: User, name: str, *allowed: User) -> str:
    """Create a collection that these users may search; return its name."""
    names = [identify({"lambda": {"principal": each.name}}).name for each in allowed]
    asked = {"name": name, **WHY, "allowed": names}
    told = ended(operator, name, operator.ask("POST", "/collections", body=asked))
    assert (told["state"], told["result"]) == ("done", {"created": True}), told
    return name


def enrolled(operator: User, name: str, job: str, person: str) -> dict[str, Any]:
    path, body = f"/collections/{name}/enrollments", {"job_id": job, "person": person}
    told = ended(operator, name, operator.ask("POST", path, body=body))
    assert told["state"] == "done", told
    return told


def found(user: User, name: str, job: str, **more: Any) -> list[dict[str, Any]]:
    """Return the matches of the one face of a job."""
    path, body = f"/collections/{name}/searches", {"job_id": job, **more}
    answer = user.ask("POST", path, body=body)
    assert answer.status == 200, answer.data
    (query,) = answer.json()["queries"]
    return list(query["matches"])
