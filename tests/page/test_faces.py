"""From a photo to its faces, with a service that answers as the API does."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.page.faces import (
    BOTH,
    BOXES,
    FILES,
    NAME,
    RUNNING,
    WIDTH,
    ask_for_faces,
    at,
    document,
    done,
    edges,
    files_of,
    found,
    middle,
    photo,
    point,
    say,
    serving,
)
from tests.page.recordings import silence
from tests.page.user import User


def card(user: User) -> str:
    return user.find(".face-card").text


def pressed(user: User) -> list[str]:
    return [each.accessible_name for each in user.all(".people [aria-pressed=true]")]


# Ask


def test_what_photos_become_is_chosen_before_they_are_added_and_remembered(visitor: User) -> None:
    ask_for_faces(visitor)
    visitor.find(".making summary").click()
    for name in ("Estimate age and gender", "Estimate expressions", "Find small faces, slower"):
        visitor.button(name).click()
    visitor.pick("Hide faces", "Pixelate")
    visitor.find(".making summary", text="Age and gender · Expressions · Small faces · Pixelate")
    visitor.open()
    visitor.find(".hello .sub", text="Faces in photos")
    visitor.drop((NAME, "image/png", photo()))
    visitor.wait_for(NAME, "Looking for faces")

    (method, path, asked), *_ = visitor.run("return window.asked")
    options = {"attributes": [*BOTH], "small_faces": True, "redact": "pixelate"}
    assert (method, path) == ("POST", "api/uploads")
    assert (asked["product"], asked["options"]) == ("faces", options)


def test_a_recording_is_not_affected_by_the_choice(visitor: User) -> None:
    ask_for_faces(visitor)
    visitor.drop(("talk.wav", "audio/wav", silence(1)))
    visitor.until(lambda: visitor.run("return window.asked")[:1] or None, "an upload")

    (_, _, asked), *_ = visitor.run("return window.asked")
    assert "product" not in asked
    assert asked["options"] == {}
    visitor.find(".row .i-sound")


def test_photos_become_cutouts_unless_faces_are_chosen(visitor: User) -> None:
    visitor.drop(("cup.png", "image/png", photo()))
    visitor.until(lambda: visitor.run("return window.asked")[:1] or None, "an upload")

    (_, _, asked), *_ = visitor.run("return window.asked")
    assert "product" not in asked


def test_no_choice_is_shown_where_no_model_finds_faces(user: User) -> None:
    with serving(user, FILES, offered=False):
        user.run("localStorage.matteline = JSON.stringify({ photos: 'faces' })")
        user.open()
        user.until(lambda: user.run(_MODELS_ARE_KNOWN) or None, "the models")
        user.drop((NAME, "image/png", photo()))
        user.until(lambda: user.run("return window.asked")[:1] or None, "an upload")

        (_, _, asked), *_ = user.run("return window.asked")
        assert "product" not in asked
        assert not user.all(".making")


# Settings list them.
_MODELS_ARE_KNOWN = "return document.querySelectorAll('#settings option').length > 3"


def test_a_replaced_photo_is_searched_for_faces_as_the_first_one_was(visitor: User) -> None:
    ask_for_faces(visitor)
    say(visitor, {"state": "quarantined", "error": {
        "name": "CorruptMedia", "message": "damaged PNG", "hint": "Save it again."}})  # fmt: skip
    visitor.drop((NAME, "image/png", photo()))
    visitor.wait_for(NAME, "The file is damaged")
    visitor.find(".sorry", text="Damaged PNG")
    visitor.find(".making label", text="Cut-outs").click()
    say(visitor, RUNNING)
    visitor.button("Replace the file").click()
    visitor.give(visitor.write("again.png", photo()))
    visitor.wait_for("again.png", "Looking for faces")

    uploads = [asked for _, path, asked in visitor.run("return window.asked") if "uploads" in path]
    assert [each.get("product") for each in uploads] == ["faces", "faces"]


# See


@pytest.mark.parametrize("width", [1280, 900, 390])
@pytest.mark.parametrize("zoom", [0, 2])
def test_boxes_are_on_the_right_pixels(visitor: User, width: int, zoom: int) -> None:
    found(visitor)
    visitor.find(".row").click()
    visitor.resize(width)
    if zoom:
        visitor.run("document.querySelector('.dock .tool').click()")
        visitor.button("Zoom in").click()
        visitor.find(".dock", text="200%")
    visitor.expect(lambda: edges(visitor), [])


def test_lines_are_drawn_around_the_faces_pixels(visitor: User) -> None:
    found(visitor)
    x, y, width, height = BOXES[1]
    shot = Image.open(io.BytesIO(visitor.screenshot())).convert("RGB")

    def colour(across: float, down: float) -> tuple[int, ...]:
        left, top = at(visitor, across, down)
        return tuple(shot.getpixel((round(left), round(top))))  # type: ignore[arg-type]

    lines = [colour(x, y + 100), colour(x + width, y + 30), colour(x + 90, y),
             colour(x + 90, y + height)]  # fmt: skip
    assert all(min(each) > 180 for each in lines), lines
    assert colour(x + 60, y + 60) == (60, 160, 60)


def test_pointing_at_a_face_shows_what_was_asked_for(visitor: User) -> None:
    found(visitor)
    point(visitor, *middle(0))
    visitor.find(".face-card", text="Face 1")
    text = card(visitor)
    point(visitor, *middle(2))
    visitor.find(".face-card", text="Face 3")
    visitor.find(".people li.chosen", text="Face 3")
    point(visitor, WIDTH / 2 - 60, 10)
    visitor.gone(".face-card")

    assert "99% sure" in text
    assert "Estimated: about 34 years, female 97%" in text
    assert "happy" in text
    assert "93%" in text


def test_a_face_that_was_clicked_stays_until_escape(visitor: User) -> None:
    found(visitor)
    point(visitor, *middle(1), click=True)
    visitor.expect(lambda: len(pressed(visitor)), 1)
    point(visitor, WIDTH / 2 - 60, 10)
    visitor.find(".face-card", text="Face 2")
    bars = visitor.find(".people .bars").text
    beside = card(visitor)
    visitor.press(Keys.ESCAPE)
    visitor.gone(".face-card")

    assert pressed(visitor) == []
    assert "happy" in bars
    assert "happy" not in beside
    assert [each.split("\n")[0] for each in bars.split("\n")][:2] == ["neutral", "50%"]


def test_a_tap_shows_a_face(visitor: User) -> None:
    found(visitor)
    visitor.find(".row").click()
    visitor.resize(390, 844)
    across, down = at(visitor, *middle(2))
    for kind in ("touchStart", "touchEnd"):
        points = [{"x": across, "y": down}] if kind == "touchStart" else []
        visitor.command("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    visitor.find(".face-card", text="Face 3")


def test_the_card_is_inside_the_picture_and_beside_the_face(visitor: User) -> None:
    found(visitor)
    for place in range(len(BOXES)):
        point(visitor, *middle(place))
        visitor.find(".face-card", text=f"Face {place + 1}")
        visitor.expect(lambda: visitor.run(_INSIDE), wanted=True)
    visitor.find(".people button", text="Face 3").click()
    for width in (390, 900, 1280):
        visitor.run("document.querySelector('.row').click()")
        visitor.resize(width)
        visitor.expect(lambda: visitor.run(_INSIDE), wanted=True)


_INSIDE = """
const [card, whole, face] = ['.face-card', '.pic', '.chosen rect'].map((each) =>
  document.querySelector(each).getBoundingClientRect())
