"""What tests ask of the HTTP API of a running cloud, as one of several users."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from containers.http_api.principal import identify
from tests.execution.driver import PATIENCE_S
from tests.pictures import png, square

PHOTO: Final = png(square())


@dataclass(frozen=True)
class User:
    """A user of the API. An operator has the scope of one."""

    address: str
    name: str
    scopes: str = ""

    def ask(
        self, method: str, path: str, *, body: Any = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Send a request. A header such as `idempotency_key` is written with hyphens."""
        named = {"x-matteline-principal": self.name, "x-matteline-scopes": self.scopes}
        named |= {name.replace("_", "-"): text for name, text in headers.items()}
        return urllib3.request(
            method, f"{self.address}{path}", json=body, headers=named, timeout=PATIENCE_S
        )

    def upload(self, **asked: Any) -> dict[str, Any]:
        """Return a form, for the tests' photo unless another is asked for."""
        whole = {"name": "cat.png", "bytes": len(PHOTO), **asked}
        answer = self.ask("POST", "/uploads", body=whole)
        assert answer.status == 201, answer.data
        form: dict[str, Any] = answer.json()
        return form


def send(form: dict[str, Any], content: bytes = PHOTO, **fields: str) -> urllib3.BaseHTTPResponse:
    """POST a form, with other fields than it has."""
    whole = {**form["fields"], **fields, "file": ("cat.png", content, "image/png")}
    return urllib3.request("POST", form["url"], fields=whole, timeout=PATIENCE_S)


def code(answer: urllib3.BaseHTTPResponse) -> str:
    """Return the code of S3's error."""
    return answer.data.decode().partition("<Code>")[2].partition("<")[0]


def prefix_of(user: User) -> str:
    return identify({"lambda": {"principal": user.name}}).prefix


def job(user: User, name: str) -> dict[str, Any]:
    answer = user.ask("GET", f"/jobs/{name}")
    assert answer.status == 200, answer.data
    found: dict[str, Any] = answer.json()
    return found


def wait_for(user: User, name: str, *states: str) -> dict[str, Any]:
    """Ask until a job is in one of these states; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := job(user, name))["state"] not in states:
        assert time.monotonic() < deadline, f"{name} stays {found}"
        time.sleep(0.1)
    return found


def done(user: User, content: bytes = PHOTO, **asked: Any) -> dict[str, Any]:
    """Upload something and return its job once it has ended."""
    form = user.upload(bytes=len(content), **asked)
    assert send(form, content).status == 201
    return wait_for(user, form["id"], "done", "failed", "quarantined")


def selection_of(user: User, key: str) -> str:
    """Return the id of a selection, once the photo with that key is prepared."""
    answer = user.ask("POST", "/selections", body={"key": key})
    assert answer.status == 202, answer.data
    name: str = answer.json()["id"]
    told = user.ask("GET", f"/selections/{name}", prefer="wait=20").json()
    assert told["state"] == "ready", told
    return name


def batch_of(user: User, key: str) -> str:
    """Return the id of a batch of one object, once it has ended."""
    answer = user.ask("POST", "/batches", body={"keys": [key]})
    assert answer.status == 202, answer.data
    name: str = answer.json()["id"]
    told = user.ask("GET", f"/batches/{name}", prefer="wait=20").json()
    assert told["state"] == "done", told
    return name


def problem(answer: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    """Return the status and the error's name."""
    return answer.status, answer.json()["type"].rpartition("#")[2]
