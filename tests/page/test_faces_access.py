"""Everybody can look at faces: rules of WCAG 2.2, keys alone, screen readers, languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from selenium.webdriver import Keys

from tests.page.faces import (
    DESCRIBED,
    FILES,
    NAME,
    RUNNING,
    ask_for_faces,
    done,
    files_of,
    found,
    photo,
    redacted,
    say,
)
from tests.page.test_access import AXE, CUT, SPACED, WIDTHS
from tests.page.user import User


def described(user: User) -> None:
    found(user)
    user.find(".row").click()
    user.button("Show landmarks").click()
    user.find(".people button", text="Face 2").click()
    user.find(".people .bars")


def compared(user: User) -> None:
    found(user, done(FILES))
    user.find(".row").click()
    user.find(".split input")


def choosing(user: User) -> None:
    ask_for_faces(user)
    user.find(".making summary").click()


def listed(user: User) -> None:
    found(user)
    user.find(".making summary").click()


VIEWS: Final = [choosing, listed, described, compared]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_no_rule_is_broken_in_either_theme_at_any_width(
    visitor: User, view: Callable[[User], None]
) -> None:
    axe = AXE.read_text()
    view(visitor)
    wrong = []
    for width in WIDTHS:
        for theme in ("light", "dark"):
            visitor.look(theme=theme, width=width)
            wrong += [f"{width} {theme}: {each}" for each in visitor.violations(axe)]
            if visitor.wider_than_window():
                wrong.append(f"{width} {theme}: scrolls sideways")

    assert wrong == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_nothing_is_cut_when_text_is_spaced(visitor: User, view: Callable[[User], None]) -> None:
    view(visitor)
    visitor.run(SPACED)
    for width in (1280, 320):
        visitor.resize(width)

        visitor.expect(lambda: visitor.run(CUT), [])
        visitor.until(lambda: not visitor.wider_than_window() or None, "a width that fits")


def test_faces_are_found_and_hidden_by_keys_alone(visitor: User) -> None:
    visitor.tab_to("Cut-outs")
    visitor.press(Keys.ARROW_RIGHT)
    visitor.find(".making summary")
    say(visitor, done(files_of(DESCRIBED)))
    visitor.drop((NAME, "image/png", photo()))
    visitor.find(".people button")
    say(visitor, RUNNING)
    visitor.tab_to("Blur").send_keys(Keys.ENTER)
    visitor.wait_for(NAME, "Looking for faces")
    say(visitor, done(FILES))
    slider = visitor.find(".split input")
    visitor.tab_to("Before and after")
    visitor.press(Keys.HOME)
    visitor.expect(lambda: slider.get_attribute("aria-valuetext"), "0% before")
    visitor.tab_to("Download PNG with hidden faces").send_keys(Keys.ENTER)

    assert visitor.downloaded("group_faces_redacted.png") == redacted()


def test_a_screen_reader_hears_how_many_faces_there_are(visitor: User) -> None:
    found(visitor)

    visitor.expect(visitor.said, f"{NAME}: 3 faces")
    image = visitor.find(".pic img")
    assert image.accessible_name == f"{NAME}: 3 faces"
    assert visitor.find(".face-layer").get_attribute("aria-hidden") == "true"


def test_faces_are_shown_in_korean(visitor: User) -> None:
    found(visitor)
    visitor.button("Settings").click()
    visitor.pick("Language", "한국어")
    visitor.find("h2", text="설정")

    assert visitor.states()[NAME] == "얼굴 3개"
    assert "추정: 약 34세, 여성 97%, 기쁨 93%" in visitor.find(".people li").text
