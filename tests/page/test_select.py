"""Click on the subject: what is drawn is what the model answers, and what is cut out afterwards."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

from pipeline.operations.selecting import LASTS, new_selection
from tests.page.user import User
from tests.pictures import png, unpng

WIDTH, HEIGHT = 320, 240  # as the stand-in's canvas of 64 × 48, times 5
ORANGE: Final = (250, 200, 150)  # bright, so every pixel may be the subject's
FAR: Final = 8 * 5  # the radius of the answer to one point, in pixels of the photo
NEAR, FARTHEST = FAR // 2, FAR * 2


def orange() -> bytes:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[15:-15, 15:-15] = ORANGE
    pixels[20:60, 20:60] = 255  # what the everyday model cuts out
    return png(pixels)


def selecting(user: User, content: bytes = b"", name: str = "cup.png") -> None:
    """Add a photo, wait for its cut-out, and open Select."""
    user.drop((name, "", content or orange()))
    user.wait_for(name, "Cut out in")
    user.button("Select").click()
    user.find(".selecting .rest")
    user.find(".chip", text="Ready")


def click(user: User, x: float, y: float, *, shift: bool = False) -> None:
    """Click at a pixel of the photo."""
    chain = ActionChains(user.driver)
    if shift:
        chain.key_down(Keys.SHIFT)
    chain.move_to_element_with_offset(user.find(".selecting"), *offset(user, x, y)).click()
    chain.key_up(Keys.SHIFT).perform()


def drag(user: User, start: tuple[float, float], end: tuple[float, float]) -> None:
    picture = user.find(".selecting")
    chain = ActionChains(user.driver, duration=50)
    chain.move_to_element_with_offset(picture, *offset(user, *start)).click_and_hold()
    chain.move_to_element_with_offset(picture, *offset(user, *end)).release().perform()


def offset(user: User, x: float, y: float) -> tuple[int, int]:
    rect = user.find(".selecting").rect
    return round((x / WIDTH - 0.5) * rect["width"]), round((y / HEIGHT - 0.5) * rect["height"])


def updated(user: User) -> None:
    user.find(".chip", text="Updated in")


def seen(user: User, *places: tuple[float, float]) -> list[tuple[int, ...]]:
    """Return what is drawn at pixels of the photo."""
    rect = user.find(".selecting").rect
    shot = Image.open(io.BytesIO(user.screenshot())).convert("RGB")
    return [
        tuple(shot.getpixel((round(rect["x"] + x / WIDTH * rect["width"]),  # type: ignore[arg-type]
                             round(rect["y"] + y / HEIGHT * rect["height"]))))
        for x, y in places
    ]  # fmt: skip


def is_kept(user: User, *places: tuple[float, float]) -> list[bool]:
    """Say whether the photo has its own colour there; elsewhere it is turned down."""
    return [max(abs(a - b) for a, b in zip(pixel, ORANGE, strict=True)) < 12
            for pixel in seen(user, *places)]  # fmt: skip


def kept(user: User) -> dict[str, Any]:
    """Return what the browser keeps of the one file."""
    found: dict[str, Any] = user.run_later("""
        const opened = indexedDB.open('matteline')
        await new Promise((resolve) => { opened.onsuccess = resolve })
        const asked = opened.result.transaction('items').objectStore('items').getAll()
        await new Promise((resolve) => { asked.onsuccess = resolve })
        opened.result.close()
        return asked.result[0]
    """)
    return found


def marks(user: User) -> dict[str, Any]:
    found: dict[str, Any] = kept(user)["marks"]["now"]
    return found


def test_a_click_draws_the_models_answer(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    updated(user)

    inside, outside = (160, 120 - FAR + 6), (160, 120 - FAR - 6)
    user.expect(lambda: is_kept(user, inside, outside, (24, 24)), [True, False, False])
    edge = seen(user, *((160 + FAR + step / 4, 110) for step in range(-16, 9)))
    assert (0x18, 0xB3, 0xA3) in edge
    assert (255, 255, 255) in edge
    grey = seen(user, (24, 24))[0]
    assert max(grey) < 0.7 * max(ORANGE)
    user.until(lambda: re.fullmatch(r"Selection covers \d+% of the photo", user.said()),
               "how much is selected")  # fmt: skip


def test_points_and_boxes_are_set_moved_and_removed(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    click(user, 180, 120, shift=True)
    drag(user, (100, 60), (200, 180))
    updated(user)
    user.until(lambda: len(user.all(".pt")) == 3 or None, "a point on, a point off and a box")
    first = marks(user)["subjects"][0]
    drag(user, (160, 120), (120, 100))
    user.until(lambda: marks(user)["subjects"][0] != first or None, "a point that was moved")
    moved = marks(user)["subjects"][0]
    click(user, 180, 120)
    user.expect(lambda: len(user.all(".pt")), 2)  # without the point that was clicked

    assert [each["label"] for each in first["points"]] == [1, 0]
    box = {"x0": 100 / WIDTH, "y0": 60 / HEIGHT, "x1": 200 / WIDTH, "y1": 180 / HEIGHT}
    assert first["box"] == pytest.approx(box, abs=0.01)
    assert (moved["points"][0]["x"], moved["points"][0]["y"]) == pytest.approx(
        (120 / 320, 100 / 240), abs=0.01
    )
    user.expect(lambda: [each["label"] for each in marks(user)["subjects"][0]["points"]], [1])


def test_every_step_is_undone_and_done_again_after_a_reload_too(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    updated(user)
    user.button("Add another subject").click()
    click(user, 80, 180)
    updated(user)
    user.until(lambda: is_kept(user, (160, 150), (80, 190)) == [True, True] or None, "two subjects")
    user.open()
    user.button("Select").click()
    user.until(lambda: is_kept(user, (160, 150), (80, 190)) == [True, True] or None, "both again")
    for left in ([1, 0], [1], [0]):
        user.button("Undo").click()
        user.expect(lambda: [len(each["points"]) for each in marks(user)["subjects"]], left)
    user.until(lambda: not user.button("Undo").is_enabled() or None, "nothing to undo")
    user.button("Redo").click()

    user.until(lambda: is_kept(user, (160, 150), (80, 190)) == [True, False] or None, "the first")


def test_candidates_go_from_small_to_large_and_one_is_chosen(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    user.until(lambda: len(user.all(".cand")) == 3 or None, "candidates")
    names = [each.accessible_name for each in user.all(".cand input")]
    beyond = (160 + FAR + 15, 120)
    before = is_kept(user, beyond)
    user.find(".selecting").send_keys("3")
    user.until(lambda: is_kept(user, beyond) == [True] or None, "the largest")
    user.until(lambda: user.all(".cand input")[2].is_selected() or None, "the third choice")
    choice = user.until(lambda: marks(user)["subjects"][0].get("choice"), "the kept choice")
    user.find(".selecting").send_keys(Keys.CONTROL + "z")
    user.until(lambda: is_kept(user, beyond) == [False] or None, "the model's choice again")

    assert names == [f"Choice {i} of 3, {p}% sure" for i, p in ((1, 63), (2, 88), (3, 75))]
    assert before == [False]
    assert choice["rank"] == 2
    assert choice["box"]["x0"] == pytest.approx((160 - FARTHEST) / WIDTH, abs=0.02)


def test_what_is_drawn_is_what_is_cut_out(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    updated(user)
    places = [(160, 145), (160, 120 - FAR + 8), (160, 120 - FAR - 8), (40, 40), (250, 200)]
    user.until(lambda: is_kept(user, places[0]) == [True] or None, "the subject")
    drawn = is_kept(user, *places)
    user.find(".inspector .btn.primary", text="Cut out").click()
    user.until(lambda: user.all(".split input") or None,
               "Compare, which opens")  # fmt: skip
    user.find(".model", text="Click to select")
    user.button("Download PNG").click()
    alpha = unpng(user.downloaded("cup.png"))[..., 3]

    assert drawn == [True, True, False, False, False]
    assert [alpha[y, x] > 128 for x, y in places] == drawn
    user.button("Select").click()
    user.until(lambda: is_kept(user, places[0]) == [True] or None, "the marks, which are kept")


def test_from_a_file_to_the_subject_by_keys_alone(user: User) -> None:
    user.tab_to("Choose files").send_keys(Keys.ENTER)
    user.give(user.write("cup.png", orange()))
    user.wait_for("cup.png", "Cut out")
    user.find(".split input")
    user.tab_to("Compare")
    user.press(Keys.ARROW_LEFT)
    user.find(".selecting .rest")
    photo = user.tab_to("Click what you want to keep")
    user.find(".chip", text="Ready")
    user.press(*[Keys.ARROW_RIGHT] * 5)
    user.expect(user.said, "55% across, 50% down")
    outlined = photo.value_of_css_property("outline-style")
    user.press(Keys.ENTER)
    updated(user)
    chain = ActionChains(user.driver).send_keys("b").key_down(Keys.SHIFT)
    chain.send_keys(Keys.ARROW_RIGHT * 2).key_up(Keys.SHIFT)
    chain.send_keys(Keys.ARROW_DOWN * 3, Keys.ENTER).perform()
    user.until(lambda: marks(user)["subjects"][0].get("box") or None, "the box")
    found = marks(user)["subjects"][0]
    user.press("n")
    user.press(Keys.ESCAPE)
    user.expect(lambda: user.focused().accessible_name, "Select")
    user.tab_to("Cut out").send_keys(Keys.ENTER)
    user.until(lambda: user.all(".split input") or None, "Compare, which opens")
    user.tab_to("Download PNG").send_keys(Keys.ENTER)

    assert outlined != "none"
    assert found["points"] == [{"x": 0.55, "y": 0.5, "label": 1}]
    assert found["box"] == pytest.approx({"x0": 0.55, "y0": 0.5, "x1": 0.65, "y1": 0.53})
    assert unpng(user.downloaded("cup.png"))[120, 176, 3] > 128


def test_an_expired_selection_is_prepared_again_unasked(user: User) -> None:
    selecting(user)
    click(user, 160, 120)
    updated(user)
    item = kept(user)
    prefix = item["key"].partition(item["upload"])[0]
    user.run(_EXPIRE + _LISTEN, new_selection(prefix, datetime.now(UTC) - LASTS).id)
    click(user, 100, 120)

    user.until(lambda: is_kept(user, (100, 140)) == [True] or None, "the answer")
    user.until(lambda: "put away after a pause" in user.run("return window.said") or None, "why")
    assert len(marks(user)["subjects"][0]["points"]) == 2


_EXPIRE = """
const real = window.fetch
let first = true
const [expired] = arguments
window.fetch = (path, options) => {
  const old = first && path.endsWith('/masks')
  if (old) first = false
  return real(old ? `api/selections/${expired}/masks` : path, options)
}
"""
_LISTEN = """
window.said = ''
new MutationObserver(() => { window.said += document.querySelector('.chip')?.textContent })
  .observe(document.body, { subtree: true, childList: true, characterData: true })
