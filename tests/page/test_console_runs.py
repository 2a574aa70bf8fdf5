"""From the console, executions are started, watched, stopped, healed and released."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Keys

from tests.models import Shelf
from tests.page.console import (
    BUCKET,
    answering,
    choose_state,
    ended,
    put,
    start,
    state,
    status_of,
    told,
    visit,
    write_in,
)
from tests.page.user import User


@pytest.fixture
def other_weights(models: Shelf) -> Iterator[Path]:
    """The weights of `vanishing` are not those of its row; yield where they are."""
    path = models.folder / "vanishing.onnx"
    right = path.read_bytes()
    path.write_bytes(b"others")
    yield path
    path.write_bytes(right)


def confirm(user: User, name: str) -> None:
    user.find(".confirm[open] .btn.primary", text=name).click()


def test_a_run_is_started_watched_while_it_runs_and_stopped(user: User) -> None:
    put(user, "console/live/cup.png")
    ended(user, "console/live/cup.png", "Succeeded")
    given = {"bucket": BUCKET, "key": "console/live/cup.png", "options": {"model": "long"},
             "force": True}  # fmt: skip
    start(user, "cutout", given)
    user.find(".head .badge", text="Running")
    state(user, "RemoveBackground", ".is-running")
    assert status_of(user, "Inspect") == "succeeded"
    running = user.find(".side").text
    assert "RemoveBackground" in running
    user.button("Stop").click()
    user.find(".confirm[open]", text="Stop this execution?")
    confirm(user, "Stop")

    user.find(".head .badge", text="Stopped")
    user.expect(lambda: status_of(user, "RemoveBackground"), "aborted")
    assert not [each for each in user.all(".head .btn") if each.text == "Stop"]


def test_a_run_that_failed_heals_by_a_replay(
    user: User, models: Shelf, other_weights: Path
) -> None:
    put(user, "console/healed/cup.png", model="vanishing")
    ended(user, "console/healed/cup.png", "Failed")
    failed = user.find("h1").text
    user.find("main > .trouble", text="WeightsMismatch: file://")
    user.expect(lambda: status_of(user, "StageWeights"), "failed")
    other_weights.write_bytes((models.folder / "brightness.onnx").read_bytes())
    user.button("Replay").click()
    user.find(".confirm[open]", text="Do the work again?")
    confirm(user, "Replay")

    user.until(lambda: user.find("h1").text != failed or None, "the new execution")
    user.find(".head .badge", text="Succeeded")
    user.expect(lambda: status_of(user, "Done"), "succeeded")


def test_what_is_in_quarantine_says_why_and_is_released_with_other_options(user: User) -> None:
    put(user, "console/refused/cup.png", model="u3net")
    visit(user, "quarantine")
    row = user.find(".of-refused .row-of", text="console/refused/cup.png")
    assert "UnknownModel" in row.text
    assert len(row.find_elements("css selector", ".why-of p")) == 2
    user.button("Release console/refused/cup.png").click()
    user.find(".confirm[open]")
    write_in(user, "#release-options", '{"model": ')
    user.find(".confirm .faults", text="Line 1")
    assert not user.find(".confirm .btn.primary").is_enabled()
    write_in(user, "#release-options", '{"model": "u4net"}')
    confirm(user, "Release")
    user.find(".confirm .faults, .confirm [role=alert]", text="u4net")
    write_in(user, "#release-options", '{"model": "brightness"}')
    confirm(user, "Release")

    user.find(".split-view .graph")
    user.find(".head .badge", text="Succeeded")
    visit(user, "quarantine")
    user.until(
        lambda: "console/refused/cup.png" not in user.find(".of-refused, main .wait").text or None,
        "it has left the list",
    )


def test_an_input_is_checked_at_its_place(user: User) -> None:
    visit(user, "start/cutout")
    user.find("#input")
    examples = [each.text for each in user.all(".examples .btn")]
    assert examples
    user.button(examples[0]).click()
    first = user.find("#input").get_attribute("value") or ""
    assert json.loads(first)["bucket"]
    write_in(user, "#input", '{\n"bucket": "b"\n"key": 1}')
    user.find(".faults", text="Line 3")
    write_in(user, "#input", '{"bucket": "' + BUCKET + '",' + Keys.ENTER + '"key": 5}')
    user.button("Start").click()
    fault = user.find(".faults li", text="/key")
    assert "Line 2" in fault.text
    assert user.find("#input").get_attribute("aria-invalid") == "true"
    fault.find_element("css selector", "button").click()
    user.expect(lambda: user.run(_CHOSEN), "5")
    assert user.find(".gutter .odd").text == "2"


_CHOSEN = """
const field = document.getElementById('input')
return field.value.slice(field.selectionStart, field.selectionEnd)
"""


def execution(**more: Any) -> dict[str, Any]:
    at = "2026-01-01T00:00:00Z"
    visit_of = {"path": "", "type": "Task", "entered_at": at, "ended_at": at, "duration_ms": 1200,
                "attempts": 3, "input": {"n": 1}, "output": None, "shortened": False,
                "child": None}  # fmt: skip
    error = {"error": "Lambda.ServiceException", "cause": "It broke.", "at": at}
    return {
        "machine": "cutout", "name": "red", "trace_id": "red", "status": "failed",
        "started_at": at, "ended_at": at, "duration_ms": 1200, "input": {}, "output": None,
        "error": "Lambda.ServiceException", "cause": "It broke.", "started_by": None,
        "can": {"stop": False, "redrive": True, "replay": True}, "truncated": False,
        "shortened": [], "cursor": None,
        "states": [visit_of | {"name": "Inspect", "status": "failed", "errors": [error, error]}],
    } | more  # fmt: skip


def test_a_redrive_asks_first_and_says_why_it_is_refused(user: User) -> None:
    """The local cloud's executions cannot be redriven; Step Functions' can."""
    why = {"type": "#notredrivable", "title": "It cannot be redriven.", "status": 409,
           "detail": "It is too old.", "status_code": 409}  # fmt: skip
    served = {
        "GET /console/executions/cutout/red": execution(),
        "POST /console/executions/cutout/red/redrive": why,
    }
    with answering(user, served):
        visit(user, "executions/cutout/red")
        state(user, "Inspect", ".is-failed")
        choose_state(user, "Inspect")
        side = user.find(".side").text
        assert side.count("Lambda.ServiceException") == 2
        assert "It broke." in side
        user.button("Redrive").click()
        user.find(".confirm[open]", text="Go on where it failed?")
        confirm(user, "Redrive")
        user.find(".confirm [role=alert]", text="It cannot be redriven.: It is too old.")
        can = {"stop": True, "redrive": False, "replay": False}
        healed = execution(status="running", ended_at=None, duration_ms=None, error=None, can=can)
        user.run("Object.assign(window.served, arguments[0])", {
            "POST /console/executions/cutout/red/redrive": {},
            "GET /console/executions/cutout/red": healed,
        })  # fmt: skip
        confirm(user, "Redrive")

        user.gone(".confirm")
        user.find(".head .badge", text="Running")
        assert len(told(user, "POST")) == 2


def test_cancel_asks_nothing_of_the_service(user: User) -> None:
    with answering(user, {"GET /console/executions/cutout/red": execution()}):
        visit(user, "executions/cutout/red")
        for act in ("Redrive", "Replay"):
            user.button(act).click()
            user.find(".confirm[open]")
            user.press(Keys.ESCAPE)
            user.gone(".confirm")

        assert told(user, "POST") == []


def test_iterations_are_counted_and_seen_one_by_one(user: User) -> None:
    at = "2026-01-01T00:00:0{}Z"
    once = execution()["states"][0] | {"name": "CopyPicture", "errors": []}
    times = [
        once
        | {"path": f"PublishCutout[{n}]", "status": "failed" if n == 1 else "succeeded",
           "entered_at": at.format(n), "ended_at": at.format(n + 1), "input": {"picture": n}}
        for n in range(3)
    ]  # fmt: skip
    with answering(user, {"GET /console/executions/cutout/red": execution(states=times)}):
        visit(user, "executions/cutout/red")
        state(user, "CopyPicture", ".is-failed")

        choose_state(user, "CopyPicture")
        user.find(".side", text="PublishCutout[1]")
        user.pick("Which time", "3. Succeeded · PublishCutout[2]")
        user.find(".side .json", text="picture: 2")
        assert "×3" in state(user, "CopyPicture").text


def test_logs_are_shown_by_trace_id(user: User) -> None:
    put(user, "console/logged/cup.png")
    ended(user, "console/logged/cup.png", "Succeeded")
    user.button("Logs").click()
    user.find(".logs .log", text="background-remover")
    before = len(user.all(".logs .log"))
    user.find(".log summary").click()
    user.find(".log .json", text="Fields")
    user.button("Warnings and errors only").click()

    user.until(lambda: len(user.all(".logs .log")) < before or None, "fewer lines")
