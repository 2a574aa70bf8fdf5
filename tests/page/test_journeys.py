"""From a file to its cut-out, as a user goes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from selenium.webdriver import Keys

from tests.page.user import User
from tests.pictures import png, square, unpng

WHITE = (255, 255, 255, 255)


def photo(side: int = 96, left: int = 32) -> bytes:
    return png(square(side=side, left=left, top=side // 3, size=side // 3))


def cut(user: User, name: str = "cup.png", content: bytes = b"") -> Path:
    """Add a photo and wait until it is cut out and shown."""
    path = user.write(name, content or photo())
    user.choose(path)
    user.wait_for(name, "Cut out in")
    user.find(".split input")
    return path


def test_a_chosen_photo_is_cut_out_compared_and_downloaded(user: User) -> None:
    cut(user)

    slider = user.find(".split input")
    assert slider.accessible_name == "Before and after"
    assert slider.get_attribute("aria-valuetext") == "50% before"
    user.button("Download PNG").click()
    result = unpng(user.downloaded("cup.png"))

    assert result.shape == (96, 96, 4)
    assert tuple(result[48, 48]) == WHITE
    assert result[5, 5, 3] == 0


def test_the_result_is_that_of_the_service_byte_for_byte(user: User) -> None:
    cut(user)
    user.button("Download PNG").click()

    same = user.run_later(
        "const [{ results }] = await kept(); const answer = await fetch(results[0].url);"
        "return new Uint8Array(await answer.arrayBuffer()).length"
        .replace("kept()", _KEPT)
    )  # fmt: skip

    assert len(user.downloaded("cup.png")) == same


_KEPT = """new Promise((resolve) => {
  const opened = indexedDB.open('matteline')
  opened.onsuccess = () => {
    const asked = opened.result.transaction('items').objectStore('items').getAll()
    asked.onsuccess = () => { opened.result.close(); resolve(asked.result) }
  }
})"""


def test_the_seam_shows_the_photo_on_the_left_and_the_cutout_on_the_right(user: User) -> None:
    cut(user, content=photo(left=32))
    user.button("White").click()
    box = user.find(".pic").rect

    def seen(across: float, down: float) -> tuple[int, ...]:
        shot = Image.open(io.BytesIO(user.screenshot())).convert("RGB")
        pixel = (box["x"] + across * box["width"], box["y"] + down * box["height"])
        return tuple(shot.getpixel((round(pixel[0]), round(pixel[1]))))  # type: ignore[arg-type]

    user.expect(lambda: (seen(0.1, 0.8), seen(0.9, 0.8)), ((0, 0, 0), (255, 255, 255)))
    slider = user.find(".split input")
    slider.send_keys(Keys.END)
    user.expect(lambda: seen(0.9, 0.8), (0, 0, 0))
    user.expect(lambda: slider.get_attribute("aria-valuetext"), "100% before")
    slider.send_keys(Keys.ARROW_LEFT)
    user.expect(lambda: slider.get_attribute("aria-valuetext"), "99% before")


def test_a_background_a_frame_and_a_size_are_in_the_download(user: User) -> None:
    cut(user, content=photo(side=1200, left=400))
    user.button("Sand").click()
    user.button("Trim to the subject").click()
    user.button("Margin").send_keys(Keys.ARROW_RIGHT * 10)
    user.pick("Longest side", "512 px")
    user.find(".canvas img.framed")
    user.button("Download PNG").click()

    result = unpng(user.downloaded("cup.png"))

    # The model's edge is as soft as its 64 pixels; the subject has 400 pixels, 10% around it.
    assert max(result.shape[:2]) <= 512
    assert result.shape[0] >= 450
    assert tuple(result[result.shape[0] // 2, result.shape[1] // 2][:3]) == WHITE[:3]
    assert tuple(result[2, 2][:3]) == (0xE6, 0xD3, 0xBA)


def test_a_jpeg_says_that_white_is_used_and_uses_it(user: User) -> None:
    cut(user)
    user.pick("Format", "JPEG")
    note = user.find(".inspector .note", text="white is used")
    user.button("Download JPEG").click()

    result = np.asarray(Image.open(io.BytesIO(user.downloaded("cup.jpg"))))

    assert note
    assert result[5, 5].min() >= 250


def test_a_picture_is_copied(user: User) -> None:
    cut(user)
    user.button("Copy picture").click()
    user.find(".told", text="Copied")

    kind, size = user.run_later(
        "const [item] = await navigator.clipboard.read();"
        "const blob = await item.getType('image/png');"
        "return [blob.type, (await createImageBitmap(blob)).width]"
    )

    assert (kind, size) == ("image/png", 96)


def test_many_files_are_dropped_named_by_state_and_zipped(user: User) -> None:
    files = [(f"{n}.png", "image/png", photo(left=20 + n)) for n in range(6)]
    same_name = ("0.png", "image/png", photo(left=50))
    user.drop(*files, same_name, ("notes.txt", "text/plain", b"hello"))

    user.until(lambda: "7 done · 1 skipped" in user.text() or None, "seven results")
    assert user.states()["notes.txt"] == "Skipped: not a photo or recording"
    user.button("Download all 7 results · ZIP").click()
    archive = zipfile.ZipFile(io.BytesIO(user.downloaded("matteline.zip")))

    assert sorted(archive.namelist()) == sorted([*(f"{n}.png" for n in range(6)), "0 (2).png"])
    assert all(unpng(archive.read(name)).shape == (96, 96, 4) for name in archive.namelist())


def test_a_pasted_picture_is_cut_out(user: User) -> None:
    user.paste(("image.png", "image/png", photo()))

    user.wait_for("image.png", "Cut out in")


def test_what_was_there_is_there_after_a_reload(user: User) -> None:
    cut(user)
    user.button("Black").click()
    user.open()

    user.wait_for("cup.png", "Cut out in")
    user.find(".split input")
    width = "return document.querySelector('.split .old')?.naturalWidth"
    user.until(lambda: user.run(width) or None, "the photo")
    user.until(lambda: user.button("Black").is_selected() or None, "the background")
    user.find(".thumb.cut img")


def test_an_upload_that_a_reload_interrupted_goes_on(user: User) -> None:
    user.be_slow(5_000)
    noise = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    noise[100:200, 100:200] = 255
    user.choose(user.write("large.png", png(noise)))
    user.until(lambda: "Uploading" in user.states().get("large.png", "") or None, "the upload")
    user.find(".thumb img")
    user.be_online()
    user.open()

    user.wait_for("large.png", "Cut out in")


def test_the_record_and_the_time_of_each_step_are_shown(user: User) -> None:
    cut(user)

    steps = [each.text for each in user.all(".keyed dt")]
    user.button("More").click()
    user.find(".menu button", text="Record").click()
    record = json.loads(user.find(".record pre", text="{").text)

    assert steps == ["Check the file", "Find the subject", "Refine the edges", "Between the steps"]
    assert record["model"] == "brightness"
    assert set(record["tasks"]) == {"Inspect", "RemoveBackground", "RefineEdges"}


def test_edges_are_made_again_as_asked(user: User) -> None:
    cut(user)
    user.pick("Edges", "Crisp, quicker")
    user.button("Make it again").click()
    user.until(lambda: (not user.all(".inspector .btn.wide") and user.all(".split input")) or None,
               "the new result")  # fmt: skip

    user.button("More").click()
    user.find(".menu button", text="Record").click()

    assert json.loads(user.find(".record pre", text="{").text)["options"]["refine"] == "fast"


def test_a_result_is_not_taken_for_the_new_one_while_that_is_asked_for(user: User) -> None:
    """Meanwhile another file is followed, and the result that is there would end the wait."""
    cut(user)
    user.pick("Edges", "Crisp, quicker")
    user.hold("api/jobs")
    user.button("Make it again").click()
    user.drop(("mug.png", "image/png", photo()))
    user.wait_for("mug.png", "Cut out in")
    user.find(".row", text="cup.png").click()
    assert not user.find(".inspector .btn", text="Cancel").is_enabled()

    user.let_go()
    user.wait_for("cup.png", "Cut out in")
    user.button("More").click()
    user.find(".menu button", text="Record").click()

    assert json.loads(user.find(".record pre", text="{").text)["options"]["refine"] == "fast"


def test_a_model_is_chosen_by_what_it_is_for(user: User) -> None:
    cut(user)
    user.pick("Made with", "Drafts")
    user.find(".model", text="Small and quick")
    price = user.find(".model .price").accessible_name
    user.button("Make it again").click()
    user.until(lambda: (not user.all(".inspector .btn.wide") and user.all(".split input")) or None,
               "the new result")  # fmt: skip
    user.button("More").click()
    user.find(".menu button", text="Record").click()

    assert price == "Price class 1 of 4"
    assert json.loads(user.find(".record pre", text="{").text)["model"] == "u2netp"


def test_the_usual_model_is_for_all_that_comes(user: User) -> None:
    user.button("Settings").click()
    user.pick("Usual model", "Drafts")
    user.open()
    cut(user)

    user.find(".model", text="Drafts")


def test_a_picture_is_enlarged_to_its_pixels(user: User) -> None:
    cut(user)
    fit = user.find(".dock .tool").text
    user.find(".dock .tool").click()
    user.until(lambda: user.find(".dock .tool").text == "100%" or None, "full size")
    width = user.find(".pic").rect["width"]
    user.run("for (let n = 0; n < 3; n += 1) arguments[0].click()", user.button("Zoom in"))

    assert fit.startswith("Fit · ")
    assert width == 96
    user.expect(lambda: user.find(".pic").rect["width"], 96 * 8)
    user.expect(lambda: user.find(".pic img").value_of_css_property("image-rendering"), "pixelated")


def test_an_upload_is_cancelled_and_tried_again(user: User) -> None:
    user.be_slow(5_000)
    noise = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    noise[100:200, 100:200] = 255
    user.choose(user.write("large.png", png(noise)))
    user.until(lambda: "Uploading" in user.states().get("large.png", "") or None, "the upload")
    user.button("Cancel: large.png").click()
    user.wait_for("large.png", "Cancelled")
    user.be_online()
    user.button("Try again: large.png").click()

    user.wait_for("large.png", "Cut out in")


def test_results_are_deleted_when_confirmed_and_made_again_when_asked(user: User) -> None:
    cut(user)
    for answer in ("dismiss", "accept"):
        user.button("More").click()
        user.find(".menu button", text="Delete results").click()
        question = user.until(lambda: user.driver.switch_to.alert, "the question")
        words = question.text
        getattr(question, answer)()
    user.wait_for("cup.png", "Results deleted")

    assert words == "Delete the results of cup.png? The original stays."
    user.gone(".split, .inspector")
    user.open()
    user.wait_for("cup.png", "Results deleted")
    user.button("Try again: cup.png").click()
    user.find(".split input")