"""


def test_the_newest_click_wins_and_early_ones_wait(user: User) -> None:
    user.drop(("cup.png", "", orange()))
    user.wait_for("cup.png", "Cut out in")
    user.run(_HOLD)
    user.button("Select").click()
    user.find(".selecting .rest")
    user.find(".chip", text="Preparing this photo")
    click(user, 160, 120)
    user.find(".pt")
    early = user.run("return window.sent.length")
    user.run("window.open_gate()")
    user.until(lambda: user.run("return window.sent.length") == 1 or None, "the first question")
    click(user, 80, 180)
    user.until(lambda: user.run("return window.sent.length") == 2 or None, "the second question")
    user.find(".chip button", text="Cancel")
    aborted = user.run("return window.sent.map((each) => each.signal.aborted)")
    user.run("window.answer(0); window.answer(1)")

    user.until(lambda: is_kept(user, (160, 140), (80, 190)) == [True, True] or None, "both")
    assert early == 0
    assert aborted == [True, False]


# Holds back the preparation until its gate opens, and each answer to marks until it is let go.
_HOLD = """
const real = window.fetch
window.sent = []
const gate = new Promise((resolve) => { window.open_gate = resolve })
const doors = []
window.answer = (n) => doors[n]()
window.fetch = async (path, options) => {
  if (/selections\\/[^/]+$/.test(path)) await gate
  if (path.endsWith('/masks')) {
    sent.push(options)
    await new Promise((resolve) => doors.push(resolve))
  }
  return real(path, options)
}
"""


def test_fingers_use_the_tool_and_hold_to_leave_out(user: User) -> None:
    selecting(user)

    def tap(x: float, y: float) -> None:
        rect = user.find(".selecting").rect
        user.command("Input.synthesizeTapGesture", gestureSourceType="touch", duration=10,
                     x=rect["x"] + x / WIDTH * rect["width"],
                     y=rect["y"] + y / HEIGHT * rect["height"])  # fmt: skip

    def touch(kind: str, *places: tuple[float, float]) -> None:
        rect = user.find(".selecting").rect
        points = [{"x": rect["x"] + x / WIDTH * rect["width"],
                   "y": rect["y"] + y / HEIGHT * rect["height"], "id": n}
                  for n, (x, y) in enumerate(places)]  # fmt: skip
        user.command("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    tap(160, 120)
    user.until(lambda: len(user.all(".pt:not(.not)")) == 1 or None, "a tap keeps")
    touch("touchStart", (240, 60))
    user.until(lambda: len(user.all(".pt.not")) == 1 or None, "a long press leaves out")
    touch("touchEnd")
    user.find(".tools label:nth-child(3)").click()
    touch("touchStart", (60, 60))
    loupe = user.find(".loupe").size
    touch("touchMove", (120, 120))
    touch("touchEnd")
    user.until(lambda: marks(user)["subjects"][0].get("box") or None, "a finger draws a box")
    user.find(".tools label").click()
    touch("touchStart", (60, 180))
    touch("touchMove", (120, 190))
    touch("touchEnd")
    wide = user.find(".selecting").rect["width"]
    touch("touchStart", (140, 120), (180, 120))
    touch("touchMove", (100, 120), (220, 120))
    touch("touchEnd")

    assert (loupe["width"], loupe["height"]) == (96, 96)
    assert len(marks(user)["subjects"][0]["points"]) == 2
    user.until(lambda: user.find(".selecting").rect["width"] > 1.5 * wide or None, "a closer look")


def test_the_wheel_zooms_and_space_pans(user: User) -> None:
    selecting(user)
    picture = user.find(".selecting")
    wide = picture.rect["width"]
    wheel = ScrollOrigin.from_element(picture)
    ActionChains(user.driver).scroll_from_origin(wheel, 0, -400).perform()
    user.until(lambda: picture.rect["width"] > 1.9 * wide or None, "twice the size")
    scrolled = "return document.querySelector('.zoomed').scrollLeft"
    before = user.until(lambda: user.run(scrolled) or None, "the middle")
    chain = ActionChains(user.driver, duration=50).move_to_element(picture)
    chain.click().key_down(" ").click_and_hold().move_by_offset(-60, 0).release().key_up(" ")
    chain.perform()
    user.until(lambda: user.run(scrolled) == pytest.approx(before + 60, abs=3) or None, "a pan")
    picture.send_keys("0")
    user.until(lambda: picture.rect["width"] == wide or None, "as large as fits")

    assert [len(each["points"]) for each in marks(user)["subjects"]] == [1]


def test_a_drag_is_dropped_by_escape(user: User) -> None:
    selecting(user)
    chain = ActionChains(user.driver, duration=50)
    chain.move_to_element_with_offset(user.find(".selecting"), *offset(user, 60, 60))
    chain.click_and_hold().move_by_offset(80, 80).perform()
    user.find(".boxed")
    ActionChains(user.driver).send_keys(Keys.ESCAPE).release().perform()

    user.gone(".boxed, .pt")
    user.until(lambda: not user.button("Undo").is_enabled() or None, "nothing to undo")


def test_a_tiff_is_shown_as_the_service_shows_it(user: User) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(orange())).save(buffer, "TIFF")
    user.drop(("cup.tif", "image/tiff", buffer.getvalue()))
    user.wait_for("cup.tif", "Cut out in")
    user.find(".pill", text="cannot show the original")
    user.button("Show it").click()
    user.find(".split input")
    user.button("Select").click()
    user.find(".chip", text="Ready")
    click(user, 160, 120)

    user.until(lambda: is_kept(user, (160, 140), (250, 60)) == [True, False] or None, "the subject")
    user.find(".stage-head p", text="320 × 240")
    user.find(".row .thumb img")


def test_a_photo_without_a_subject_can_be_shown_one(user: User) -> None:
    dim = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
    user.drop(("cup.png", "", png(dim)))
    user.wait_for("cup.png", "No subject found")
    user.button("Click the subject").click()
    user.find(".chip", text="Ready")
    click(user, 160, 120)
    updated(user)
    user.find(".inspector .btn.primary", text="Cut out").click()

    user.wait_for("cup.png", "Cut out in")


def test_without_a_model_for_clicks_there_is_no_select(user: User) -> None:
    script = user.command("Page.addScriptToEvaluateOnNewDocument", source=_NO_PROMPTS)
    user.open()
    user.command("Page.removeScriptToEvaluateOnNewDocument", **script)
    user.drop(("cup.png", "", orange()))
    user.wait_for("cup.png", "Cut out in")
    user.find(".split input")

    user.expect(lambda: [each.text for each in user.all("[role=tab]")], ["Compare", "Cut-out"])
    assert not any("views/cutout/select/" in url for url in user.run(_LOADED))


_LOADED = "return performance.getEntriesByType('resource').map((each) => each.name)"
_NO_PROMPTS = """
const real = window.fetch
window.fetch = async (path, options) => {
  const answer = await real(path, options)
  if (path !== 'api/models') return answer
  const { models } = await answer.json()
  for (const each of models) if (each.takes_prompts) each.available = false
  return Response.json({ models })
}
"""


# The page asks for the preferred model; this asks for another one.
_OF_2_1 = """
const real = window.fetch
window.fetch = (url, init) => {
  if (init?.method !== 'POST' || !String(url).endsWith('/selections')) return real(url, init)
  const body = JSON.stringify({ ...JSON.parse(init.body), model: 'pointer2' })
  return real(url, { ...init, body })
}
"""
_RATIO = """
const { width, height } = document.querySelector('.cand .dim').getBoundingClientRect()
return width / height
"""


def test_a_mask_of_a_stretched_photo_lies_on_the_photo_as_it_is(user: User) -> None:
    user.run(_OF_2_1)
    selecting(user)
    click(user, 160, 120)
    user.until(lambda: len(user.all(".cand")) == 2 or None, "candidates")

    places = (160 + 18, 120), (160, 120 + 18), (160, 120 + 12)
    user.expect(lambda: is_kept(user, *places), [True, False, True])
    user.find(".cand .dim")
    assert user.run(_RATIO) == pytest.approx(320 / 240, rel=0.02)
