"""Operators see machines, executions, states and containers; others see no console."""

from __future__ import annotations

import json
import re

from selenium.webdriver import Keys

from tests.page.console import (
    answering,
    as_somebody_else,
    choose_state,
    ended,
    put,
    row_of,
    state,
    status_of,
    visit,
)
from tests.page.test_console_graph import MACHINES, definition, names
from tests.page.user import User


def test_the_page_leads_operators_to_the_console_and_back(user: User) -> None:
    user.button("Settings")
    link = user.find(".brand a")

    assert link.accessible_name == "Console"
    link.click()
    user.find(".console h1", text="Machines")
    user.expect(lambda: user.driver.title, "Machines · Matteline")
    user.find(".console nav a", text="Files").click()
    user.find(".hello, .app")
    user.gone(".console")


def test_for_others_there_is_no_console(user: User) -> None:
    """What they get is what everybody gets at an address that does not exist."""
    with as_somebody_else(user):
        user.open()
        user.find(".tries")
        user.until(
            lambda: "/api/console/" in str(user.run(_ASKED)) or None, "the page has asked once"
        )
        assert not user.all(".brand a")
        said = []
        for place in ("machines", "executions", "quarantine", "containers", "machines/cutout"):
            user.driver.get(f"{user.address}/#/console/{place}")
            user.driver.refresh()
            said.append(user.find(".trouble").text)
            assert user.find(".console").text == said[-1]
    user.driver.get(f"{user.address}/#/console/nowhere")
    user.driver.refresh()
    user.find("nav")

    assert set(said) == {user.find(".trouble").text}
    user.expect(lambda: user.driver.title, "There is nothing here · Matteline")


_ASKED = "return performance.getEntriesByType('resource').map((each) => each.name)"


def test_every_machine_is_listed_and_drawn(user: User) -> None:
    visit(user, "machines")
    user.find(".of-machines .to")
    listed = [each.text for each in user.all(".of-machines .to")]
    too_wide = []
    for machine in MACHINES:
        visit(user, f"machines/{machine}")
        user.find("h1", text=machine)
        state(user, definition(machine)["StartAt"])
        shown = user.run(_DRAWN)
        assert sorted(shown) == sorted(names(definition(machine))), machine
        too_wide += [f"{machine}: {each}" for each in user.run(_TOO_WIDE)]

    assert sorted(listed) == MACHINES
    assert too_wide == []


_DRAWN = """
return [...document.querySelectorAll('.graph .state')].map((each) => each.id.slice(6))
"""
_TOO_WIDE = """
return [...document.querySelectorAll('.graph .state, .graph .why')].filter((each) => {
  const box = each.querySelector('rect').getBBox()
  return [...each.querySelectorAll('text')].some((text) => {
    const words = text.getBBox()
    return words.x < box.x || words.x + words.width > box.x + box.width
  })
}).map((each) => each.textContent)
"""


def test_a_graph_is_walked_and_zoomed_by_keys_alone(user: User) -> None:
    visit(user, "machines/cutout")
    state(user, "Inspect")
    user.tab_to(state(user, "Inspect").get_attribute("aria-label") or "")
    user.press(Keys.ARROW_DOWN)
    user.expect(lambda: user.focused().get_attribute("id"), "state-Claim")
    user.press(Keys.ARROW_RIGHT)
    user.expect(lambda: user.focused().get_attribute("id"), "state-NameAfterExecution")
    user.press(Keys.ARROW_UP)
    user.expect(lambda: user.focused().get_attribute("id"), "state-Inspect")
    user.press(Keys.ENTER)
    user.find(".side h2", text="Inspect")
    user.expect(lambda: user.focused().get_attribute("aria-pressed"), "true")
    before = int(user.find(".graph svg").get_attribute("width") or 0)
    user.press("+")
    user.until(
        lambda: int(user.find(".graph svg").get_attribute("width") or 0) > before or None, "zoom"
    )
    user.press("0")
    user.expect(lambda: user.run(_FITS), [True, True])


_FITS = """
const [view, svg] = ['.graph-view', '.graph svg'].map((each) => document.querySelector(each))
return [svg.clientWidth <= view.clientWidth, svg.clientHeight <= view.clientHeight]
"""


def test_a_screen_reader_hears_where_a_state_leads(user: User) -> None:
    visit(user, "machines/cutout")
    words = state(user, "Inspect").accessible_name

    assert words.startswith("Inspect Task · lambda:invoke. Task. Then Claim.")
    assert "On OtherMedia: NameOtherMachine" in words
    user.button("List").click()
    user.find(".states .pick", text="RemoveBackground").click()
    user.find(".side h2", text="RemoveBackground")
    listed = [each.text for each in user.all(".states .pick b")]
    assert sorted(listed) == sorted(names(definition("cutout")))


