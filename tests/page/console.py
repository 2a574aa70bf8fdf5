"""What an operator does in the console, and the objects that make executions of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.webelement import WebElement

from pipeline.local.cloud import make_client
from tests.page.user import User
from tests.pictures import png, square

BUCKET: Final = "matteline-local-ingest"
PHOTO: Final = png(square())


def visit(user: User, place: str) -> None:
    """Go to a place of the console, such as `machines/cutout`."""
    user.driver.get(f"{user.address}/#/console/{place}")
    user.find(".console h1")


def put(user: User, key: str, content: bytes = PHOTO, **metadata: str) -> None:
    """Store an object, which starts an execution."""
    s3 = make_client("s3", user.address)
    metadata = {f"matteline-{name}": text for name, text in metadata.items()}
    s3.put_object(Bucket=BUCKET, Key=key, Body=content, Metadata=metadata)


def row_of(user: User, key: str, status: str = "") -> WebElement:
    """Wait for the execution of an object in the list that is open."""
    return user.until(
        lambda: next(
            each
            for each in user.all(".of-executions .row-of")
            if key in each.text and status in each.text
        ),
        f"{key} {status}",
    )


def ended(user: User, key: str, status: str) -> None:
    """Open the execution of an object once it has ended so."""
    visit(user, "executions?machine=cutout")
    address = user.until(
        lambda: row_of(user, key, status).find_element("css selector", "a").get_attribute("href"),
        "its address",
    )
    user.driver.get(address)
    user.find(".head .badge", text=status)


def state(user: User, name: str, look: str = "") -> WebElement:
    """Wait for a state in the graph; `look` is one of its classes."""
    return user.until(
        lambda: next(
            each
            for each in user.all(f".graph .state{look}")
            if each.get_attribute("id") == f"state-{name}"
        ),
        f"{name}{look}",
    )


def status_of(user: User, name: str) -> str:
    """Return the status that a state is drawn with."""
    classes = state(user, name).get_attribute("class") or ""
    return next(each for each in classes.split() if each.startswith("is-")).removeprefix("is-")


def choose_state(user: User, name: str) -> None:
    """Press a state by key: it may be outside of what is seen."""
    user.run("arguments[0].focus()", state(user, name))
    user.press(Keys.ENTER)
    user.find(".side h2", text=name)


def write_in(user: User, selector: str, text: str) -> None:
    """Replace what is in the field for JSON."""
    field = user.find(selector)
    field.click()
    ActionChains(user.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(
        Keys.DELETE
    ).perform()
    field.send_keys(text)


def start(user: User, machine: str, given: dict[str, Any]) -> None:
    """Start a machine in the console, and see its execution."""
    visit(user, f"start/{machine}")
    write_in(user, "#input", json.dumps(given))
    user.find(".start > .btn", text="Start").click()
    user.find(".split-view .graph")


@contextmanager
def as_somebody_else(user: User, principal: str = "a-guest") -> Iterator[None]:
    """Let the browser ask as a user without the operator's scope."""
    user.command("Network.enable")
    headers = {"x-matteline-principal": principal}
    user.command("Network.setExtraHTTPHeaders", headers=headers)
    try:
        yield
    finally:
        user.command("Network.setExtraHTTPHeaders", headers={})


# Answers what `window.served` has for a path and a method; all other requests are the service's.
_SERVE: Final = """
const real = window.fetch
window.told = []
window.fetch = async (path, options = {}) => {
  const ask = new URL(path, location.href)
  const key = `${options.method ?? 'GET'} ${ask.pathname.replace(/^.api/, '')}`
  window.told.push([key + ask.search, options.body ? JSON.parse(options.body) : null])
  const found = window.served[key]
  if (found === undefined) return real(path, options)
  return Response.json(found, { status: found.status_code ?? 200 })
}
"""


@contextmanager
def answering(user: User, served: dict[str, Any]) -> Iterator[None]:
    """Open the page before a service that answers these requests so."""
    source = f"window.served = {json.dumps(served)};(function () {{{_SERVE}}})()"
    added = user.command("Page.addScriptToEvaluateOnNewDocument", source=source)
    try:
        user.open()
        yield
    finally:
        user.command("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def told(user: User, method: str) -> list[Any]:
    """Return the requests with a method that the page has sent, with their bodies."""
    asked = user.run("return window.told")
    return [[key, body] for key, body in asked if key.startswith(f"{method} ")]
