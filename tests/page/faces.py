"""A photo of three faces, and a service at the browser's edge that answers as the API does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from pipeline.contracts.faces import FacesDocument
from tests.page.user import User
from tests.pictures import png

NAME: Final = "group.png"
WIDTH: Final = 480
HEIGHT: Final = 320
# x, y, width, height; by falling score, as in the service's file. The third is in front of the
# second; the first reaches outside the photo.
BOXES: Final = ((-20, 60, 140, 160), (200, 40, 180, 200), (300, 150, 50, 60))
COLOURS: Final = ((200, 60, 60), (60, 160, 60), (60, 60, 200))
ESTIMATES: Final = (
    (34.4, "female", 0.97, {"happy": 0.93, "neutral": 0.06, "sad": 0.01}),
    (1.0, "male", 0.6, {"neutral": 0.5, "angry": 0.5, "happy": 0.0}),
    (61.7, "male", 0.88, {"surprised": 0.7, "fearful": 0.2, "happy": 0.1}),
)
SCORES: Final = (0.999, 0.954, 0.61)


def photo() -> bytes:
    """Return a grey photo in which each face is a rectangle of its own colour."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)
    for (x, y, width, height), colour in zip(BOXES, COLOURS, strict=True):
        pixels[y : y + height, max(0, x) : x + width] = colour
    return png(pixels)


def redacted() -> bytes:
    """Return the photo as if its faces were covered."""
    return png(np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))


def document(faces: int = len(BOXES), *, attributes: tuple[str, ...] = ()) -> str:
    """Return `_faces.json`, as the contract has it."""
    found = []
    for (x, y, width, height), score, guess in zip(BOXES, SCORES, ESTIMATES, strict=True):
        age, gender, probability, expressions = guess
        face: dict[str, Any] = {
            "detection": {
                "box": {"x": x, "y": y, "width": width, "height": height},
                "score": score,
            },
            "landmarks": [(x + width * step / 4, y + height / 2) for step in range(1, 4)],
        }
        if "age_gender" in attributes:
            guessed = {"age": age, "gender": gender, "genderProbability": probability}
            face["ageAndGender"] = guessed
        if "expressions" in attributes:
            face["expressions"] = expressions
        found.append(face)
    content = FacesDocument.model_validate(
        {"width": WIDTH, "height": HEIGHT, "faces": found[:faces], "model": "face-api-ssd",
         "weights_sha256": "0" * 64, "estimated": "Estimates." if attributes else None}
    )  # fmt: skip
    return content.model_dump_json(by_alias=True, exclude_none=True)


RECORD: Final = {
    "options": {"model": "face-api-ssd"}, "model": "face-api-ssd",
    "inspected_at": "2026-01-01T00:00:00Z", "published_at": "2026-01-01T00:00:02Z",
    "tasks": {"Inspect": {"metrics": {"task_ms": 5}}},
}  # fmt: skip
RUNNING: Final = {
    "state": "running",
    "tasks": [{"task": "Inspect", "ms": 5}, {"task": "AnalyzeFaces"}],
}
# `window.job` is what the service says of the one job. `window.refuse` is the problem with which it
# refuses the next job. `window.held` are the files that do not come until they are let go.
_SERVICE: Final = """
const [files, record, offered] = arguments
const real = window.fetch
window.asked = []
const answer = (body, status = 200) => new Promise((resolve) =>
  setTimeout(() => resolve(Response.json(body, { status })), 50))
const content = ([, type, text]) => new Response(
  Uint8Array.from(atob(text), (each) => each.charCodeAt(0)), { headers: { 'content-type': type } })
window.fetch = async (path, options = {}) => {
  const ask = new URL(path, location.href).pathname.slice(1)
  if (options.method === 'POST' || options.method === 'DELETE') {
    window.asked.push([options.method, path, options.body && JSON.parse(options.body)])
  }
  if (ask === 'api/models' && !offered) {
    const { models } = await (await real(path, options)).json()
    const finds = ({ uses }) => uses.some((each) => each.product === 'faces')
    return answer({ models: models.filter((each) => !finds(each)) })
  }
  if (ask === 'api/uploads' && JSON.parse(options.body).product === 'faces') {
    const form = { id: 'upload', key: 'me/upload/group.png', url: 'form', fields: {} }
    return answer({ ...form, product: 'faces' }, 201)
  }
  const [, name] = /^stub\\/(.*)$/.exec(ask) ?? []
  if (name === 'record') return answer(record)
  if (name) {
    window.fetched = (window.fetched ?? 0) + 1
    if (window.broken) throw new TypeError('no network')
    const expired = new URL(path, location.href).searchParams.has('expired')
    if (expired || !files[name]) return new Response('<Code>AccessDenied</Code>', { status: 403 })
    return content(files[name])
  }
  if (/^api.jobs/.test(ask)) {
    if (options.method !== 'GET' && window.refuse) {
      const { refuse } = window
      window.refuse = undefined
      return answer(refuse, refuse.status)
    }
    if (options.method === 'DELETE') window.job = { state: 'deleted' }
    return answer({ id: 'upload', product: 'faces', key: 'me/upload/group.png', ...window.job })
  }
  return real(path, options)
}
const send = XMLHttpRequest.prototype.send
const open = XMLHttpRequest.prototype.open
XMLHttpRequest.prototype.open = function (method, url, ...rest) {
  this.stubbed = url === 'form'
  return open.call(this, method, url, ...rest)
}
XMLHttpRequest.prototype.send = function (data) {
  if (!this.stubbed) return send.call(this, data)
  Object.defineProperty(this, 'status', { value: 201 })
  setTimeout(() => this.onload())
}
"""
# A promise of the items that the browser keeps.
KEPT: Final = """new Promise((resolve) => {
  const opened = indexedDB.open('matteline')
  opened.onsuccess = () => {
    const asked = opened.result.transaction('items').objectStore('items').getAll()
    asked.onsuccess = () => { opened.result.close(); resolve(asked.result) }
  }
})"""
Files = dict[str, tuple[str, str, bytes]]


