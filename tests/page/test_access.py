"""Everybody can use the page: rules of WCAG 2.2 A and AA, keys alone, screen readers, languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.page.recordings import transcribed
from tests.page.user import User
from tests.pictures import png, square

AXE: Final = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
WIDTHS: Final = (1280, 900, 390, 320)
PHOTO = png(square(side=240, left=80, top=80, size=80))


def empty(_user: User) -> None:
    """No files yet."""


def cutout(user: User) -> None:
    user.drop(("cup.png", "image/png", PHOTO), ("notes.txt", "text/plain", b"hello"))
    user.wait_for("cup.png", "Cut out")
    user.find(".row").click()
    user.find(".split input")


def select(user: User) -> None:
    cutout(user)
    user.button("Select").click()
    user.find(".chip", text="Ready")
    user.find(".selecting").send_keys(Keys.ENTER)
    user.find(".cand")
    user.button("Add another subject").click()


def result(user: User) -> None:
    cutout(user)
    user.button("Cut-out").click()
    user.button("Trim to the subject").click()
    user.button("Any colour").click()


def refused(user: User) -> None:
    user.drop(("diary.jpg", "image/jpeg", b"Dear diary"), ("empty.png", "image/png", b""))
    user.find(".row").click()
    user.find(".sorry", text="What you can do")


def uploading(user: User) -> None:
    user.hold("api/uploads")
    user.drop(*((f"{n}.png", "image/png", PHOTO) for n in range(6)))
    user.until(lambda: "Uploading" in str(user.states()) or None, "the uploads")
    user.find(".row").click()
    user.find(".pill", text="Uploading")


def away(user: User) -> None:
    cutout(user)
    user.be_offline()
    user.drop(("late.png", "image/png", PHOTO))
    user.find(".away")


def home(user: User) -> None:
    user.drop(("cup.png", "image/png", PHOTO), ("notes.txt", "text/plain", b"hello"))
    user.wait_for("cup.png", "Cut out")


def settings(user: User) -> None:
    user.button("Settings").click()
    user.find("#settings")


def reading(user: User) -> None:
    """A transcript with speakers, sounds, a correction and something found, on every screen."""
    transcribed(user)
    user.find(".row").click()
    user.find(".turn span", text="country")
    ActionChains(user.driver).double_click(user.find(".turn span", text="country")).perform()
    user.find(".turn input").send_keys("land", Keys.ENTER)
    user.find(".turn ins", text="land")
    user.button("Find a word").send_keys("you")
    user.find(".hit.now")


def record(user: User) -> None:
    cutout(user)
    user.button("More").click()
    user.find(".menu button", text="Record").click()
    user.find(".record pre", text="{")


VIEWS: Final[list[Callable[[User], None]]] = [
    empty, home, cutout, select, result, refused, uploading, away, settings, record, reading,
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_no_rule_is_broken_in_either_theme_at_any_width(
    user: User, view: Callable[[User], None]
) -> None:
    axe = AXE.read_text()  # `make test-page` installs it
    view(user)
    found = []
    for width in WIDTHS:
        for theme in ("light", "dark"):
            user.look(theme=theme, width=width)
            found += [f"{width} {theme}: {each}" for each in user.violations(axe)]
            if user.wider_than_window():
                found.append(f"{width} {theme}: scrolls sideways")

    assert found == []


def test_a_cutout_is_made_and_downloaded_by_keys_alone(user: User) -> None:
    user.tab_to("Choose files").send_keys(Keys.ENTER)
    user.give(user.write("cup.png", PHOTO))
    user.wait_for("cup.png", "Cut out")
    user.find(".split input")
    slider = user.tab_to("Before and after")
    user.press(Keys.HOME, Keys.PAGE_UP)
    user.expect(lambda: slider.get_attribute("aria-valuetext"), "10% before")
    seen = user.run(_FOCUS_IS_SEEN, slider)
    user.press(Keys.SHIFT, Keys.NULL)
    user.tab_to("Transparent")
    user.press(Keys.ARROW_RIGHT)
    user.expect(lambda: user.focused().accessible_name, "White")
    user.tab_to("Download PNG").send_keys(Keys.ENTER)

    assert seen
    assert user.downloaded("cup.png")


# The slider covers the picture, so its grip shows the focus for it.
_FOCUS_IS_SEEN = """
const [element] = arguments
const slides = element.matches('.split input')
const shown = slides ? element.parentElement.querySelector('.grip') : element
const { outlineStyle } = getComputedStyle(shown)
return element.matches(':focus-visible') && outlineStyle !== 'none'
"""


def test_every_stop_of_the_tab_key_shows_the_focus(user: User) -> None:
    cutout(user)
    hidden, names = [], []
    user.run("document.activeElement.blur()")
    for _ in range(45):
        user.press(Keys.TAB)
        element = user.focused()
        if element.tag_name == "body":
            continue
        names.append(element.accessible_name)
        if not user.run(_OUTLINE, element):
            hidden.append(f"{element.tag_name} {element.accessible_name}")

    assert hidden == []
    wanted = {"Skip to the result", "Settings", "Add files", "Compare", "Before and after"}
    wanted |= {"Zoom in", "Longest side", "Format", "Made with", "Copy picture"}
    assert wanted <= set(names)


_OUTLINE = """
for (let each = arguments[0]; each && each.id !== 'app'; each = each.parentElement) {
  const style = getComputedStyle(each)
  if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) return true
  const grip = each.matches('.split') && each.querySelector('.grip')
  if (grip && getComputedStyle(grip).outlineStyle !== 'none') return true
}
return false
"""


def test_modes_are_tabs_that_arrows_move_between(user: User) -> None:
    cutout(user)
    user.button("Compare").send_keys(Keys.ARROW_RIGHT)

    user.expect(lambda: user.focused().accessible_name, "Cut-out")
    user.expect(lambda: user.focused().get_attribute("aria-selected"), "true")
    user.expect(lambda: user.find("[role=tabpanel] img").accessible_name, "Cut-out: cup.png")


def test_keys_that_are_faster_than_the_page_is_drawn_all_count(user: User) -> None:
    cutout(user)
    user.run(_KEYS, "[role=tablist] [aria-selected=true]", "ArrowLeft", 2)

    user.expect(lambda: user.focused().accessible_name, "Cut-out")
    user.expect(lambda: [each.get_attribute("aria-selected") for each in user.all("[role=tab]")],
                ["false", "false", "true"])  # fmt: skip


# In one task, so that nothing is drawn between them.
_KEYS = """
const [selector, key, times] = arguments
const element = document.querySelector(selector)
element.focus()
for (let n = 0; n < times; n += 1) {
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
}
"""


def test_a_screen_reader_hears_what_happens(user: User) -> None:
    user.run("""
        window.heard = []
        new MutationObserver(() => {
          const text = document.querySelector('#app > [role=status]')?.textContent
          if (text) window.heard.push(text)
        }).observe(document.getElementById('app'),
          { subtree: true, childList: true, characterData: true })
    """)
    user.drop(("cup.png", "image/png", PHOTO), ("diary.jpg", "image/jpeg", b"Dear diary"))
    user.wait_for("cup.png", "Cut out")
    user.wait_for("diary.jpg", "Not a photo")
    user.until(lambda: "1 done · 1 refused" in user.run("return window.heard") or None, "the sum")

    heard = user.run("return window.heard")

    assert heard[0] == "2 files added"
    assert any(re.match(r"(cup.png: Cut out|diary.jpg: Not a photo)", each) for each in heard)


def test_opening_a_file_moves_the_focus_to_its_heading(user: User) -> None:
    cutout(user)
    user.find(".row", text="notes.txt").click()

    user.expect(lambda: user.focused().text, "notes.txt")
    user.button("Add files")
    user.find(".row[aria-current=true]", text="notes.txt")


def test_the_page_speaks_korean(user: User) -> None:
    cutout(user)
    user.button("Settings").click()
    user.pick("Language", "한국어")
    user.find("h2", text="설정")

    assert user.run("return document.documentElement.lang") == "ko"
    assert "초 만에 배경 제거" in user.states()["cup.png"]
    user.open()
    assert user.button("PNG 내려받기")
    user.expect(lambda: user.find(".split input").get_attribute("aria-valuetext"), "이전 50%")


def test_the_theme_is_chosen_and_stays(user: User) -> None:
    user.button("Settings").click()
    user.find(".settings label", text="Dark").click()
    user.expect(lambda: user.run("return document.documentElement.dataset.theme"), "dark")
    user.open()

    user.expect(lambda: user.run("return getComputedStyle(document.body).backgroundColor"),
                "rgb(17, 19, 18)")  # fmt: skip


@pytest.mark.parametrize(
    "view", [empty, cutout, select, refused, reading], ids=lambda view: view.__name__
)
def test_nothing_is_cut_when_text_is_spaced(user: User, view: Callable[[User], None]) -> None:
    view(user)
    user.run(SPACED)
    for width in (1280, 320):
        user.resize(width)

        user.expect(lambda: user.run(CUT), [])
        user.until(lambda: not user.wider_than_window() or None, "a width that fits")


# WCAG 1.4.12; a constructed sheet, which the policy allows
SPACED = """
const sheet = new CSSStyleSheet()
sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important } p { margin-bottom: 2em !important }`)
document.adoptedStyleSheets = [sheet]
"""
CUT = """
return [...document.querySelectorAll('button, label, h2, h3, p, dt, dd, li > span, .state')]
  .filter((each) => each.checkVisibility() && !each.closest('.sr, [popover], .row, .thumb'))
  .filter((each) => getComputedStyle(each).overflow !== 'visible')
  .filter((each) => each.scrollWidth > each.clientWidth + 1
    || each.scrollHeight > each.clientHeight + 4)
  .map((each) => each.textContent)
"""


def test_what_is_chosen_is_seen_in_forced_colours(user: User) -> None:
    select(user)
    user.button("Undo").click()
    user.command("Emulation.setEmulatedMedia",
                 features=[{"name": "forced-colors", "value": "active"}])  # fmt: skip

    user.expect(lambda: user.run(_CHOSEN), [])
    user.button("Compare").click()
    user.find(".swatches")
    user.expect(lambda: user.run(_CHOSEN), [])


# In each group exactly what is chosen has an outline: colours may all be the same there.
_CHOSEN = """
const groups = [['.row', '[aria-current]'], ['[role=tab]', '[aria-selected=true]'],
  ['.tool', ':has(:checked)'], ['.crop', ':is(.cand:has(:checked) *)'], ['.swatch', ':checked']]
document.activeElement.blur()
return groups.flatMap(([all, chosen]) => [...document.querySelectorAll(all)]
  .filter((each) => (getComputedStyle(each).outlineStyle !== 'none') !== each.matches(chosen))
  .filter((each) => each.matches(chosen) || !each.closest('[popover]'))
  .map((each) => each.outerHTML.slice(0, 120)))
"""


def test_marks_and_states_differ_without_colour(user: User) -> None:
    select(user)
    user.button("Undo").click()
    user.find(".selecting").send_keys(Keys.ARROW_UP * 20, Keys.SHIFT + Keys.ENTER)
    user.find(".pt.not")
    kept, left = (_grey(user.run(_BACKGROUND, selector)) for selector in (".pt", ".pt.not"))
    shapes = user.run(_SIGNS)
    user.drop(("diary.jpg", "image/jpeg", b"Dear diary"), ("empty.png", "image/png", b""))
    user.wait_for("diary.jpg", "Not a photo")
    states = user.states()

    assert abs(kept - left) > 100
    assert shapes[0] != shapes[1]
    assert len(set(states.values())) == len(states)
    assert [each.text.split("\n")[0] for each in user.all(".row:has(.i-alert)")] == [
        "diary.jpg", "empty.png",
    ]  # fmt: skip


_SIGNS = "return [...document.querySelectorAll('.pt path')].map((each) => each.getAttribute('d'))"
_BACKGROUND = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"


def _grey(colour: str) -> float:
    red, green, blue = (int(each) for each in re.findall(r"\d+", colour)[:3])
    return 0.3 * red + 0.59 * green + 0.11 * blue
