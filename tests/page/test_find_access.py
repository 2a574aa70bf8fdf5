"""Everybody can find faces in a collection: rules of WCAG 2.2, keys, small screens, languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from selenium.webdriver import Keys

from tests.page.faces import DESCRIBED, files_of
from tests.page.finding import (
    opened,
    problem,
    say,
    searched,
    told,
)
from tests.page.test_access import AXE, CUT, SPACED, WIDTHS
from tests.page.user import User


def compared(user: User) -> None:
    searched(user)
    user.find(".candidates button").click()
    user.find(".face-card .best")


def plain(user: User) -> None:
    opened(user, files_of(DESCRIBED))


def failed(user: User) -> None:
    opened(user)
    say(user, "search", problem("CollectionBusy", 503))
    user.button("Search for these faces").click()
    user.find(".odd-box")


def confirming(user: User) -> None:
    opened(user)
    user.button("Person").send_keys("P-0412")
    user.button("Forget this person").click()
    user.find(".confirm[open]")


VIEWS: Final = [compared, plain, failed, confirming]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_no_rule_is_broken_in_either_theme_at_any_width(
    finder: User, view: Callable[[User], None]
) -> None:
    axe = AXE.read_text()
    view(finder)
    wrong = []
    for width in WIDTHS:
        for theme in ("light", "dark"):
            finder.look(theme=theme, width=width)
            wrong += [f"{width} {theme}: {each}" for each in finder.violations(axe)]
            if finder.wider_than_window():
                wrong.append(f"{width} {theme}: scrolls sideways")

    assert wrong == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_nothing_is_cut_when_text_is_spaced(finder: User, view: Callable[[User], None]) -> None:
    view(finder)
    finder.run(SPACED)
    for width in (1280, 320):
        finder.resize(width)

        finder.expect(lambda: finder.run(CUT), [])
        finder.until(lambda: not finder.wider_than_window() or None, "a width that fits")


def test_faces_are_searched_hidden_by_the_slider_and_forgotten_by_keys_alone(finder: User) -> None:
    opened(finder)
    finder.tab_to("Search for these faces").send_keys(Keys.ENTER)
    finder.find(".candidates")
    finder.tab_to("Least similarity")
    finder.press(Keys.END)
    finder.find(".candidates .none", text="3 less similar ones are hidden")
    finder.press(Keys.HOME)
    finder.tab_to("Person").send_keys("P-0412")
    finder.tab_to("Forget this person").send_keys(Keys.ENTER)
    finder.find(".confirm[open]")
    finder.tab_to("Forget").send_keys(Keys.ENTER)
    finder.find(".going")

    assert told(finder)[-1][0] == "/staff/forgettings"


def test_a_screen_reader_hears_what_a_face_is_similar_to(finder: User) -> None:
    searched(finder)

    finder.expect(finder.said, "3 candidates")
    slider = finder.button("Least similarity")
    assert slider.get_attribute("aria-valuetext") == "0.62 or more"
    why = finder.find(f"#{slider.get_attribute('aria-describedby')}").text
    assert "0.62" in why
    assert finder.find(".find-in").accessible_name == "Find in a collection"


def test_candidates_are_shown_in_korean(finder: User) -> None:
    searched(finder)
    finder.button("Settings").click()
    finder.pick("Language", "한국어")
    finder.find("h2", text="설정")

    text = finder.find(".find-in").text
    for said in (
        "후보일 뿐 신원이 아닙니다",
        "매우 비슷함 0.93",
        "2026. 3. 4. 추가",
        "이 사람 지우기",
    ):
        assert said in text