def files_of(content: str, *, hidden: bool = False) -> Files:
    """Return what the service publishes: by name, the kind, the media type and the content."""
    files = {"group_faces.json": ("faces", "application/json", content.encode())}
    if hidden:
        files["group_faces_redacted.png"] = ("redacted", "image/png", redacted())
    return files


def done(files: Files, faces: int = len(BOXES), *, query: str = "") -> dict[str, Any]:
    results = [
        {"name": name, "url": f"stub/{name}{query}", "expires_at": "2099-01-01T00:00:00Z",
         "kind": kind, "media_type": media_type, "bytes": len(content)}
        for name, (kind, media_type, content) in files.items()
    ]  # fmt: skip
    record = {"name": "record", "url": "stub/record", "expires_at": "2099-01-01T00:00:00Z"}
    return {"state": "done", "results": results, "record": record, "faces": faces}


@contextmanager
def serving(user: User, files: Files, job: Any = None, *, offered: bool = True) -> Iterator[None]:
    """Open the page before a service that has these files, until it is told otherwise.

    All that is loaded in this context has the service, also after a reload.
    """
    content = {
        name: (kind, media_type, base64.b64encode(data).decode())
        for name, (kind, media_type, data) in files.items()
    }
    arguments = json.dumps([content, RECORD, offered])
    source = (
        f"(function () {{{_SERVICE}}}).apply(null, {arguments});"
        f"window.job = {json.dumps(job or RUNNING)}"
    )
    added = user.command("Page.addScriptToEvaluateOnNewDocument", source=source)
    try:
        user.open()
        yield
    finally:
        user.command("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def say(user: User, job: dict[str, Any]) -> None:
    user.run("window.job = arguments[0]", job)


def ask_for_faces(user: User) -> None:
    """Choose that photos added from now on are searched for faces."""
    user.find(".making label", text="Faces").click()
    user.find(".making summary")


BOTH: Final = ("age_gender", "expressions")
DESCRIBED: Final = document(attributes=BOTH)
FILES: Final = files_of(DESCRIBED, hidden=True)


def found(user: User, job: dict[str, Any] | None = None) -> None:
    """Add the photo, and wait until its faces can be seen, or that they are hidden."""
    ask_for_faces(user)
    say(user, job or done(files_of(DESCRIBED)))
    user.drop((NAME, "image/png", photo()))
    user.wait_for(NAME, "face")
    user.find(".face-layer, .split input")


def at(user: User, x: float, y: float) -> tuple[float, float]:
    """Return where a pixel of the photo is in the window."""
    box = user.run("return document.querySelector('.pic').getBoundingClientRect().toJSON()")
    return box["x"] + x / WIDTH * box["width"], box["y"] + y / HEIGHT * box["height"]


def point(user: User, x: float, y: float, *, click: bool = False) -> None:
    """Move the mouse to a pixel of the photo."""
    across, down = at(user, x, y)
    place = {"x": round(across), "y": round(down), "button": "left", "clickCount": 1}
    user.command("Input.dispatchMouseEvent", **(place | {"type": "mouseMoved", "button": "none"}))
    for kind in ("mousePressed", "mouseReleased") if click else ():
        user.command("Input.dispatchMouseEvent", **place, type=kind)


def middle(place: int) -> tuple[float, float]:
    x, y, width, height = BOXES[place]
    return max(0, x) + width / 2 if place else 50, y + height / 2


def edges(user: User) -> list[object]:
    """Return the boxes whose rectangle on the screen is not that of their pixels."""
    places = user.run(
        "return [...document.querySelectorAll('rect.over')].map((each) =>"
        " [Number(each.dataset.face), each.getBoundingClientRect().toJSON()])"
    )
    wrong: list[object] = []
    for place, seen in places:
        x, y, width, height = BOXES[place]
        left, top = at(user, x, y)
        right, bottom = at(user, x + width, y + height)
        wanted = (left, top, right, bottom)
        got = (seen["left"], seen["top"], seen["right"], seen["bottom"])
        # A rectangle of the browser's includes half of its line.
        if max(abs(a - b) for a, b in zip(wanted, got, strict=True)) > 2:
            wrong.append((place, wanted, got))
    return wrong or ([] if len(places) == len(BOXES) else ["boxes are missing"])
