"""Collections at the browser's edge, answered as the API does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.page.faces import DESCRIBED, Files, done, files_of, found
from tests.page.user import User

JOB: Final = "upload"  # the id of the one job that is served
THRESHOLD: Final = 0.62


def collection(name: str, *may: str, model: str = "facenet-vggface2") -> dict[str, Any]:
    return {
        "name": name, "purpose": "Photos of the summer party", "legal_basis": "Consent",
        "retention_days": 365, "model": model, "backend": "segments", "index": "flat",
        "vectors": 4210, "forgotten": 0, "erase_within_days": 7,
        "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-02T00:00:00Z",
        "may": list(may),
    }  # fmt: skip


STAFF: Final = collection("staff", "search", "manage")
GUESTS: Final = collection("guests", "search", model="face-api-resnet34")


def match(similarity: float, person: str | None, name: str, face: int = 0) -> dict[str, Any]:
    return {
        "similarity": similarity, "person": person, "key": f"staff/{name}", "face": face,
        "box": None, "enrolled_at": "2026-03-04T12:00:00Z",
    }  # fmt: skip


# Of the three faces, the first has candidates, the second none, and the third has no vector.
ANSWER: Final[dict[str, Any]] = {
    "search": "s-1",
    "threshold": THRESHOLD,
    "searched": 4210,
    "queries": [
        {
            "face": 0,
            "box": None,
            "matches": [
                match(0.716, None, "stage-left.jpg", 2),
                match(0.938, "P-0412", "badge-0412.jpg"),
                match(0.629, "P-0077", "summer-day.jpg"),
            ],
        },
        {"face": 1, "box": None, "matches": []},
    ],
}
RECEIPT: Final = {
    "action": "forget", "forgotten": 3, "photos": ["staff/badge-0412.jpg"],
    "erased_by": "2026-12-07T12:00:00Z", "receipt": {"bucket": "b", "key": "receipts/staff/f"},
}  # fmt: skip
ADDED: Final = {"enrolled": 1, "known": 0, "skipped": [], "vectors": 4211}


def problem(name: str, status: int, **more: Any) -> dict[str, Any]:
    return {"type": f"#{name.lower()}", "title": name, "status": status, **more}


VECTORS: Final = json.dumps(
    {"faces": [{"face": 0, "row": 0}, {"face": 1, "row": 1}, {"face": 2, "row": None},
               {"face": None, "row": 2}]}
).encode()  # fmt: skip
EMBEDDED: Final[Files] = files_of(DESCRIBED) | {
    "group_faces.embeddings.safetensors": ("embeddings", "application/octet-stream", b"vectors"),
    "group_faces.embeddings.json": ("embedded", "application/json", VECTORS),
}
# `window.collections` is what is listed, `window.search` what a search is answered with, and
# `window.action` how far the one action is; each of them may be a problem.
_SERVICE: Final = """
const real = window.fetch
window.told = []
const answer = (body, status = body?.status ?? 200) => new Promise((resolve) =>
  setTimeout(() => resolve(Response.json(body, { status, headers: { 'retry-after': '1' } })), 50))
window.fetch = async (path, options = {}) => {
  const ask = new URL(path, location.href).pathname.slice(1)
  const [, rest] = /^api.collections(.*)$/.exec(ask) ?? []
  if (rest === undefined) return real(path, options)
  const { method, body } = options
  window.told.push([method, rest, body && JSON.parse(body)])
  const { collections: all } = window
  if (rest === '') return answer(Array.isArray(all) ? { items: all } : all)
  if (/searches$/.test(rest)) {
    if (window.cut) throw new TypeError('no network')
    return answer(window.search)
  }
  if (/actions/.test(rest)) return answer(window.action)
  if (window.refuse_action) return answer(window.refuse_action)
  return answer({ action: { id: 'a-1', state: 'running' } }, 202)
}
"""


@contextmanager
def collections(user: User, listed: object, search: object = ANSWER) -> Iterator[None]:
    """Open the page before a service that has these collections, too."""
    given = {"collections": listed, "search": search, "action": {"id": "a-1", "state": "running"}}
    source = f"(function () {{{_SERVICE}}}).apply(null);Object.assign(window, {json.dumps(given)})"
    added = user.command("Page.addScriptToEvaluateOnNewDocument", source=source)
    try:
        user.open()
        yield
    finally:
        user.command("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def say(user: User, name: str, value: object) -> None:
    """Let the service answer otherwise from now on."""
    user.run("window[arguments[0]] = arguments[1]", name, value)


def told(user: User, method: str = "POST") -> list[Any]:
    """Return what collections were asked: the path and the body of each request."""
    asked = user.run("return window.told")
    return [[path, body] for given, path, body in asked if given == method]


def opened(user: User, files: Files = EMBEDDED) -> None:
    """Add the photo, and open what finds its faces in a collection."""
    found(user, done(files))
    user.find(".row").click()
    user.find("#mode-search").click()
    user.find(".find-in")


def searched(user: User, files: Files = EMBEDDED) -> None:
    opened(user, files)
    user.button("Search for these faces").click()
    user.find(".candidates")