const covered = Math.min(card.right, face.right) - Math.max(card.left, face.left) > 3
  && Math.min(card.bottom, face.bottom) - Math.max(card.top, face.top) > 3
return !covered && card.left >= whole.left && card.right <= whole.right
  && card.top >= whole.top && card.bottom <= whole.bottom
"""


def test_keys_reach_each_face_and_show_it(visitor: User) -> None:
    found(visitor)
    visitor.run("document.querySelector('.people button').focus()")
    visitor.find(".face-card", text="Face 1")
    first = visitor.focused().accessible_name
    visitor.press(Keys.TAB)
    visitor.find(".face-card", text="Face 2")
    second = visitor.focused().accessible_name
    visitor.press(Keys.ENTER)
    visitor.expect(lambda: pressed(visitor), [second])
    ActionChains(visitor.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(
        Keys.SHIFT
    ).perform()
    visitor.find(".face-card", text="Face 1")

    assert "Face 1" in first
    assert "99% sure" in first
    assert "about 34 years, female 97%, happy 93%" in first
    assert "about 1 year, male 60%, neutral 50%" in second


def test_what_was_not_asked_for_is_not_shown(user: User) -> None:
    files = files_of(document())
    with serving(user, files):
        found(user, done(files))
        point(user, *middle(0))
        text = card(user)

        assert "stimated" not in text + user.text().replace("Estimate ", "")


def test_landmarks_are_shown_on_request_and_boxes_can_be_left_out(visitor: User) -> None:
    found(visitor)
    visitor.button("Show landmarks").click()
    dots = visitor.until(
        lambda: visitor.all(".face-layer path.points.over")[:3] or None, "landmarks"
    )
    box = visitor.run("return arguments[0].getBoundingClientRect().toJSON()", dots[1])
    x, y, width, height = BOXES[1]
    left, top = at(visitor, x + width / 4, y + height / 2)
    visitor.button("Show boxes").click()
    visitor.expect(lambda: _stroke(visitor.all("rect.over")[0]), "none")

    assert abs(box["left"] - left) < 2
    assert abs(box["top"] - top) < 2


def _stroke(element: WebElement) -> str:
    return str(element.value_of_css_property("stroke"))


def test_no_face_is_a_plain_success(user: User) -> None:
    files = files_of(document(0))
    with serving(user, files):
        ask_for_faces(user)
        say(user, done(files, 0))
        user.drop((NAME, "image/png", photo()))
        user.wait_for(NAME, "No face found")
        user.find(".pic .pill", text="No face was found in this photo.")

        assert not user.all(".people, .ways, .sorry")
        assert "1 done" in user.text()
        user.button("Download JSON")


def test_the_row_says_how_many_faces_there_are(visitor: User) -> None:
    found(visitor)

    assert visitor.states()[NAME] == "3 faces"


def test_a_photo_that_the_browser_cannot_show_has_boxes_all_the_same(user: User) -> None:
    files = files_of(document())
    with serving(user, files):
        ask_for_faces(user)
        say(user, done(files))
        user.drop(("IMG_1.HEIC", "image/heic", b"\0\0\0\x18ftypheic"))
        user.wait_for("IMG_1.HEIC", "3 faces")
        user.find(".pic .pill", text="This browser cannot show the photo.")

        user.expect(lambda: edges(user), [])
