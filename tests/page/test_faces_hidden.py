"""Faces are hidden, downloaded and deleted; what goes wrong is said, and tried again."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from PIL import Image
from selenium.webdriver import Keys

from tests.page.faces import (
    BOTH,
    DESCRIBED,
    FILES,
    KEPT,
    NAME,
    RUNNING,
    ask_for_faces,
    at,
    document,
    done,
    edges,
    files_of,
    found,
    middle,
    photo,
    redacted,
    say,
    serving,
)
from tests.page.user import User


def hide(user: User, way: str) -> None:
    user.button(way).click()
    user.wait_for(NAME, "Looking for faces")
    say(user, done(FILES))
    user.wait_for(NAME, "3 faces, hidden")
    user.find(".split input")


@pytest.mark.parametrize("way", ["Blur", "Pixelate", "Cover"])
def test_faces_are_hidden_by_a_new_job_of_the_same_photo(visitor: User, way: str) -> None:
    found(visitor)
    say(visitor, RUNNING)
    hide(visitor, way)

    _, path, asked = visitor.run("return window.asked.at(-1)")
    key, options = "me/upload/group.png", {"redact": way.lower()}
    assert path == "api/jobs"
    assert asked == {"key": key, "product": "faces", "options": options, "force": True}
    visitor.expect(lambda: visitor.button(way).get_attribute("aria-pressed"), "true")


def test_the_hidden_faces_are_compared_with_the_photo(visitor: User) -> None:
    found(visitor)
    say(visitor, RUNNING)
    hide(visitor, "Cover")
    x, y = middle(1)
    slider = visitor.find(".split input")

    def seen() -> tuple[int, ...]:
        shot = Image.open(io.BytesIO(visitor.screenshot())).convert("RGB")
        left, top = at(visitor, x, y - 60)
        return tuple(shot.getpixel((round(left), round(top))))  # type: ignore[arg-type]

    slider.send_keys(Keys.HOME)
    visitor.expect(seen, (0, 0, 0))
    slider.send_keys(Keys.END)
    visitor.expect(seen, (60, 160, 60))
    visitor.find("[role=tab]", text="Faces").click()
    visitor.find(".face-layer")


def test_the_picture_and_the_json_are_downloaded(visitor: User) -> None:
    found(visitor)
    say(visitor, RUNNING)
    hide(visitor, "Blur")
    visitor.find(".files button", text="Download JSON").click()
    visitor.find(".end button", text="Download PNG with hidden faces").click()
    visitor.button("Download all 1 result · ZIP").click()
    archive = zipfile.ZipFile(io.BytesIO(visitor.downloaded("matteline.zip")))

    assert visitor.downloaded("group_faces.json").decode() == DESCRIBED
    assert visitor.downloaded("group_faces_redacted.png") == redacted()
    assert sorted(archive.namelist()) == ["group_faces.json", "group_faces_redacted.png"]


def test_a_hidden_picture_that_is_refused_leaves_the_faces(visitor: User) -> None:
    found(visitor)
    visitor.run("window.refuse = arguments[0]", {
        "type": "docs/errors.md#sourcemissing", "title": "The object is not there.", "status": 404,
        "detail": "there is no such object", "hint": "Upload it again."})  # fmt: skip
    visitor.button("Blur").click()
    visitor.find(".note.odd[role=alert]", text="The photo is gone")

    visitor.find(".face-layer")
    assert visitor.button("Blur").get_attribute("aria-pressed") == "false"
    assert visitor.run_later(f"const [item] = await {KEPT}; return item.options") == {}


def test_more_is_estimated_when_it_is_made_again(user: User) -> None:
    files = files_of(document())
    with serving(user, files):
        found(user, done(files))
        user.button("Estimate expressions").click()
        say(user, RUNNING)
        user.button("Make it again").click()
        user.wait_for(NAME, "Looking for faces")

        _, path, asked = user.run("return window.asked.at(-1)")
        assert (path, asked["options"]) == ("api/jobs", {"attributes": ["expressions"]})


# Bad days


def test_a_damaged_file_says_so_and_is_tried_again(user: User) -> None:
    damaged = json.loads(DESCRIBED)
    damaged["faces"][0]["detection"]["box"]["x"] = None
    files = files_of(json.dumps(damaged))
    with serving(user, files):
        ask_for_faces(user)
        say(user, done(files))
        user.drop((NAME, "image/png", photo()))
        user.find(".sorry", text="The faces cannot be read")
        say(user, RUNNING)
        user.find(".sorry button", text="Try again").click()
        user.wait_for(NAME, "Looking for faces")

        _, path, asked = user.run("return window.asked.at(-1)")
        assert (path, asked) == ("api/jobs/upload/replay", {"force": True})


def test_an_address_that_ran_out_is_replaced(visitor: User) -> None:
    ask_for_faces(visitor)
    job = done(files_of(DESCRIBED), query="?expired")
    say(visitor, job)
    visitor.run("setTimeout(() => { window.job = arguments[0] }, 0)", job)
    visitor.run(_RENEWS, done(files_of(DESCRIBED)))
    visitor.drop((NAME, "image/png", photo()))
    visitor.wait_for(NAME, "3 faces")

    visitor.find(".face-layer")


# The second answer about the job has addresses that are valid.
_RENEWS = """
const [job] = arguments
const before = window.fetch
window.fetch = async (path, options) => {
  const answer = await before(path, options)
  if (/^api.jobs/.test(path) && window.job.state === 'done') window.job = job
  return answer
}
"""


def test_a_photo_that_was_deleted_meanwhile_is_said_to_be_gone(visitor: User) -> None:
    found(visitor)
    error = {"name": "ResultGone", "message": "it was deleted", "hint": "Upload it again."}
    with serving(visitor, {}, {"state": "done", "error": error}):
        visitor.find(".sorry[role=alert]", text="The result is gone")
        visitor.find(".sorry li", text="Upload it again.")

        assert not visitor.all(".face-layer, .people")


def test_a_network_that_breaks_is_waited_for_and_tried_again(visitor: User) -> None:
    visitor.run("window.broken = true")
    ask_for_faces(visitor)
    say(visitor, done(files_of(DESCRIBED)))
    visitor.drop((NAME, "image/png", photo()))
    visitor.find(".pill", text="The result could not be fetched.")
    visitor.run("window.broken = false")
    visitor.find(".pill button", text="Try again").click()

    visitor.find(".face-layer")


def test_faces_come_by_themselves_once_the_service_answers_again(visitor: User) -> None:
    found(visitor)
    visitor.run("window.broken = true")
    visitor.be_offline()
    say(visitor, done(files_of(DESCRIBED), query="?another"))
    visitor.drop(("another.png", "image/png", photo()))
    visitor.find(".pill", text="The result could not be fetched.")
    visitor.find(".away")
    visitor.run("window.broken = false")
    visitor.be_online()

    visitor.find(".face-layer")


def test_deleting_the_results_leaves_no_face_in_the_browser(visitor: User) -> None:
    found(visitor)
    visitor.button("More").click()
    visitor.find(".menu button", text="Delete results").click()
    visitor.until(lambda: visitor.driver.switch_to.alert, "a question").accept()
    visitor.wait_for(NAME, "Results deleted")
    kept = visitor.run_later(f"return JSON.stringify(await {KEPT})")
    shown = visitor.all(".face-layer, .people")
    before = visitor.run("return window.fetched")
    say(visitor, done(files_of(DESCRIBED)))
    visitor.find(".sorry button", text="Try again").click()
    visitor.find(".face-layer")

    assert not shown
    assert '"group_faces.json"' not in kept
    assert "stub/" not in kept
    assert '"faces":3' not in kept
    assert visitor.run("return window.fetched") == before + 1


def test_faces_are_not_kept_by_the_browser(visitor: User) -> None:
    found(visitor)
    visitor.find(".people button").click()
    visitor.run("window.refuse = { type: '#sourcemissing', title: 'Not there.', status: 404 }")
    visitor.button("Blur").click()
    visitor.find(".note.odd")
    kept = visitor.run_later(f"return JSON.stringify(await {KEPT})")
    storage = visitor.run("return JSON.stringify({ ...localStorage })")

    assert "landmarks" not in kept + storage
    assert "0.999" not in kept + storage
    assert '"looking"' not in kept


def test_faces_are_there_after_a_reload(user: User) -> None:
    with serving(user, FILES, done(files_of(DESCRIBED))):
        found(user)
        user.open()
        user.wait_for(NAME, "3 faces")
        user.find(".face-layer")

        user.expect(lambda: edges(user), [])


def test_many_faces_are_drawn_and_listed_quickly(user: User) -> None:
    one = json.loads(document(1, attributes=BOTH))
    one["faces"] = one["faces"] * 200
    files = files_of(json.dumps(one))
    with serving(user, files):
        found(user, done(files, 200))
        user.expect(lambda: len(user.all(".people li")), 200)
        took = user.run(_HOVER)

        assert took < 200 * 6  # a slow machine


# The longest of ten redrawings, in ms.
_HOVER = """
const rects = [...document.querySelectorAll('rect.over')].slice(0, 10)
return new Promise((resolve) => {
  const times = []
  const next = (at) => {
    if (at === rects.length) return resolve(Math.max(...times))
    const from = performance.now()
    rects[at].dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))
    requestAnimationFrame(() => requestAnimationFrame(() => {
      times.push(performance.now() - from)
      next(at + 1)
    }))
  }
  next(0)
})
"""
