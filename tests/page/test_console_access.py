"""Everybody who operates can use the console: rules of WCAG 2.2, keys, small screens, languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from selenium.webdriver import Keys

from tests.page.console import answering, ended, put, state, visit, write_in
from tests.page.test_access import AXE, CUT, SPACED, WIDTHS
from tests.page.test_console_runs import execution
from tests.page.user import User

REFUSED: Final = {
    "id": "red", "error": "UnknownModel", "message": "no model is called u3net",
    "hint": "Choose a model that `matteline models list` names.", "key": "holiday/cup.png",
    "product": "cutout", "at": "2026-01-01T00:00:00Z", "options": {"model": "u3net"},
}  # fmt: skip
SERVED: Final = {
    "GET /console/executions/cutout/red": execution(),
    "GET /console/quarantine": {"items": [REFUSED], "cursor": None},
}


def machines(user: User) -> None:
    visit(user, "machines")
    user.find(".of-machines .to")


def graph(user: User) -> None:
    visit(user, "machines/transcript")
    state(user, "Inspect").click()
    user.find(".side h2", text="Inspect")


def listed(user: User) -> None:
    visit(user, "machines/compact-collections")
    user.button("List").click()
    user.find(".states")


def executions(user: User) -> None:
    put(user, "console/access/diary.jpg", b"Dear diary")
    visit(user, "executions?machine=cutout")
    user.find(".of-executions .row-of", text="Failed")


def failed(user: User) -> None:
    visit(user, "executions/cutout/red")
    state(user, "Inspect", ".is-failed")
    user.find(".side .errors")


def timeline(user: User) -> None:
    failed(user)
    user.button("Timeline").click()
    user.find(".timeline")


def logs(user: User) -> None:
    put(user, "console/access/cup.png")
    ended(user, "console/access/cup.png", "Succeeded")
    user.button("Logs").click()
    user.find(".log summary").click()
    user.find(".log .json")


def starting(user: User) -> None:
    visit(user, "start/cutout")
    write_in(user, "#input", "{")
    user.find(".faults li")


def quarantine(user: User) -> None:
    visit(user, "quarantine")
    user.find(".of-refused .btn")


def releasing(user: User) -> None:
    quarantine(user)
    user.button("Release holiday/cup.png").click()
    user.find(".confirm[open]")


def containers(user: User) -> None:
    visit(user, "containers")
    user.find(".models summary").click()
    user.find(".models li")


VIEWS: Final[list[Callable[[User], None]]] = [
    machines, graph, listed, executions, failed, timeline, logs, starting, quarantine, releasing,
    containers,
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_no_rule_is_broken_in_either_theme_at_any_width(
    user: User, view: Callable[[User], None]
) -> None:
    axe = AXE.read_text()
    with answering(user, SERVED):
        view(user)
        wrong = []
        for width in WIDTHS:
            for theme in ("light", "dark"):
                user.look(theme=theme, width=width)
                wrong += [f"{width} {theme}: {each}" for each in user.violations(axe)]
                if user.wider_than_window():
                    wrong.append(f"{width} {theme}: scrolls sideways")

    assert wrong == []


@pytest.mark.parametrize(
    "view", [machines, failed, timeline, starting, releasing], ids=lambda view: view.__name__
)
def test_nothing_is_cut_when_text_is_spaced(user: User, view: Callable[[User], None]) -> None:
    with answering(user, SERVED):
        view(user)
        user.run(SPACED)
        for width in (1280, 320):
            user.resize(width)

            user.expect(lambda: user.run(CUT), [])
            user.until(lambda: not user.wider_than_window() or None, "a width that fits")


def test_a_state_that_failed_is_found_and_read_by_keys_alone(user: User) -> None:
    with answering(user, SERVED):
        visit(user, "executions/cutout/red")
        state(user, "Inspect", ".is-failed")
        user.tab_to("Graph")
        user.press(Keys.ARROW_RIGHT)
        user.expect(lambda: user.focused().accessible_name, "List")
        user.find(".states")
        user.press(Keys.ARROW_RIGHT)
        user.expect(lambda: user.focused().accessible_name, "Timeline")
        user.find(".timeline")
        user.press(Keys.TAB, Keys.ENTER)

        user.expect(lambda: user.focused().get_attribute("aria-pressed"), "true")
        user.find(".side .errors", text="It broke.")


def test_statuses_differ_without_colour(user: User) -> None:
    """Each has a shape, an outline and words of its own."""
    visits = [
        execution()["states"][0] | {"name": name, "status": status, "errors": []}
        for name, status in (
            ("Inspect", "caught"), ("Claim", "succeeded"), ("RemoveBackground", "failed"),
            ("RefineEdges", "running"), ("PublishRecord", "aborted"),
        )
    ]  # fmt: skip
    served = {"GET /console/executions/cutout/red": execution(states=visits)}
    with answering(user, served):
        visit(user, "executions/cutout/red")
        state(user, "RefineEdges", ".is-running")
        looks = [user.run(_LOOK, state(user, each["name"])) for each in visits]
        words = [state(user, each["name"]).accessible_name.split(". ")[2] for each in visits]

        assert len({shape for shape, _ in looks}) == len(visits)
        assert len({outline for _, outline in looks}) == len(visits)
        assert words == ["Failed, caught", "Succeeded", "Failed", "Running", "Stopped"]


_LOOK = """
const [state] = arguments
const { strokeDasharray, strokeWidth } = getComputedStyle(state.querySelector('.body'))
return [state.querySelector('.mark').getAttribute('d'), `${strokeDasharray} ${strokeWidth}`]
"""


def test_a_dialog_gives_the_focus_back(user: User) -> None:
    with answering(user, SERVED):
        visit(user, "executions/cutout/red")
        user.button("Replay").click()
        user.find(".confirm[open]")
        user.expect(lambda: user.focused().accessible_name, "Cancel")
        user.press(Keys.ESCAPE)

        user.gone(".confirm")
        user.expect(lambda: user.focused().accessible_name, "Replay")


def test_another_place_moves_the_focus_to_its_heading(user: User) -> None:
    visit(user, "machines")
    user.find(".console nav a", text="Containers").click()

    user.expect(lambda: user.focused().text, "Containers")
    user.expect(lambda: user.focused().tag_name, "h1")


def test_the_console_speaks_korean(user: User) -> None:
    with answering(user, SERVED):
        visit(user, "executions/cutout/red")
        state(user, "Inspect", ".is-failed")
        user.button("Settings").click()
        user.pick("Language", "한국어")
        user.find(".head .btn", text="다시 실행")

        assert user.find(".head .badge").text == "실패"
        assert "시도" in user.find(".side").text
        assert "c." not in user.find(".console nav").text