def test_an_execution_that_succeeded_shows_its_way_and_its_values(user: User) -> None:
    put(user, "console/way/cup.png")
    ended(user, "console/way/cup.png", "Succeeded")

    user.expect(lambda: status_of(user, "RemoveBackground"), "succeeded")
    assert status_of(user, "Quarantine") == "plain"
    assert user.find(".facts-of").text.count("Trace id") == 1
    choose_state(user, "RemoveBackground")
    side = user.find(".side").text
    assert "Succeeded" in side
    assert re.search(r"Attempts\n?\s*1", side)
    user.button("Copy Input").click()
    user.expect(user.said, "Copied")
    copied = json.loads(user.run_later("return navigator.clipboard.readText()"))
    assert copied["job"]["source"]["key"] == "console/way/cup.png"
    user.button("Timeline").click()
    bars = [each.text.split("\n")[0] for each in user.all(".bar-of")]
    assert bars[0] == "Inspect"
    assert bars[-1] == "Done"
    user.button("Input, output").click()
    user.find(".panel .json", text="PutObject")


def test_a_state_leads_to_the_execution_that_it_started(user: User) -> None:
    put(user, "console/nested/cup.png", model="matting")
    ended(user, "console/nested/cup.png", "Succeeded")
    choose_state(user, "StageWeights")
    user.find(".side a", text="Open its execution of stage-weights").click()

    user.find(".head .up", text="stage-weights")
    user.find(".head .badge", text="Succeeded")


def test_executions_are_filtered_by_machine_status_and_time_and_pages_follow(user: User) -> None:
    put(user, "console/listed/diary.jpg", b"Dear diary")
    put(user, "console/listed/cup.png")
    visit(user, "executions")
    row_of(user, "console/listed/diary.jpg", "Failed")
    row_of(user, "console/listed/cup.png", "Succeeded")
    user.pick("Machine", "cutout")
    user.pick("Status", "Failed")
    user.pick("Started", "In the last hour")
    user.until(lambda: "Succeeded" not in user.find(".rows").text or None, "only failed ones")

    row_of(user, "console/listed/diary.jpg", "UnsupportedMedia")
    assert user.driver.current_url.endswith("?machine=cutout&status=failed&since=hour")
    assert {each.text.split(" · ")[0] for each in user.all(".rows .what p")} == {"cutout"}


def test_a_second_page_is_added_to_the_first(user: User) -> None:
    rows = [{"machine": "cutout", "name": f"run-{n}", "status": "succeeded", "error": None,
             "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:01Z",
             "duration_ms": 1000, "key": f"{n}.png", "product": "cutout"}
            for n in range(3)]  # fmt: skip
    first = {"items": rows[:2], "cursor": "two"}
    with answering(user, {"GET /console/executions": first}):
        visit(user, "executions")
        row_of(user, "1.png")
        last = {"items": rows[2:], "cursor": None}
        user.run("window.served['GET /console/executions'] = arguments[0]", last)
        user.button("Show more").click()
        row_of(user, "2.png")

        user.gone("main > .btn")


def test_nobody_is_asked_while_nobody_looks(user: User) -> None:
    visit(user, "executions")
    user.find("main .rows, main .wait")
    user.run(_HIDE, "hidden")
    wait = "await new Promise((resolve) => setTimeout(resolve, {}));"
    clear = "performance.clearResourceTimings();"  # of what was on its way
    asked = user.run_later(f"{wait.format(2000)}{clear}{wait.format(6000)}{_ASKED}")
    user.run(_HIDE, "visible")

    assert [each for each in asked if "/console/" in each] == []
    user.until(lambda: "/console/" in str(user.run(_ASKED)) or None, "it is asked again")


_HIDE = """
const [state] = arguments
Object.defineProperty(document, 'hidden', { configurable: true, value: state === 'hidden' })
Object.defineProperty(document, 'visibilityState', { configurable: true, value: state })
document.dispatchEvent(new Event('visibilitychange'))
"""


def test_containers_are_listed_with_versions_and_models(user: User) -> None:
    visit(user, "containers")
    row = user.find(".of-containers .row-of", text="background-remover")

    assert re.search(r"Version \d+\.\d+\.\d+", row.text)
    row.find_element("css selector", "summary").click()
    user.find(".models li", text="brightness")


def test_while_the_service_is_away_the_console_says_so_and_goes_on(user: User) -> None:
    visit(user, "machines")
    user.find(".of-machines .to")
    user.be_offline()
    user.find(".away", text="The service is not answering")
    assert user.all(".of-machines .to")
    user.be_online()

    user.gone(".away")
    user.find(".of-machines .to", text="cutout").click()
    state(user, "Inspect")
